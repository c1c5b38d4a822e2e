import {
  compactHistogram,
  detectCounterReset,
  divideHistogram,
  type Histogram,
  hasCustomBuckets,
  multiplyHistogram,
  withCounterReset,
} from "../../model/index.ts";
import type { HistogramSample } from "../../storage/index.ts";
import type { ExtendedWindow } from "../function/extended-range.ts";
import { isIncompatible } from "./rate.ts";
import type { HistogramRemarks } from "./remarks.ts";
import { RemarkingSum } from "./remarking-sum.ts";
import { merged, type MixedSamples, type TimedValue } from "./samples.ts";

/**
 * rate, increase and delta of histograms between a window's boundaries, without extrapolation. `samples` are those of the window and
 * of the lookback around it, in order and at least one.
 */
export function extendedHistogramRate(
  func: string,
  samples: readonly HistogramSample[],
  window: ExtendedWindow,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const { startMs, endMs, smoothed } = window;
  const isCounter = func !== "delta";
  const firstInside = samples.findIndex(({ timestampMs }) => timestampMs > startMs);
  const first = Math.max(0, (firstInside < 0 ? samples.length - 1 : firstInside) - 1);
  let last = samples.length - 1;
  if (smoothed) {
    const reaching = samples.findIndex(({ timestampMs }) => timestampMs >= endMs);
    if (reaching >= 0) last = reaching;
  }
  if (samples[last]!.timestampMs <= startMs) return undefined;
  if (smoothed && samples[first]!.timestampMs > endMs) return undefined;
  const used = samples.slice(first, last + 1);
  if (!fitTogether(used, isCounter, remarks)) return undefined;
  try {
    const increase = boundedIncrease(samples, first, last, isCounter, window, remarks);
    const result = func === "rate" ? divideHistogram(increase, (endMs - startMs) / 1000) : increase;
    return compactHistogram(withCounterReset(result, "gauge"));
  } catch (error) {
    if (!isIncompatible(error)) throw error;
    remarks.mixedSchemas();
    return undefined;
  }
}

function fitTogether(
  samples: readonly HistogramSample[],
  isCounter: boolean,
  remarks: HistogramRemarks,
): boolean {
  const isCustom = hasCustomBuckets(samples[0]!.histogram);
  if (samples.some(({ histogram }) => hasCustomBuckets(histogram) !== isCustom)) {
    remarks.mixedSchemas();
    return false;
  }
  if (isCounter && samples.some(({ histogram }) => histogram.counterReset === "gauge")) remarks.notACounter();
  return true;
}

function boundedIncrease(
  samples: readonly HistogramSample[],
  first: number,
  last: number,
  isCounter: boolean,
  { startMs, endMs, smoothed }: ExtendedWindow,
  remarks: HistogramRemarks,
): Histogram {
  const isLeftOutside = smoothed && samples[first]!.timestampMs < startMs;
  const isRightOutside = smoothed && last > 0 && samples[last]!.timestampMs > endMs;
  const between = (place: number, timeMs: number): Histogram =>
    interpolateHistograms(samples[place]!, samples[place + 1]!, timeMs, isCounter, remarks);
  const left = isLeftOutside ? between(first, startMs) : samples[first]!.histogram;
  const right = isRightOutside ? between(last - 1, endMs) : samples[last]!.histogram;
  if (!isCounter && (left.counterReset !== "gauge" || right.counterReset !== "gauge")) remarks.notAGauge();
  const sum = new RemarkingSum(right, remarks);
  sum.subtract(left);
  if (!isCounter) return sum.histogram;
  for (const lost of reachedBeforeResets(samples, first, last, left, right, isLeftOutside)) sum.add(lost);
  return sum.histogram;
}

/** What a counter had reached at each reset between the boundaries. */
function reachedBeforeResets(
  samples: readonly HistogramSample[],
  first: number,
  last: number,
  left: Histogram,
  right: Histogram,
  isLeftInterpolated: boolean,
): Histogram[] {
  let next = first + 1;
  let previous = left;
  if (isLeftInterpolated && detectCounterReset(samples[next]!.histogram, samples[first]!.histogram)) {
    // The value at the left boundary begins after this reset already.
    previous = samples[next++]!.histogram;
  }
  if (next > last) return [];
  const reached: Histogram[] = [];
  // The last sample itself is what the right boundary was made of, and carries its hint.
  for (const current of [...samples.slice(next, last).map(({ histogram }) => histogram), right]) {
    if (detectCounterReset(current, previous)) reached.push(previous);
    previous = current;
  }
  return reached;
}

/** The histogram at a moment between two neighbours, bucket by bucket on the line between them. A counter that was reset began at 0. */
function interpolateHistograms(
  before: HistogramSample,
  after: HistogramSample,
  timeMs: number,
  isCounter: boolean,
  remarks: HistogramRemarks,
): Histogram {
  if (timeMs === before.timestampMs) return before.histogram;
  if (timeMs === after.timestampMs) return after.histogram;
  const fraction = (timeMs - before.timestampMs) / (after.timestampMs - before.timestampMs);
  if (isCounter && detectCounterReset(after.histogram, before.histogram))
    return multiplyHistogram(after.histogram, fraction);
  const change = new RemarkingSum(after.histogram, remarks);
  change.subtract(before.histogram);
  const result = new RemarkingSum(multiplyHistogram(change.histogram, fraction), remarks);
  result.add(before.histogram);
  return result.histogram;
}

/** The samples from the last one at or before the window's start on; none where nothing lies behind the start. */
export function anchoredSamples(samples: MixedSamples, startMs: number): TimedValue[] {
  const all = merged(samples);
  const inside = all.findIndex(({ timestampMs }) => timestampMs > startMs);
  return inside < 0 ? [] : all.slice(Math.max(0, inside - 1));
}

/** The histogram of a series at a moment, of the samples in the lookback before and behind it. */
export function smoothedHistogram(
  samples: readonly HistogramSample[],
  timeMs: number,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const reaching = samples.findIndex(({ timestampMs }) => timestampMs >= timeMs);
  const next = samples[reaching];
  if (next?.timestampMs === timeMs) return next.histogram;
  const previous = reaching < 0 ? samples.at(-1) : samples[reaching - 1];
  if (previous === undefined) return undefined;
  if (next === undefined) return withCounterReset(previous.histogram, "unknown");
  if (hasCustomBuckets(previous.histogram) !== hasCustomBuckets(next.histogram)) {
    remarks.mixedSchemas();
    return undefined;
  }
  const areGauges = [previous, next].every(({ histogram }) => histogram.counterReset === "gauge");
  return interpolateHistograms(previous, next, timeMs, !areGauges, remarks);
}
