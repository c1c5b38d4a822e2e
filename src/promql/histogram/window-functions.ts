import {
  compactHistogram,
  detectCounterReset,
  equalHistograms,
  type Histogram,
  HistogramMean,
  HistogramSum,
} from "../../model/index.ts";
import { noStarts } from "../../storage/index.ts";
import type { ExtendedWindow } from "../function/extended-range.ts";
import { isStartReset } from "../function/start-timestamps.ts";
import { anchoredSamples, extendedHistogramRate } from "./extended-rate.ts";
import { extrapolatedRate, instantRate, isIncompatible } from "./rate.ts";
import type { HistogramRemarks } from "./remarks.ts";
import { merged, type MixedSamples, type SampleValue, type TimedValue } from "./samples.ts";

export interface WindowBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** A function over a window that has at least one histogram in it. */
export type MixedWindowFunction = (
  samples: MixedSamples,
  window: WindowBounds,
  remarks: HistogramRemarks,
) => SampleValue | undefined;

/**
 * The functions that know histograms. All others are computed of the floats alone, and remark on the histograms if there are any
 * floats.
 */
export const mixedWindowFunctions: Readonly<Record<string, MixedWindowFunction>> = {
  rate: (samples, window, remarks) =>
    extrapolatedRate(samples, { ...window, isCounter: true, isRate: true }, remarks),
  increase: (samples, window, remarks) =>
    extrapolatedRate(samples, { ...window, isCounter: true, isRate: false }, remarks),
  delta: (samples, window, remarks) =>
    extrapolatedRate(samples, { ...window, isCounter: false, isRate: false }, remarks),
  irate: (samples, _, remarks) => instantRate(samples, true, remarks),
  idelta: (samples, _, remarks) => instantRate(samples, false, remarks),
  sum_over_time: (samples, _, remarks) => overTime(samples, remarks, (first) => new HistogramSum(first)),
  avg_over_time: (samples, _, remarks) => overTime(samples, remarks, (first) => new HistogramMean(first)),
  count_over_time: ({ timestamps, histograms }) => timestamps.length + histograms.length,
  present_over_time: () => 1,
  last_over_time: (samples) => merged(samples).at(-1)!.value,
  first_over_time: (samples) => merged(samples)[0]!.value,
  ts_of_last_over_time: (samples) => merged(samples).at(-1)!.timestampMs / 1000,
  ts_of_first_over_time: (samples) => merged(samples)[0]!.timestampMs / 1000,
  changes: (samples) => countPairs(merged(samples), hasChanged),
  resets: (samples) => countPairs(merged(samples), isReset, samples.starts),
};

/** The functions over windows with `anchored` or `smoothed`; the samples of the lookback around are among theirs. */
export function extendedWindowFunction(
  func: string,
  samples: MixedSamples,
  window: ExtendedWindow,
  remarks: HistogramRemarks,
): SampleValue | undefined {
  if (func === "changes" || func === "resets") {
    const all = anchoredSamples(samples, window.startMs);
    if (all.length === 0) return undefined;
    return func === "changes" ? countPairs(all, hasChanged) : countPairs(all, isReset, samples.starts);
  }
  if (samples.timestamps.length > 0) {
    remarks.mixedRange();
    return undefined;
  }
  return extendedHistogramRate(func, samples.histograms, window, remarks);
}

function overTime(
  { timestamps, histograms }: MixedSamples,
  remarks: HistogramRemarks,
  begin: (first: Histogram) => HistogramSum | HistogramMean,
): Histogram | undefined {
  if (timestamps.length > 0) {
    remarks.mixedRange();
    return undefined;
  }
  const [first, ...rest] = histograms;
  const aggregate = begin(first!.histogram);
  try {
    for (const { histogram } of rest) aggregate.add(histogram);
  } catch (error) {
    if (!isIncompatible(error)) throw error;
    remarks.mixedSchemas();
    return undefined;
  } finally {
    if (aggregate.remarks.counterResetCollision) remarks.counterResetCollision("aggregation");
    if (aggregate.remarks.boundsReconciled) remarks.boundsReconciled("aggregation");
  }
  return compactHistogram(aggregate.result());
}

/** With `starts`, pairs count as well between which a counter is known to have begun anew. */
function countPairs(
  all: readonly TimedValue[],
  counts: (previous: SampleValue, current: SampleValue) => boolean,
  starts = noStarts,
): number {
  return all.filter(({ timestampMs, value }, i) => {
    const previous = all[i - 1];
    if (previous === undefined) return false;
    return isStartReset(starts, previous.timestampMs, timestampMs) || counts(previous.value, value);
  }).length;
}

function hasChanged(previous: SampleValue, current: SampleValue): boolean {
  if (typeof previous === "number" || typeof current === "number") {
    const areBothNaN = Number.isNaN(previous) && Number.isNaN(current);
    return previous !== current && !areBothNaN;
  }
  return !equalHistograms(previous, current);
}

/** Going over from floats to histograms or back is a reset, too. */
function isReset(previous: SampleValue, current: SampleValue): boolean {
  if (typeof previous === "number" && typeof current === "number") return current < previous;
  if (typeof previous === "number" || typeof current === "number") return true;
  return detectCounterReset(current, previous);
}
