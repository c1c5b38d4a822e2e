import type { Columns, Row, Steps } from "../../kernel/index.ts";
import { metricNameLabel } from "../../model/index.ts";
import { type HistogramSample, noStarts, type SeriesSet, type StartTimestamps } from "../../storage/index.ts";
import { smoothedValue } from "../function/extended-range.ts";
import { smoothedHistogram } from "../histogram/extended-rate.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import type { SelectNode } from "../plan/plan.ts";
import { SelectedSeries, type SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import { storeAt } from "./histogram-rows.ts";
import { lookSteps } from "./look-steps.ts";
import type { Operator } from "./operator.ts";
import { repeatFirst } from "./rows.ts";
import type { RowsAhead } from "./rows-ahead.ts";
import { WindowReader } from "./sample-reader.ts";
import { WindowSlice } from "./window-slice.ts";

/** Most targets are scraped more often than this. */
const recentWindowMs = 30_000;

export type WantedHistograms = "all" | "counts" | "presence";

/** An instant selector: at each step the newest sample within the lookback, unless it says that the series ended. */
export class SelectOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: SelectNode;
  readonly #look: Steps;
  readonly #reader: WindowReader;
  readonly #row: Row;
  readonly #timesPtr: number;
  readonly #ahead: RowsAhead | undefined;
  #set: SeriesSet | undefined;
  #series: SeriesList | undefined;

  /**
   * `wanted` of histograms: all; "counts", without buckets and with the hints that comparing them yields; or their "presence" alone.
   */
  constructor(evaluation: Evaluation, node: SelectNode, wanted: WantedHistograms = "all") {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#look = lookSteps(node.selector, node.grid);
    const { lookbackDeltaMs } = evaluation;
    const dropStale = node.selector.extension === "smoothed";
    this.#reader = new WindowReader(evaluation, node.selector, this.#look, lookbackDeltaMs, dropStale);
    if (wanted === "counts") this.#reader.countOnly();
    else if (node.selector.extension === undefined) this.#reader.newestOnly(wanted === "presence");
    this.#row = evaluation.row(this.steps);
    this.#timesPtr = node.yields === "values" ? 0 : evaluation.allocate(this.steps * 8);
    if (node.yields === "values" && node.selector.extension === undefined && this.#look.count > 1)
      this.#ahead = this.#reader.ahead((run, series, out) =>
        evaluation.kernel.selectInstantRun(run, series, this.#look, lookbackDeltaMs, out),
      );
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      const { selector, yields } = this.#node;
      this.#set = this.#evaluation.select(selector);
      const selected = new SelectedSeries(this.#evaluation.strings, this.#set, selector.namePinned);
      this.#series = yields === "values" ? selected : this.#evaluation.dropNames(selected);
    }
    return this.#series;
  }

  row(series: number): Row {
    const evaluation = this.#evaluation;
    evaluation.checkRow();
    const row = this.#ahead?.row(this.#set!, series);
    if (row !== undefined) return row;
    const samples = this.#read(series);
    if (this.#node.selector.extension === "smoothed") return this.#smooth(series, samples);
    const { kernel, lookbackDeltaMs } = evaluation;
    kernel.selectInstant(samples, this.#look, lookbackDeltaMs, this.#row, this.#timesPtr);
    const histograms = this.#reader.histograms(this.#set!, series);
    const starts =
      this.#node.yields === "startTimestamps" ? this.#reader.starts(this.#set!, series) : noStarts;
    if (this.#timesPtr !== 0) this.#takeTimes(starts);
    if (histograms.length > 0) this.#selectHistograms(histograms, samples, starts);
    if (this.#look.count < this.steps) repeatFirst(evaluation, this.#row, this.steps);
    return this.#row;
  }

  #read(series: number): Columns {
    const { minTimestampMs, maxTimestampMs, extension } = this.#node.selector;
    const recentMs = maxTimestampMs - recentWindowMs;
    if (this.#look.count === 1 && extension === undefined && recentMs > minTimestampMs) {
      // One step wants one sample, the newest. It mostly is a recent one, and fewer chunks need to be opened for it.
      const recent = this.#reader.readNewestFrom(this.#set!, series, recentMs);
      if (recent.count > 0) return recent;
    }
    return this.#reader.read(this.#set!, series);
  }

  #smooth(series: number, { tsPtr, vsPtr, count }: Columns): Row {
    const { f64, lookbackDeltaMs, annotations } = this.#evaluation;
    const histograms = this.#reader.histograms(this.#set!, series);
    const name = (): string => this.#set!.labels(series).get(metricNameLabel);
    const remarks = new HistogramRemarks(annotations, this.#node.position, name);
    const timestamps = f64.subarray(tsPtr / 8, tsPtr / 8 + count);
    const values = f64.subarray(vsPtr / 8, vsPtr / 8 + count);
    const floats = new WindowSlice();
    const natives = new WindowSlice();
    for (let step = 0; step < this.#look.count; step++) {
      this.#evaluation.checkRow();
      const timeMs = this.#look.startMs + step * this.#look.stepMs;
      const [fromMs, toMs] = [timeMs - lookbackDeltaMs, timeMs + lookbackDeltaMs];
      floats.move(fromMs, toMs, count, (i) => timestamps[i]!);
      natives.move(fromMs, toMs, histograms.length, (i) => histograms[i]!.timestampMs);
      const isMixed = !natives.isEmpty && !floats.isEmpty;
      if (isMixed) remarks.mixedRange();
      const value = natives.isEmpty
        ? smoothedValue(floats.of({ timestamps, values }), timeMs)
        : smoothedHistogram(histograms.slice(natives.first, natives.end), timeMs, remarks);
      storeAt(this.#evaluation, this.#row, step, isMixed ? undefined : value);
    }
    if (this.#look.count < this.steps) repeatFirst(this.#evaluation, this.#row, this.steps);
    return this.#row;
  }

  /** Puts native histograms where they are newer than the newest float. */
  #selectHistograms(
    histograms: readonly HistogramSample[],
    { tsPtr, count }: Columns,
    starts: StartTimestamps,
  ): void {
    const { f64, lookbackDeltaMs } = this.#evaluation;
    const timestamps = f64.subarray(tsPtr / 8, tsPtr / 8 + count);
    let newest = -1;
    let newestFloat = -1;
    for (let step = 0; step < this.#look.count; step++) {
      const timeMs = this.#look.startMs + step * this.#look.stepMs;
      while (newest + 1 < histograms.length && histograms[newest + 1]!.timestampMs <= timeMs) newest++;
      while (newestFloat + 1 < count && timestamps[newestFloat + 1]! <= timeMs) newestFloat++;
      const sample = histograms[newest];
      if (sample === undefined || sample.timestampMs <= timeMs - lookbackDeltaMs) continue;
      if (newestFloat >= 0 && timestamps[newestFloat]! >= sample.timestampMs) continue;
      const value = this.#timesPtr === 0 ? sample.histogram : this.#timeOf(sample.timestampMs, starts);
      storeAt(this.#evaluation, this.#row, step, sample.histogram.isStale ? undefined : value);
    }
  }

  /** In seconds: when the sample was taken, or since when it counts, 0 where that is not known. */
  #timeOf(timestampMs: number, starts: StartTimestamps): number {
    return (this.#node.yields === "timestamps" ? timestampMs : (starts.get(timestampMs) ?? 0)) / 1000;
  }

  #takeTimes(starts: StartTimestamps): void {
    const { f64 } = this.#evaluation;
    const values = this.#row.valuesPtr / 8;
    const times = this.#timesPtr / 8;
    for (let step = 0; step < this.#look.count; step++)
      f64[values + step] = this.#timeOf(f64[times + step]!, starts);
  }
}
