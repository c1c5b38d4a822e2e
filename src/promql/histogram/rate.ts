import { NarthexError } from "../../base/index.ts";
import {
  compactHistogram,
  createHistogram,
  detectCounterReset,
  divideHistogram,
  type Histogram,
  hasCustomBuckets,
  incompatibleSchemas,
  multiplyHistogram,
  reduceResolution,
  subtractHistograms,
  withCounterReset,
} from "../../model/index.ts";
import { type HistogramSample, noStarts, type StartTimestamps } from "../../storage/index.ts";
import { extrapolation, type RateWindow } from "../function/extrapolation.ts";
import { isStartReset, someStartOverlaps, zeroBefore } from "../function/start-timestamps.ts";
import type { HistogramRemarks } from "./remarks.ts";
import { RemarkingSum } from "./remarking-sum.ts";
import { merged, type MixedSamples, type SampleValue } from "./samples.ts";

/**
 * rate, increase and delta of histograms: what was added between the first and the last, extrapolated to the ends of the window as
 * far as samples make that likely. Undefined with fewer than two samples, unless the one is known to count since a time in the window, and
 * where they do not fit together.
 */
export function extrapolatedRate(
  samples: MixedSamples,
  window: RateWindow,
  remarks: HistogramRemarks,
): Histogram | undefined {
  if (samples.timestamps.length > 0) {
    remarks.mixedRange();
    return undefined;
  }
  const { histograms, starts = noStarts } = samples;
  const first = histograms[0]!;
  const { timestampMs: firstMs } = first;
  const zeroMs = window.isCounter ? zeroBefore(starts, firstMs, window.startMs) : undefined;
  const between =
    histograms.length < 2 ? undefined : rawIncrease(histograms, starts, window.isCounter, remarks);
  if (between === undefined && (histograms.length > 1 || zeroMs === undefined)) return undefined;
  const increase = zeroMs === undefined ? between! : addFirst(between, first.histogram, remarks);
  if (increase === undefined) return undefined;
  const sampled = {
    firstMs,
    lastMs: histograms.at(-1)!.timestampMs,
    samples: histograms.length,
    first: first.histogram.count,
    increase: increase.count,
    zeroMs,
  };
  return multiplyHistogram(increase, extrapolation(sampled, window));
}

/** What was added since the counter was zero: before the first sample, too. */
function addFirst(
  between: Histogram | undefined,
  first: Histogram,
  remarks: HistogramRemarks,
): Histogram | undefined {
  if (between === undefined) return first;
  try {
    const total = new RemarkingSum(between, remarks);
    total.add(first);
    return total.histogram;
  } catch (error) {
    if (!isIncompatible(error)) throw error;
    remarks.mixedSchemas();
    return undefined;
  }
}

function rawIncrease(
  samples: readonly HistogramSample[],
  starts: StartTimestamps,
  isCounter: boolean,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const histograms = samples.map(({ histogram }) => histogram);
  const last = histograms.at(-1)!;
  if (isCounter && histograms.some(({ counterReset }) => counterReset === "gauge")) remarks.notACounter();
  const isReset = (i: number, previous: Histogram): boolean =>
    isStartReset(starts, samples[i - 1]!.timestampMs, samples[i]!.timestampMs) ||
    detectCounterReset(histograms[i]!, previous);
  let first = histograms[0]!;
  if (isCounter && isReset(1, first)) {
    // What was before the reset does not matter, however its buckets were laid out.
    const { schema, customBounds } = histograms[1]!;
    first = createHistogram({ schema, customBounds });
  }
  const between = isCounter ? histograms.slice(1, -1) : [];
  const isCustom = hasCustomBuckets(first);
  if ([last, ...between].some((histogram) => hasCustomBuckets(histogram) !== isCustom)) {
    remarks.mixedSchemas();
    return undefined;
  }
  const schema = Math.min(last.schema, first.schema, ...between.map((histogram) => histogram.schema));
  const total = new RemarkingSum(reduceResolution(last, schema), remarks);
  total.subtract(first);
  if (isCounter) {
    if (
      someStartOverlaps(
        starts,
        samples.map(({ timestampMs }) => timestampMs),
      )
    )
      remarks.startOverlap();
    let previous = first;
    for (let i = 1; i < histograms.length; i++) {
      if (isReset(i, previous)) total.add(previous);
      previous = histograms[i]!;
    }
  } else if (histograms[0]!.counterReset !== "gauge" || last.counterReset !== "gauge") {
    remarks.notAGauge();
  }
  return compactHistogram(withCounterReset(total.histogram, "gauge"));
}

/** irate and idelta over the last two samples, of which at least one is a histogram. */
export function instantRate(
  samples: MixedSamples,
  isRate: boolean,
  remarks: HistogramRemarks,
): SampleValue | undefined {
  const [before, after] = merged(samples).slice(-2);
  if (before === undefined || after === undefined) return undefined;
  const seconds = (after.timestampMs - before.timestampMs) / 1000;
  const isRestarted = isStartReset(samples.starts ?? noStarts, before.timestampMs, after.timestampMs);
  if (seconds === 0) return undefined;
  const { value: previous } = before;
  const { value: current } = after;
  if (typeof current === "number" && typeof previous === "number") {
    const isReset = current < previous || isRestarted;
    const change = isRate && isReset ? current : current - previous;
    return isRate ? change / seconds : change;
  }
  if (typeof current === "number" || typeof previous === "number") {
    remarks.mixedRange();
    return undefined;
  }
  const change = instantChange(previous, current, isRate, isRestarted, remarks);
  if (change === undefined) return undefined;
  const result = compactHistogram(withCounterReset(change, "gauge"));
  return isRate ? divideHistogram(result, seconds) : result;
}

function instantChange(
  previous: Histogram,
  current: Histogram,
  isRate: boolean,
  isRestarted: boolean,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const gauges = [previous, current].filter(({ counterReset }) => counterReset === "gauge").length;
  if (isRate && gauges > 0) remarks.notACounter();
  if (!isRate && gauges < 2) remarks.notAGauge();
  if (isRate && (isRestarted || detectCounterReset(current, previous))) return current;
  try {
    const { histogram, boundsReconciled } = subtractHistograms(current, previous);
    if (boundsReconciled) remarks.boundsReconciled("subtraction");
    return histogram;
  } catch (error) {
    if (!isIncompatible(error)) throw error;
    remarks.mixedSchemas();
    return undefined;
  }
}

/** Whether exponential met custom buckets. */
export function isIncompatible(error: unknown): boolean {
  return error instanceof NarthexError && error.message === incompatibleSchemas;
}
