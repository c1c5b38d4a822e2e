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
import type { HistogramSample } from "../../storage/index.ts";
import type { HistogramRemarks } from "./remarks.ts";
import { RemarkingSum } from "./remarking-sum.ts";
import { merged, type MixedSamples, type SampleValue } from "./samples.ts";

/** The window (startMs, endMs], and what is asked of it. */
export interface RateWindow {
  readonly startMs: number;
  readonly endMs: number;
  /** Resets are taken into account. */
  readonly isCounter: boolean;
  /** Per second. */
  readonly isRate: boolean;
}

/**
 * rate, increase and delta of histograms: what was added between the first and the last, extrapolated to the ends of the window as
 * far as samples make that likely. Undefined with fewer than two samples, and where they do not fit together.
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
  const { histograms } = samples;
  if (histograms.length < 2) return undefined;
  const increase = rawIncrease(histograms, window.isCounter, remarks);
  return increase && multiplyHistogram(increase, extrapolation(histograms, increase, window));
}

/** By how much the increase between the samples is to be enlarged. */
function extrapolation(
  histograms: readonly HistogramSample[],
  increase: Histogram,
  { startMs, endMs, isCounter, isRate }: RateWindow,
): number {
  const first = histograms[0]!;
  const lastMs = histograms.at(-1)!.timestampMs;
  const sampled = (lastMs - first.timestampMs) / 1000;
  const average = sampled / (histograms.length - 1);
  const threshold = average * 1.1;
  let toStart = (first.timestampMs - startMs) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  if (toStart >= threshold) toStart = average / 2;
  // A counter cannot have been below zero before.
  if (isCounter && increase.count > 0 && first.histogram.count >= 0) {
    toStart = Math.min(toStart, sampled * (first.histogram.count / increase.count));
  }
  if (toEnd >= threshold) toEnd = average / 2;
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
  return isRate ? factor / ((endMs - startMs) / 1000) : factor;
}

function rawIncrease(
  samples: readonly HistogramSample[],
  isCounter: boolean,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const histograms = samples.map(({ histogram }) => histogram);
  const last = histograms.at(-1)!;
  if (isCounter && histograms.some(({ counterReset }) => counterReset === "gauge")) remarks.notACounter();
  let first = histograms[0]!;
  if (isCounter && detectCounterReset(histograms[1]!, first)) {
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
    let previous = first;
    for (const current of histograms.slice(1)) {
      if (detectCounterReset(current, previous)) total.add(previous);
      previous = current;
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
  if (seconds === 0) return undefined;
  const { value: previous } = before;
  const { value: current } = after;
  if (typeof current === "number" && typeof previous === "number") {
    const change = isRate && current < previous ? current : current - previous;
    return isRate ? change / seconds : change;
  }
  if (typeof current === "number" || typeof previous === "number") {
    remarks.mixedRange();
    return undefined;
  }
  const change = instantChange(previous, current, isRate, remarks);
  if (change === undefined) return undefined;
  const result = compactHistogram(withCounterReset(change, "gauge"));
  return isRate ? divideHistogram(result, seconds) : result;
}

function instantChange(
  previous: Histogram,
  current: Histogram,
  isRate: boolean,
  remarks: HistogramRemarks,
): Histogram | undefined {
  const gauges = [previous, current].filter(({ counterReset }) => counterReset === "gauge").length;
  if (isRate && gauges > 0) remarks.notACounter();
  if (!isRate && gauges < 2) remarks.notAGauge();
  if (isRate && detectCounterReset(current, previous)) return current;
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
