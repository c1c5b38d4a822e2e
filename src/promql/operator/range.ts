import type { Columns, Row, Steps } from "../../kernel/index.ts";
import { type Histogram, withCounterReset } from "../../model/index.ts";
import { type HistogramSample, noStarts, type SeriesSet, type StartTimestamps } from "../../storage/index.ts";
import { floatPresent, histogramPresent } from "../histogram/column.ts";
import type { Grid, RangeSource, Selector, SubqueryPlan } from "../plan/plan.ts";
import { SelectedSeries, type SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FillRows, Operator, RangeReader } from "./operator.ts";
import type { RowsAhead } from "./rows-ahead.ts";
import { SampleBuffer, WindowReader } from "./sample-reader.ts";
import { lookSteps } from "./look-steps.ts";

/** `countsOnly`: histograms of storage come without buckets, and with the hints that comparing them yields. */
export function rangeReader(
  evaluation: Evaluation,
  source: RangeSource,
  grid: Grid,
  build: (node: SubqueryPlan["child"]) => Operator,
  countsOnly = false,
): RangeReader {
  const { from } = source;
  return from.kind === "selector"
    ? new SelectorRange(evaluation, from, lookSteps(from, grid), source.rangeMs, countsOnly)
    : new SubqueryRange(evaluation, from, build(from.child));
}

class SelectorRange implements RangeReader {
  readonly #evaluation: Evaluation;
  readonly #selector: Selector;
  readonly #reader: WindowReader;
  #set: SeriesSet | undefined;
  #series: SeriesList | undefined;
  #ahead: RowsAhead | undefined;

  constructor(evaluation: Evaluation, selector: Selector, look: Steps, rangeMs: number, countsOnly: boolean) {
    this.#evaluation = evaluation;
    this.#selector = selector;
    this.#reader = new WindowReader(evaluation, selector, look, rangeMs, true);
    if (countsOnly) this.#reader.countOnly();
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      this.#set = this.#evaluation.select(this.#selector);
      this.#series = new SelectedSeries(this.#evaluation.strings, this.#set, this.#selector.namePinned);
    }
    return this.#series;
  }

  read(series: number): Columns {
    return this.#reader.read(this.#set!, series);
  }

  histograms(series: number): readonly HistogramSample[] {
    return this.#reader.histograms(this.#set!, series);
  }

  starts(series: number): StartTimestamps {
    return this.#reader.starts(this.#set!, series);
  }

  fillAhead(fill: FillRows): boolean {
    this.#ahead = this.#reader.ahead(fill);
    return this.#ahead !== undefined;
  }

  rowAhead(series: number): Row | undefined {
    return this.#ahead?.row(this.#set!, series);
  }
}

/** The values of an expression at its own steps, as samples. */
class SubqueryRange implements RangeReader {
  readonly #evaluation: Evaluation;
  readonly #plan: SubqueryPlan;
  readonly #child: Operator;
  readonly #buffer = new SampleBuffer();
  #histograms: HistogramSample[] = [];

  constructor(evaluation: Evaluation, plan: SubqueryPlan, child: Operator) {
    this.#evaluation = evaluation;
    this.#plan = plan;
    this.#child = child;
  }

  series(): SeriesList {
    return this.#child.series();
  }

  read(series: number): Columns {
    const { f64, u8 } = this.#evaluation;
    const { startMs, stepMs, steps } = this.#plan.child.grid;
    const buffer = this.#buffer;
    buffer.reserve(this.#evaluation, steps);
    const row = this.#child.row(series);
    const timestamps = buffer.timestamps / 8;
    const values = buffer.values / 8;
    const from = row.valuesPtr / 8;
    let count = 0;
    this.#histograms = [];
    for (let step = 0; step < steps; step++) {
      const present = u8[row.presentPtr + step];
      const timestampMs = startMs + step * stepMs;
      if (present === histogramPresent) {
        const histogram = withoutHint(this.#evaluation.histograms.get(from + step));
        this.#histograms.push({ timestampMs, histogram });
      }
      if (present !== floatPresent) continue;
      f64[timestamps + count] = timestampMs;
      f64[values + count] = f64[from + step]!;
      count++;
    }
    buffer.count = count;
    this.#evaluation.passSamples(count);
    return buffer;
  }

  histograms(): readonly HistogramSample[] {
    return this.#histograms;
  }

  /** What an expression yields counts since no time. */
  starts(): StartTimestamps {
    return noStarts;
  }
}

/** A subquery may skip samples or see them twice, so that what is known of resets between them no longer holds. */
function withoutHint(histogram: Histogram): Histogram {
  return histogram.counterReset === "gauge" ? histogram : withCounterReset(histogram, "unknown");
}
