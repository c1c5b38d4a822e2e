import type { Row } from "../../kernel/index.ts";
import type { Histogram } from "../../model/index.ts";
import { ConcatenatedSeries, type SeriesList } from "../series/series-list.ts";
import { histogramPresent } from "../histogram/column.ts";
import { histogramSamples } from "../histogram/samples.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { type PartialResult, decodeList, encodeSeries } from "./partial.ts";
import { isEmpty } from "./rows.ts";

/** The rows that several readers computed, shard after shard. */
export class PartsOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #parts: readonly PartialResult[];
  readonly #series: ConcatenatedSeries;
  readonly #row: Row;
  readonly #histograms: readonly ReadonlyMap<number, Histogram>[];

  constructor(
    evaluation: Evaluation,
    steps: number,
    parts: readonly PartialResult[],
    distinctWithoutName: boolean,
  ) {
    this.steps = steps;
    this.#evaluation = evaluation;
    this.#parts = parts;
    const lists = parts.map((part) => decodeList(evaluation.strings, part.series, distinctWithoutName));
    this.#series = new ConcatenatedSeries(evaluation.strings, lists, distinctWithoutName);
    this.#row = evaluation.row(steps);
    this.#histograms = parts.map((part) => new Map(part.histograms));
    for (const part of parts) {
      const ofHistograms = (part.histograms ?? []).reduce((sum, [, each]) => sum + histogramSamples(each), 0);
      evaluation.keepSamples(part.present.length + ofHistograms);
      part.annotations.forEach((annotation) => evaluation.annotations.add(annotation));
    }
  }

  series(): SeriesList {
    return this.#series;
  }

  row(series: number): Row {
    this.#evaluation.checkRow();
    const [number, within] = this.#series.locate(series);
    const { values, present } = this.#parts[number]!;
    const start = within * this.steps;
    const end = start + this.steps;
    this.#evaluation.f64.set(values.subarray(start, end), this.#row.valuesPtr / 8);
    this.#evaluation.u8.set(present.subarray(start, end), this.#row.presentPtr);
    this.#takeHistograms(number, start, end);
    return this.#row;
  }

  #takeHistograms(part: number, start: number, end: number): void {
    const known = this.#histograms[part]!;
    if (known.size === 0) return;
    for (let place = start; place < end; place++) {
      const histogram = known.get(place);
      if (histogram !== undefined)
        this.#evaluation.histograms.set(this.#row.valuesPtr / 8 + place - start, histogram);
    }
  }
}

const rowsAtFirst = 64;

function grown<T extends Float64Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** All rows of an operator that have any value, for a reader that hands them over. */
export function encodeRows(evaluation: Evaluation, operator: Operator): PartialResult {
  const list = operator.series();
  const { steps } = operator;
  const { f64, u8 } = evaluation;
  const picks: number[] = [];
  const histograms: [place: number, histogram: Histogram][] = [];
  // What many series over many steps could take is not what they do take; the limit is looked at before memory grows.
  let values = new Float64Array(Math.min(list.length, rowsAtFirst) * steps);
  let present = new Uint8Array(values.length);
  for (let series = 0; series < list.length; series++) {
    evaluation.checkRow();
    const row = operator.row(series);
    if (isEmpty(evaluation, row, steps)) continue;
    const start = picks.length * steps;
    evaluation.keepSamples(steps);
    if (start === values.length) {
      const length = Math.min(start * 2, list.length * steps);
      values = grown(values, new Float64Array(length));
      present = grown(present, new Uint8Array(length));
    }
    values.set(f64.subarray(row.valuesPtr / 8, row.valuesPtr / 8 + steps), start);
    present.set(u8.subarray(row.presentPtr, row.presentPtr + steps), start);
    if (evaluation.histograms.areIn(u8, row, steps)) {
      for (let step = 0; step < steps; step++) {
        if (u8[row.presentPtr + step] !== histogramPresent) continue;
        const histogram = evaluation.histograms.get(row.valuesPtr / 8 + step);
        evaluation.keepSamples(histogramSamples(histogram));
        histograms.push([start + step, histogram]);
      }
    }
    picks.push(series);
  }
  if (picks.length * steps < values.length) {
    values = values.slice(0, picks.length * steps);
    present = present.slice(0, picks.length * steps);
  }
  const { annotations, samplesPeak } = evaluation;
  return {
    series: encodeSeries(list, picks),
    values,
    present,
    ...(histograms.length > 0 && { histograms }),
    annotations: [...annotations.list],
    samplesPeak,
  };
}
