import { releaseBytes } from "../../base/index.ts";
import { ByteWriter } from "../json/byte-writer.ts";
import { JsonSink } from "../result-json.ts";
import type { ResultSink } from "../result.ts";
import { allSortedByLabels, compareTuples } from "../series/order.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import type { Strings } from "../series/strings.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { type EncodedJson, type PartialResult, decodeSeries, encodeSeries } from "./partial.ts";
import { countPresent } from "./rows.ts";

const envelopeBytes = 1024;

/** The series of an operator as finished JSON, sorted by labels, for a reader that hands them over. */
export function encodeJson(evaluation: Evaluation, operator: Operator): PartialResult {
  const list = operator.series();
  const { grid } = evaluation.plan;
  const out = new ByteWriter();
  const sink = new JsonSink(out);
  const picks: number[] = [];
  const ranges: number[] = [];
  let samples = 0;
  for (const series of evaluation.timeSort(() => allSortedByLabels(list))) {
    evaluation.checkRow();
    const row = operator.row(series);
    const count = countPresent(evaluation, row, grid.steps);
    if (count === 0) continue;
    evaluation.keepSamples(count);
    samples += count;
    // A comma stands before every series but the first.
    const start = out.length + Math.min(picks.length, 1);
    sink.row(list, series, grid, row, evaluation);
    ranges.push(start, out.length);
    picks.push(series);
  }
  const { annotations, samplesPeak } = evaluation;
  return {
    series: encodeSeries(list, picks),
    values: new Float64Array(0),
    present: new Uint8Array(0),
    json: { bytes: out.finish(), ranges: Int32Array.from(ranges), samples },
    annotations: [...annotations.list],
    samplesPeak,
  };
}

/** The series of one part, next in line first. */
class Run {
  readonly json: EncodedJson;
  readonly #list: SeriesList;
  #next = -1;
  readonly labels = new Tuple();

  constructor(strings: Strings, { series, json }: PartialResult) {
    const table = new TupleTable();
    decodeSeries(strings, series, (_, labels) => table.intern(labels));
    this.#list = new TupleSeries(strings, table, false);
    this.json = json!;
    this.advance();
  }

  get isDone(): boolean {
    return this.#next >= this.#list.length;
  }

  advance(): void {
    this.#next++;
    if (!this.isDone) this.#list.tuple(this.#next, this.labels);
  }

  bytes(): Uint8Array {
    const { bytes, ranges } = this.json;
    return bytes.subarray(ranges[this.#next * 2]!, ranges[this.#next * 2 + 1]!);
  }
}

/** Merges parts of finished JSON in the order of their labels. Returns whether series beyond `seriesMax` (0: none) were left out. */
export function emitJsonParts(
  evaluation: Evaluation,
  parts: readonly PartialResult[],
  sink: ResultSink,
  seriesMax: number,
): boolean {
  const { strings } = evaluation;
  for (const { json, annotations } of parts) {
    evaluation.keepSamples(json!.samples);
    annotations.forEach((annotation) => evaluation.annotations.add(annotation));
  }
  const runs = parts.map((part) => new Run(strings, part)).filter((run) => !run.isDone);
  // The parts hold about as many commas as the whole; what comes around the series is short.
  sink.begin("matrix", envelopeBytes + parts.reduce((sum, { json }) => sum + json!.bytes.length + 1, 0));
  let emitted = 0;
  while (runs.length > 0 && (seriesMax === 0 || emitted < seriesMax)) {
    let first = runs[0]!;
    for (const run of runs) if (compareTuples(strings, run.labels, first.labels) < 0) first = run;
    sink.encodedSeries(first.bytes());
    emitted++;
    first.advance();
    if (!first.isDone) continue;
    runs.splice(runs.indexOf(first), 1);
    releaseBytes(first.json.bytes);
  }
  sink.end();
  return runs.length > 0;
}
