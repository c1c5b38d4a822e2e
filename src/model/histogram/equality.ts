import { type Buckets, hasCustomBuckets, type Histogram, sameNumbers } from "./histogram.ts";

/**
 * Whether two histograms hold the same data in the same explicit buckets. −0 is not 0; all NaNs are one, for their bits do not
 * survive in JavaScript. Hints are not data.
 */
export function equalHistograms(a: Histogram, b: Histogram): boolean {
  if (a.isStale || b.isStale) return a.isStale === b.isStale;
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    (!hasCustomBuckets(a) || sameNumbers(a.customBounds, b.customBounds)) &&
    equalBuckets(a.positive, b.positive) &&
    equalBuckets(a.negative, b.negative)
  );
}

function equalBuckets(a: Buckets, b: Buckets): boolean {
  return sameNumbers(a.indices, b.indices) && a.counts.every((count, i) => Object.is(count, b.counts[i]));
}
