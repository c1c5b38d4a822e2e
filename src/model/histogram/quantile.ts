import { exp2, log2 } from "./binary-logarithm.ts";
import { allBuckets, type Bucket, bucketAt, bucketCount, observationsAt } from "./bucket.ts";
import { hasCustomBuckets, type Histogram } from "./histogram.ts";

/** What observations of NaN did to a quantile: it is NaN for there is no bucket at its rank, or it is too high. */
export type QuantileRemark = "nan" | "skewed";

/**
 * The φ-quantile: exponential interpolation in exponential buckets, linear in the zero bucket (from 0 on if the other side has no
 * buckets) and in custom ones. Observations of NaN rank above all others.
 */
export function histogramQuantile(
  phi: number,
  histogram: Histogram,
): { value: number; remark?: QuantileRemark } {
  if (phi < 0) return { value: -Infinity };
  if (phi > 1) return { value: Infinity };
  if (histogram.count === 0 || Number.isNaN(phi)) return { value: NaN };
  const hasNaN = Number.isNaN(histogram.sum);
  const isUpwards = hasNaN || phi < 0.5;
  const rank = (isUpwards ? phi : 1 - phi) * histogram.count;
  const hit = bucketAtRank(histogram, rank, isUpwards);
  const bucket = withNaturalZero(hit.bucket, histogram);
  if (hasCustomBuckets(histogram)) {
    if (hit.bucket.lower === -Infinity && bucket.upper <= 0) return { value: bucket.upper };
    if (hit.bucket.lower !== -Infinity && bucket.upper === Infinity) return { value: bucket.lower };
  }
  const reached = Math.min(hit.reached, histogram.count);
  if (reached < rank) return hasNaN ? { value: NaN, remark: "nan" } : { value: bucket.upper };
  const inBucket = isUpwards ? rank - (reached - bucket.count) : reached - rank;
  const value = interpolate(bucket, inBucket / bucket.count, hasCustomBuckets(histogram));
  return hasNaN && sumOfBuckets(histogram) < histogram.count ? { value, remark: "skewed" } : { value };
}

function sumOfBuckets(histogram: Histogram): number {
  let total = 0;
  for (let i = 0; i < bucketCount(histogram); i++) total += observationsAt(histogram, i);
  return total;
}

/** The first bucket, from the lowest upwards or from the highest downwards, with which as many observations as the rank says are reached, else the last. */
function bucketAtRank(
  histogram: Histogram,
  rank: number,
  isUpwards: boolean,
): { bucket: Bucket; reached: number } {
  const length = bucketCount(histogram);
  if (length === 0) return { bucket: nothing, reached: 0 };
  const last = isUpwards ? length - 1 : 0;
  const step = isUpwards ? 1 : -1;
  let reached = 0;
  for (let i = length - 1 - last; ; i += step) {
    const count = observationsAt(histogram, i);
    reached += count;
    if ((count !== 0 && reached >= rank) || i === last) return { bucket: bucketAt(histogram, i), reached };
  }
}

const nothing: Bucket = { lower: 0, upper: 0, lowerInclusive: true, upperInclusive: true, count: 0 };

/** A zero bucket ends at 0 on the side that has no buckets, the lowest custom bucket begins at 0 if it reaches above. */
function withNaturalZero(bucket: Bucket, histogram: Histogram): Bucket {
  if (hasCustomBuckets(histogram)) {
    return bucket.lower === -Infinity && bucket.upper > 0 ? { ...bucket, lower: 0 } : bucket;
  }
  if (!(bucket.lower < 0 && bucket.upper > 0)) return bucket;
  return oneSided(bucket, histogram);
}

function oneSided(bucket: Bucket, { positive, negative }: Histogram): Bucket {
  const hasPositive = positive.indices.length > 0;
  const hasNegative = negative.indices.length > 0;
  if (hasPositive === hasNegative) return bucket;
  return hasPositive ? { ...bucket, lower: 0 } : { ...bucket, upper: 0 };
}

/** The value that lies at `fraction` of the bucket's observations, 0 being its lower bound. */
function interpolate({ lower, upper }: Bucket, fraction: number, isCustom: boolean): number {
  if (isCustom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  if (lower > 0) return exp2(logLower + (logUpper - logLower) * fraction);
  return -exp2(logUpper + (logLower - logUpper) * (1 - fraction));
}

/** The inverse of `interpolate`: which fraction of the bucket's observations lies below a value inside it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, isLinear: boolean): number {
  if (isLinear) return (value - lower) / (upper - lower);
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  const logValue = log2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/**
 * The share of observations between two values, interpolated as `quantile` does. Observations of NaN are in no range;
 * `excludesNaN` says that there were some.
 */
export function histogramFraction(
  lower: number,
  upper: number,
  histogram: Histogram,
): { value: number; excludesNaN: boolean } {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper))
    return { value: NaN, excludesNaN: false };
  if (lower >= upper) return { value: 0, excludesNaN: false };
  const buckets = allBuckets(histogram);
  const hasNaN = Number.isNaN(histogram.sum);
  const inBuckets = hasNaN ? sumOfBuckets(histogram) : histogram.count;
  const upTo = (value: number): number => {
    const rank = rankOf(value, buckets, histogram);
    return rank === undefined || rank > inBuckets ? inBuckets : rank;
  };
  return {
    value: (upTo(upper) - upTo(lower)) / histogram.count,
    excludesNaN: hasNaN && inBuckets < histogram.count,
  };
}

/** How many observations lie below a value; undefined where it is above all buckets. */
function rankOf(value: number, buckets: readonly Bucket[], histogram: Histogram): number | undefined {
  const isCustom = hasCustomBuckets(histogram);
  let rank = 0;
  for (const whole of buckets) {
    const isZero = whole.lower <= 0 && whole.upper >= 0;
    const bucket = isZero ? oneSided(whole, histogram) : whole;
    if (bucket.lower >= value) return rank;
    if (bucket.upper > value) {
      const isLinear = isCustom || isZero;
      // Nothing can be said about where observations lie in a bucket without a lower end.
      if (isLinear && bucket.lower === -Infinity) return bucket.count;
      return rank + bucket.count * fractionBelow(bucket, value, isLinear);
    }
    rank += bucket.count;
  }
  return undefined;
}
