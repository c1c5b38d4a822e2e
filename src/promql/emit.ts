import type { Columns } from "../kernel/index.ts";
import { extendedSamples } from "./function/extended-range.ts";
import type { SampleArrays } from "./function/sample-arrays.ts";
import type { Evaluation } from "./operator/evaluation.ts";
import { valueAt } from "./operator/histogram-rows.ts";
import { withFinalNames } from "./operator/final-names.ts";
import { emitJsonParts } from "./operator/json-parts.ts";
import type { OperatorBuilder } from "./operator/build.ts";
import type { Operator } from "./operator/operator.ts";
import { countPresent } from "./operator/rows.ts";
import { histogramSamples } from "./histogram/samples.ts";
import type { PlanNode } from "./plan/plan.ts";
import type { ResultSink } from "./result.ts";
import { allSortedByLabels } from "./series/order.ts";

/** Evaluates the plan's root and hands its result to a sink, at most `seriesMax` series (0: all). Returns whether some were left out. */
export function emitResult(
  evaluation: Evaluation,
  builder: OperatorBuilder,
  sink: ResultSink,
  seriesMax: number,
): boolean {
  const { root, grid, instant } = evaluation.plan;
  switch (root.kind) {
    case "string":
      sink.begin("string");
      sink.string(grid.startMs, root.value);
      sink.end();
      return false;
    case "range":
      return emitRange(evaluation, builder, root, sink, seriesMax);
    default:
  }
  const parts = builder.rootParts();
  if (parts?.[0]?.json !== undefined) return emitJsonParts(evaluation, parts, sink, seriesMax);
  const operator = withFinalNames(evaluation, builder.build(root));
  if (!instant) return emitMatrix(evaluation, operator, sink, seriesMax);
  if (root.type === "scalar") {
    sink.begin("scalar");
    sink.scalar(grid.startMs, evaluation.f64[operator.row(0).valuesPtr / 8]!);
    sink.end();
    return false;
  }
  return emitVector(evaluation, operator, sink, seriesMax);
}

function emitVector(
  evaluation: Evaluation,
  operator: Operator,
  sink: ResultSink,
  seriesMax: number,
): boolean {
  const list = operator.series();
  const { startMs } = evaluation.plan.grid;
  sink.begin("vector");
  let emitted = 0;
  let leftOut = false;
  for (let series = 0; series < list.length; series++) {
    evaluation.checkRow();
    const row = operator.row(series);
    if (evaluation.u8[row.presentPtr] === 0) continue;
    const value = valueAt(evaluation, row, 0);
    evaluation.keepSamples(typeof value === "number" ? 1 : histogramSamples(value));
    leftOut = seriesMax > 0 && emitted >= seriesMax;
    if (leftOut) break;
    sink.sample(list, series, startMs, value);
    emitted++;
  }
  sink.end();
  return leftOut;
}

function emitMatrix(
  evaluation: Evaluation,
  operator: Operator,
  sink: ResultSink,
  seriesMax: number,
): boolean {
  const list = operator.series();
  const { grid } = evaluation.plan;
  sink.begin("matrix");
  let emitted = 0;
  let leftOut = false;
  for (const series of evaluation.timeSort(() => allSortedByLabels(list))) {
    evaluation.checkRow();
    const row = operator.row(series);
    const count = countPresent(evaluation, row, grid.steps);
    if (count === 0) continue;
    evaluation.keepSamples(count + evaluation.histograms.samplesIn(evaluation.u8, row, grid.steps));
    leftOut = seriesMax > 0 && emitted >= seriesMax;
    if (leftOut) break;
    sink.row(list, series, grid, row, evaluation);
    emitted++;
  }
  sink.end();
  return leftOut;
}

/** The samples of each series in the one window that an instant query looks at. */
function emitRange(
  evaluation: Evaluation,
  builder: OperatorBuilder,
  root: PlanNode & { kind: "range" },
  sink: ResultSink,
  seriesMax: number,
): boolean {
  const reader = builder.range(root);
  const list = reader.series();
  const window = windowCutter(evaluation, root);
  sink.begin("matrix");
  let emitted = 0;
  let leftOut = false;
  for (const series of evaluation.timeSort(() => allSortedByLabels(list))) {
    evaluation.checkRow();
    const { timestamps, values, count } = window(reader.read(series));
    const histograms = reader.histograms(series).filter(({ timestampMs }) => isInside(timestampMs, root));
    if (count + histograms.length === 0) continue;
    evaluation.keepSamples(
      histograms.reduce((sum, { histogram }) => sum + histogramSamples(histogram), count),
    );
    leftOut = seriesMax > 0 && emitted >= seriesMax;
    if (leftOut) break;
    sink.samples(list, series, timestamps, values, count, histograms, evaluation);
    emitted++;
  }
  sink.end();
  return leftOut;
}

/** Where the samples of the window lie, indices of f64. */
interface WindowSamples {
  readonly timestamps: number;
  readonly values: number;
  readonly count: number;
}

/** Whether a time lies in the window (end − range, end]. */
function isInside(timestampMs: number, { source, grid }: PlanNode & { kind: "range" }): boolean {
  const { from, rangeMs } = source;
  const endMs = (from.atMs ?? grid.startMs) - from.offsetMs;
  return timestampMs > endMs - rangeMs && timestampMs <= endMs;
}

function windowCutter(
  evaluation: Evaluation,
  { source, grid }: PlanNode & { kind: "range" },
): (columns: Columns) => WindowSamples {
  const { f64 } = evaluation;
  const { from, rangeMs } = source;
  const endMs = (from.atMs ?? grid.startMs) - from.offsetMs;
  const startMs = endMs - rangeMs;
  const extension = from.kind === "selector" ? from.extension : undefined;
  return ({ tsPtr, vsPtr, count }) => {
    const timestamps = f64.subarray(tsPtr / 8, tsPtr / 8 + count);
    let first = 0;
    let end = count;
    if (extension === undefined) while (first < end && timestamps[first]! <= startMs) first++;
    if (extension !== "smoothed") while (end > first && timestamps[end - 1]! > endMs) end--;
    const cut = { timestamps: tsPtr / 8 + first, values: vsPtr / 8 + first, count: end - first };
    if (extension === undefined) return cut;
    const samples = {
      timestamps: timestamps.subarray(0, end),
      values: f64.subarray(cut.values, cut.values + end),
    };
    return copySamples(
      evaluation,
      extendedSamples(samples, { startMs, endMs, smoothed: extension === "smoothed" }),
    );
  };
}

function copySamples(evaluation: Evaluation, samples: SampleArrays | undefined): WindowSamples {
  const count = samples?.timestamps.length ?? 0;
  const [timestamps, values] = [evaluation.allocate(count * 8) / 8, evaluation.allocate(count * 8) / 8];
  if (samples !== undefined) {
    evaluation.f64.set(samples.timestamps, timestamps);
    evaluation.f64.set(samples.values, values);
  }
  return { timestamps, values, count };
}
