import { allBuckets, type Bucket } from "./bucket.ts";
import { hasCustomBuckets, type Histogram } from "./histogram.ts";
import { CompensatedSum } from "./compensated-sum.ts";

/** The mean of the observations. */
export function histogramAverage({ sum, count }: Histogram): number {
  return sum / count;
}

/** The estimated population variance of the observations, each taken to be in the middle of its bucket. */
export function histogramVariance(histogram: Histogram): number {
  const mean = histogramAverage(histogram);
  const isCustom = hasCustomBuckets(histogram);
  const total = new CompensatedSum();
  for (const bucket of allBuckets(histogram)) {
    if (bucket.count === 0) continue;
    const delta = middle(bucket, isCustom) - mean;
    total.add(bucket.count * delta * delta);
  }
  return (total.value + total.lost) / histogram.count;
}

/** The arithmetic middle of a custom bucket, 0 for the zero bucket, the geometric middle of an exponential one. */
function middle({ lower, upper }: Bucket, isCustom: boolean): number {
  if (isCustom) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const geometric = Math.sqrt(upper * lower);
  return upper < 0 ? -geometric : geometric;
}
