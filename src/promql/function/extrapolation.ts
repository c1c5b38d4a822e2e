/** The window (startMs, endMs], and what is asked of it. */
export interface RateWindow {
  readonly startMs: number;
  readonly endMs: number;
  /** Resets are taken into account. */
  readonly isCounter: boolean;
  /** Per second. */
  readonly isRate: boolean;
}

/** What the samples of a window say. */
export interface SampledIncrease {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
  /** The first sample, and the increase: values of floats, counts of histograms. */
  readonly first: number;
  readonly increase: number;
  /** When the counter was zero, where that is known; one sample is enough then. */
  readonly zeroMs: number | undefined;
}

/** By how much the increase between the samples is to be enlarged. */
export function extrapolation(
  { firstMs, lastMs, samples, first, increase, zeroMs }: SampledIncrease,
  { startMs, endMs, isCounter, isRate }: RateWindow,
): number {
  const between = (lastMs - firstMs) / 1000;
  const average = samples > 1 ? between / (samples - 1) : 0;
  const threshold = average * 1.1;
  const sampled = zeroMs === undefined ? between : (lastMs - zeroMs) / 1000;
  let toStart = zeroMs === undefined ? (firstMs - startMs) / 1000 : 0;
  let toEnd = (endMs - lastMs) / 1000;
  if (zeroMs === undefined) {
    if (toStart >= threshold) toStart = average / 2;
    // A counter cannot have been below zero before.
    if (isCounter && increase > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / increase));
  }
  if (toEnd >= threshold) toEnd = average / 2;
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
  return isRate ? factor / ((endMs - startMs) / 1000) : factor;
}
