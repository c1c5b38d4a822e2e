import { type Histogram, histogramBytes } from "../../model/index.ts";
import type { HistogramSample, StartTimestamps } from "../../storage/index.ts";

/** A sample's value: a float or a native histogram. */
export type SampleValue = number | Histogram;

/** Bytes of a float sample, and of the time of any. */
const sampleBytes = 16;
const timeBytes = 8;

/** A native histogram counts for as many samples as would take its room. */
export function histogramSamples(histogram: Histogram): number {
  return Math.floor((timeBytes + histogramBytes(histogram)) / sampleBytes);
}

/** The samples of one series in a window, floats and histograms apart, each in the order of their times. */
export interface MixedSamples {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly histograms: readonly HistogramSample[];
  /** Of both kinds, where they are to be taken into account. */
  readonly starts?: StartTimestamps;
}

export interface TimedValue {
  readonly timestampMs: number;
  readonly value: SampleValue;
}

/** Both kinds in the order of their times. */
export function merged({ timestamps, values, histograms }: MixedSamples): TimedValue[] {
  const all: TimedValue[] = histograms.map(({ timestampMs, histogram }) => ({
    timestampMs,
    value: histogram,
  }));
  timestamps.forEach((timestampMs, i) => all.push({ timestampMs, value: values[i]! }));
  return all.sort((a, b) => a.timestampMs - b.timestampMs);
}
