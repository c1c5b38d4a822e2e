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
  const last = samples.at(-1)!.histogram;
  if (isCounter && samples.some(({ histogram }) => histogram.counterReset === "gauge")) remarks.notACounter();
  let first = samples[0]!.histogram;
  if (isCounter && isReset(samples, starts, 1, first)) {
    // What was before the reset does not matter, however its buckets were laid out.
    const { schema, customBounds } = samples[1]!.histogram;
    first = createHistogram({ schema, customBounds });
  }
  const schema = isCounter
    ? commonSchema(first, samples, 1)
    : commonSchema(first, samples, samples.length - 1);
  if (schema === undefined) {
    remarks.mixedSchemas();
    return undefined;
  }
  const total = new RemarkingSum(reduceResolution(last, schema), remarks);
  total.subtract(first);
  if (isCounter) {
    if (hasStartOverlaps(samples, starts)) remarks.startOverlap();
    addBeforeResets(total, samples, starts, first);
  } else if (samples[0]!.histogram.counterReset !== "gauge" || last.counterReset !== "gauge") {
    remarks.notAGauge();
  }
  return compactHistogram(withCounterReset(total.histogram, "gauge"));
}

/** Whether the `i`th sample, behind `previous`, begins anew. */
function isReset(
  samples: readonly HistogramSample[],
  starts: StartTimestamps,
  i: number,
  previous: Histogram,
): boolean {
  const { timestampMs, histogram } = samples[i]!;
  return (
    isStartReset(starts, samples[i - 1]!.timestampMs, timestampMs) || detectCounterReset(histogram, previous)
  );
}

/** The lowest schema of `first` and the samples from `from` on; undefined where exponential buckets meet custom ones. */
function commonSchema(
  first: Histogram,
  samples: readonly HistogramSample[],
  from: number,
): number | undefined {
  const isCustom = hasCustomBuckets(first);
  let { schema } = first;
  for (let i = from; i < samples.length; i++) {
    const { histogram } = samples[i]!;
    if (hasCustomBuckets(histogram) !== isCustom) return undefined;
    schema = Math.min(schema, histogram.schema);
  }
  return schema;
}

function hasStartOverlaps(samples: readonly HistogramSample[], starts: StartTimestamps): boolean {
  if (starts.size === 0) return false;
  return someStartOverlaps(
    starts,
    samples.map(({ timestampMs }) => timestampMs),
  );
}

/** What was counted before each reset is not in the last sample. */
function addBeforeResets(
  total: RemarkingSum,
  samples: readonly HistogramSample[],
  starts: StartTimestamps,
  first: Histogram,
): void {
  let previous = first;
  for (let i = 1; i < samples.length; i++) {
    if (isReset(samples, starts, i, previous)) total.add(previous);
    previous = samples[i]!.histogram;
  }
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
