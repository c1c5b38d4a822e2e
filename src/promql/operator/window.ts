import {
  type Columns,
  type Row,
  type Steps,
  takesNoArguments,
  windowFunction,
  type WindowFunctionName,
} from "../../kernel/index.ts";
import { formatShortest, metricNameLabel } from "../../model/index.ts";
import { type HistogramSample, noStarts, type StartTimestamps } from "../../storage/index.ts";
import { type ExtendedWindow, anchoredCount, extendedIncrease } from "../function/extended-range.ts";
import type { SampleArrays } from "../function/sample-arrays.ts";
import { checkFactors, smoothDoubleExponential } from "../function/smoothing.ts";
import { startedFunction, type StartFunction, usesStarts } from "../function/start-timestamps.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import { extendedWindowFunction, mixedWindowFunctions } from "../histogram/window-functions.ts";
import type { WindowNode } from "../plan/plan.ts";
import type { SeriesList } from "../series/series-list.ts";
import { CounterCheck } from "./counter-check.ts";
import type { Evaluation } from "./evaluation.ts";
import { storeAt } from "./histogram-rows.ts";
import type { FillRows, Operator, RangeReader } from "./operator.ts";
import { repeatFirst } from "./rows.ts";
import { lookSteps } from "./look-steps.ts";
import { WindowSlice } from "./window-slice.ts";
import { argumentPosition } from "../plan/plan.ts";

/** Samples that windows look at between two looks at the clock and the cancel word, each window by itself. */
const visitsPerCheck = 2 ** 20;

/** Functions that pick one of the samples, whose name they keep. */
const namePreserving = new Set(["last_over_time", "first_over_time"]);

/** A function over the window (t − range, t] of each series at each step. */
export class WindowOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: WindowNode;
  readonly #reader: RangeReader;
  readonly #args: readonly Operator[];
  readonly #look: Steps;
  readonly #row: Row;
  readonly #counters: CounterCheck | undefined;
  readonly #usesStarts: boolean;
  /** Whether the reader may have the rows of many series computed at once. */
  readonly #isAhead: boolean;
  #series: SeriesList | undefined;

  constructor(evaluation: Evaluation, node: WindowNode, reader: RangeReader, args: readonly Operator[]) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#reader = reader;
    this.#args = args;
    this.#look = lookSteps(node.source.from, node.grid);
    this.#row = evaluation.row(this.steps);
    const { from } = node.source;
    this.#usesStarts =
      evaluation.startTimestamps &&
      usesStarts(node.func) &&
      from.kind === "selector" &&
      // As upstream has it: what is extended to the window's bounds is not extrapolated to where a counter began.
      (from.extension === undefined || node.func === "resets");
    if (node.func === "rate" || node.func === "increase")
      this.#counters = new CounterCheck(evaluation, node, reader);
    this.#isAhead = this.#isPlain() && reader.fillAhead?.(this.#fillRows) === true;
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      const read = this.#reader.series();
      this.#series = namePreserving.has(this.#node.func) ? read : this.#evaluation.dropNames(read);
    }
    return this.#series;
  }

  row(series: number): Row {
    this.#evaluation.checkRow();
    const row = this.#isAhead ? this.#reader.rowAhead!(series) : undefined;
    if (row === undefined) return this.#computedRow(series);
    this.#counters?.look(series, row, this.steps);
    return row;
  }

  #computedRow(series: number): Row {
    const columns = this.#reader.read(series);
    const histograms = this.#reader.histograms(series);
    const starts = this.#usesStarts ? this.#reader.starts(series) : noStarts;
    const { from } = this.#node.source;
    const isExtended = from.kind === "selector" && from.extension !== undefined;
    if (isExtended) this.#applyExtended(columns, starts);
    else if (starts.size > 0) this.#applyWithStarts(series, columns, histograms, starts);
    else this.#apply(columns, histograms);
    if (histograms.length > 0) this.#applyToHistograms(series, columns, histograms, starts);
    this.#counters?.look(series, this.#row, this.steps);
    return this.#row;
  }

  /** Whether the kernel needs nothing but floats for the rows. */
  #isPlain(): boolean {
    const { func, source } = this.#node;
    const isExtended = source.from.kind === "selector" && source.from.extension !== undefined;
    const isOfKernel = Object.hasOwn(windowFunction, func) && takesNoArguments(func as WindowFunctionName);
    return isOfKernel && !isExtended && !this.#usesStarts && this.#look.count === this.steps;
  }

  readonly #fillRows: FillRows = (run, series, out) => {
    const { func, source } = this.#node;
    const name = func as WindowFunctionName;
    this.#evaluation.kernel.windowRun(name, run, series, this.#look, source.rangeMs, out);
  };

  #apply(columns: Columns, histograms: readonly HistogramSample[]): void {
    const { func } = this.#node;
    if (func === "double_exponential_smoothing") return this.#smooth(columns, histograms);
    const { from } = this.#node.source;
    const isPinned = from.atMs !== undefined;
    if (isPinned && this.#args.length > 0) return this.#applyPinned(columns);
    const argPtr = this.#args[0]?.row(0).valuesPtr ?? 0;
    const stepsAtOnce = this.#stepsAtOnce(columns.count);
    if (stepsAtOnce >= this.#look.count) this.#applyAt(this.#look, columns, this.#row, argPtr);
    else this.#applyInParts(stepsAtOnce, columns, argPtr);
    if (func === "quantile_over_time") this.#checkQuantile(argPtr);
    if (this.#look.count < this.steps) repeatFirst(this.#evaluation, this.#row, this.steps);
  }

  #applyAt(look: Steps, columns: Columns, out: Row, argPtr: number): void {
    const { kernel, scratch } = this.#evaluation;
    const { from, rangeMs } = this.#node.source;
    const more = { argPtr, offsetMs: from.offsetMs };
    kernel.window(this.#node.func as WindowFunctionName, columns, look, rangeMs, out, more, scratch);
  }

  /** Of many steps with long windows, so that the query can be ended between the parts. */
  #applyInParts(stepsAtOnce: number, columns: Columns, argPtr: number): void {
    const { startMs, stepMs, count } = this.#look;
    for (let step = 0; step < count; step += stepsAtOnce) {
      this.#evaluation.check();
      const look = { startMs: startMs + step * stepMs, stepMs, count: Math.min(stepsAtOnce, count - step) };
      const out = { valuesPtr: this.#row.valuesPtr + step * 8, presentPtr: this.#row.presentPtr + step };
      this.#applyAt(look, columns, out, argPtr === 0 ? 0 : argPtr + step * 8);
    }
  }

  /** Steps whose windows hold `visitsPerCheck` samples, if these lie evenly. */
  #stepsAtOnce(samples: number): number {
    const { stepMs, count } = this.#look;
    const { rangeMs } = this.#node.source;
    const inWindow = (samples * rangeMs) / (rangeMs + (count - 1) * stepMs);
    return inWindow * count <= visitsPerCheck ? count : Math.max(1, Math.floor(visitsPerCheck / inWindow));
  }

  /** The window stays where `@` put it while arguments, and the time to predict from, go on from step to step. */
  #applyPinned(columns: Columns): void {
    const { kernel, scratch } = this.#evaluation;
    const { func, grid, source } = this.#node;
    const argPtr = this.#args[0]!.row(0).valuesPtr;
    for (let step = 0; step < this.steps; step++) {
      this.#evaluation.checkRow();
      const out = { valuesPtr: this.#row.valuesPtr + step * 8, presentPtr: this.#row.presentPtr + step };
      const offsetMs = grid.startMs + step * grid.stepMs - this.#look.startMs;
      const more = { argPtr: argPtr + step * 8, offsetMs };
      kernel.window(func as WindowFunctionName, columns, this.#look, source.rangeMs, out, more, scratch);
    }
    if (func === "quantile_over_time") this.#checkQuantile(argPtr);
  }

  /** The functions that look at whole windows here: `compute` gets a window's samples, its end, and its step. */
  #eachWindow(
    columns: Columns,
    compute: (samples: SampleArrays, window: ExtendedWindow, step: number) => number | undefined,
  ): void {
    const { f64, u8 } = this.#evaluation;
    const { source } = this.#node;
    const extension = source.from.kind === "selector" ? source.from.extension : undefined;
    const lookbackMs = extension === undefined ? 0 : this.#evaluation.lookbackDeltaMs;
    const timestamps = f64.subarray(columns.tsPtr / 8, columns.tsPtr / 8 + columns.count);
    const values = f64.subarray(columns.vsPtr / 8, columns.vsPtr / 8 + columns.count);
    const isPinned = this.#look.count < this.steps;
    const near = new WindowSlice();
    for (let step = 0; step < this.steps; step++) {
      this.#evaluation.checkRow();
      const endMs = this.#look.startMs + (isPinned ? 0 : step * this.#look.stepMs);
      const startMs = endMs - source.rangeMs;
      const behindMs = extension === "smoothed" ? lookbackMs : 0;
      near.move(startMs - lookbackMs, endMs + behindMs, timestamps.length, (i) => timestamps[i]!);
      const samples = near.of({ timestamps, values });
      const value = compute(samples, { startMs, endMs, smoothed: extension === "smoothed" }, step);
      u8[this.#row.presentPtr + step] = value === undefined ? 0 : 1;
      f64[this.#row.valuesPtr / 8 + step] = value ?? 0;
    }
  }

  /** Histograms are left out, but the factors are looked at for them as well. */
  #smooth(columns: Columns, histograms: readonly HistogramSample[]): void {
    const [factors, trends] = this.#args.map((arg) => arg.row(0).valuesPtr / 8);
    const { f64 } = this.#evaluation;
    this.#eachWindow(columns, ({ values }, { startMs, endMs }, step) => {
      const [factor, trend] = [f64[factors! + step]!, f64[trends! + step]!];
      if (histograms.some((sample) => isInside(sample, { startMs, endMs }))) checkFactors(factor, trend);
      return smoothDoubleExponential(values, factor, trend);
    });
  }

  #applyExtended(columns: Columns, starts: StartTimestamps): void {
    const { func } = this.#node;
    const counts = func === "changes" || func === "resets";
    this.#eachWindow(columns, (samples, window) =>
      counts ? anchoredCount(func, samples, window, starts) : extendedIncrease(func, samples, window),
    );
  }

  /** The kernel knows nothing of start timestamps. */
  #applyWithStarts(
    series: number,
    columns: Columns,
    histograms: readonly HistogramSample[],
    starts: StartTimestamps,
  ): void {
    const func = this.#node.func as StartFunction;
    const remarks = this.#remarks(series);
    this.#eachWindow(columns, (samples, window) => {
      // What has histograms in it is computed, and remarked on, as a mix.
      if (histograms.some((sample) => isInside(sample, window))) return undefined;
      return startedFunction(func, samples, starts, window, () => remarks.startOverlap());
    });
  }

  #remarks(series: number): HistogramRemarks {
    const { func, source, args, position } = this.#node;
    const name = (): string => this.#reader.series().labels(series).get(metricNameLabel);
    // Upstream takes the place of the first argument, which is not always the range.
    const place = func === "quantile_over_time" ? argumentPosition(args[0]!) : source.position;
    return new HistogramRemarks(this.#evaluation.annotations, place, name, position);
  }

  /** Computes the windows anew that have native histograms in them. */
  #applyToHistograms(
    series: number,
    columns: Columns,
    histograms: readonly HistogramSample[],
    starts: StartTimestamps,
  ): void {
    const { f64 } = this.#evaluation;
    const { func, source } = this.#node;
    const compute = mixedWindowFunctions[func];
    const extension = source.from.kind === "selector" ? source.from.extension : undefined;
    const beforeMs = extension === undefined ? 0 : this.#evaluation.lookbackDeltaMs;
    const behindMs = extension === "smoothed" ? beforeMs : 0;
    const remarks = this.#remarks(series);
    const timestamps = f64.subarray(columns.tsPtr / 8, columns.tsPtr / 8 + columns.count);
    const values = f64.subarray(columns.vsPtr / 8, columns.vsPtr / 8 + columns.count);
    const isPinned = this.#look.count < this.steps;
    const floats = new WindowSlice();
    const natives = new WindowSlice();
    for (let step = 0; step < this.steps; step++) {
      this.#evaluation.check();
      const endMs = this.#look.startMs + (isPinned ? 0 : step * this.#look.stepMs);
      const startMs = endMs - source.rangeMs;
      const [fromMs, toMs] = [startMs - beforeMs, endMs + behindMs];
      floats.move(fromMs, toMs, timestamps.length, (i) => timestamps[i]!);
      natives.move(fromMs, toMs, histograms.length, (i) => histograms[i]!.timestampMs);
      if (natives.isEmpty) continue;
      if (compute === undefined && extension === undefined) {
        if (!floats.isEmpty) remarks.ignoredInRange();
        continue;
      }
      const samples = {
        ...floats.of({ timestamps, values }),
        histograms: histograms.slice(natives.first, natives.end),
        starts,
      };
      const window = { startMs, endMs, smoothed: extension === "smoothed" };
      const value =
        extension === undefined
          ? compute!(samples, window, remarks)
          : extendedWindowFunction(func, samples, window, remarks);
      storeAt(this.#evaluation, this.#row, step, value);
    }
  }

  #checkQuantile(argPtr: number): void {
    const { f64, u8, annotations } = this.#evaluation;
    for (let step = 0; step < this.steps; step++) {
      const phi = f64[argPtr / 8 + step]!;
      if (u8[this.#row.presentPtr + step] === 0 || (phi >= 0 && phi <= 1)) continue;
      const text = `quantile value should be between 0 and 1, got ${formatShortest(phi)}`;
      annotations.warn(text, argumentPosition(this.#node.args[0]!), this.#node.position);
    }
  }
}

function isInside(
  { timestampMs }: HistogramSample,
  { startMs, endMs }: { startMs: number; endMs: number },
): boolean {
  return timestampMs > startMs && timestampMs <= endMs;
}
