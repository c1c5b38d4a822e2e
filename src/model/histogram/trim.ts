import { negativeBucket, positiveBucket, zeroBucket, type Bucket } from "./bucket.ts";
import { type Buckets, hasCustomBuckets, type Histogram } from "./histogram.ts";
import { compactHistogram } from "./layout.ts";
import { fractionBelow } from "./quantile.ts";

/** What of a bucket's observations stays, and where they are taken to lie when the sum is estimated anew. */
interface Rest {
  readonly count: number;
  readonly middle: number;
}

/** The histogram of the observations up to `limit` (`</`). Where nothing is cut off, the very same histogram. */
export function trimHistogramAbove(histogram: Histogram, limit: number): Histogram {
  return trim(histogram, {
    keepsAll: ({ upper }) => upper <= limit,
    keepsSome: ({ lower }) => lower < limit,
    cut: (bucket, shape) => restBelow(bucket, limit, shape),
    cutZero: (bucket) => zeroRestBelow(bucket, limit),
  });
}

/** The histogram of the observations from `limit` on (`>/`). */
export function trimHistogramBelow(histogram: Histogram, limit: number): Histogram {
  return trim(histogram, {
    keepsAll: ({ lower }) => lower >= limit,
    keepsSome: ({ upper }) => upper > limit,
    cut: (bucket, shape) => restAbove(bucket, limit, shape),
    cutZero: (bucket) => zeroRestAbove(bucket, limit),
  });
}

interface Cut {
  keepsAll(bucket: Bucket): boolean;
  keepsSome(bucket: Bucket): boolean;
  cut(bucket: Bucket, shape: Shape): Rest;
  cutZero(bucket: Bucket): Rest;
}

/** How observations are spread inside a bucket. */
interface Shape {
  readonly isLinear: boolean;
  readonly isPositive: boolean;
}

function trim(histogram: Histogram, cut: Cut): Histogram {
  const isLinear = hasCustomBuckets(histogram);
  let count = 0;
  let sum = 0;
  const keep = (rest: Rest): number => {
    count += rest.count;
    sum += rest.middle * rest.count;
    return rest.count;
  };
  const side = (buckets: Buckets, bucketAt: (i: number) => Bucket, shape: Shape): Buckets => {
    const counts = buckets.counts.map((original, i) => {
      if (original === 0) return 0;
      const bucket = bucketAt(i);
      if (cut.keepsAll(bucket))
        return keep({ count: original, middle: middleOf(bucket.lower, bucket.upper, shape) });
      return cut.keepsSome(bucket) ? keep(cut.cut(bucket, shape)) : 0;
    });
    return { indices: buckets.indices, counts };
  };
  const positive = side(histogram.positive, (i) => positiveBucket(histogram, i), {
    isLinear,
    isPositive: true,
  });
  const negative = side(histogram.negative, (i) => negativeBucket(histogram, i), {
    isLinear,
    isPositive: false,
  });
  const { zeroCount: zeroBefore } = histogram;
  const zeroCount = zeroBefore > 0 ? keep(cut.cutZero(oneSidedZero(histogram))) : zeroBefore;
  const isSame =
    zeroCount === zeroBefore &&
    positive.counts.every((kept, i) => kept === histogram.positive.counts[i]) &&
    negative.counts.every((kept, i) => kept === histogram.negative.counts[i]);
  return isSame ? histogram : compactHistogram({ ...histogram, positive, negative, zeroCount, count, sum });
}

/** The zero bucket, ending at 0 on the side where nothing is populated. */
function oneSidedZero(histogram: Histogram): Bucket {
  const bucket = zeroBucket(histogram);
  const hasPositive = histogram.positive.counts.some((count) => count !== 0);
  const hasNegative = histogram.negative.counts.some((count) => count !== 0);
  if (hasPositive === hasNegative) return bucket;
  return hasPositive ? { ...bucket, lower: 0 } : { ...bucket, upper: 0 };
}

function zeroRestBelow({ lower, upper, count }: Bucket, limit: number): Rest {
  if (limit <= lower) return { count: 0, middle: 0 };
  if (limit >= upper) return { count, middle: (lower + upper) / 2 };
  return { count: count * ((limit - lower) / (upper - lower)), middle: (lower + limit) / 2 };
}

function zeroRestAbove({ lower, upper, count }: Bucket, limit: number): Rest {
  if (limit <= lower) return { count, middle: (lower + upper) / 2 };
  if (limit >= upper) return { count: 0, middle: 0 };
  return { count: count * ((upper - limit) / (upper - lower)), middle: (limit + upper) / 2 };
}

/** What lies in (lower, limit]. */
function restBelow(bucket: Bucket, limit: number, shape: Shape): Rest {
  const { lower, upper, count } = bucket;
  if (lower === -Infinity) {
    // Only custom buckets have no lower end; observations in one that reaches above 0 are taken to be positive.
    if (limit >= upper) return { count, middle: 0 };
    if (limit > 0 && upper > 0 && upper !== Infinity)
      return { count: (count * limit) / upper, middle: limit / 2 };
    return upper <= 0 ? { count, middle: limit } : { count: 0, middle: 0 };
  }
  if (upper === Infinity) return { count: 0, middle: 0 };
  return { count: countBelow(bucket, limit, shape.isLinear), middle: middleOf(lower, limit, shape) };
}

/** What lies in (limit, upper]. */
function restAbove(bucket: Bucket, limit: number, shape: Shape): Rest {
  const { lower, upper, count } = bucket;
  if (lower === -Infinity) {
    if (limit === -Infinity) return { count, middle: 0 };
    if (limit >= 0 && upper > limit && upper !== Infinity) {
      return { count: count * (1 - limit / upper), middle: (limit + upper) / 2 };
    }
    return { count: 0, middle: 0 };
  }
  if (upper === Infinity) return limit >= lower ? { count, middle: limit } : { count: 0, middle: 0 };
  return {
    count: count - countBelow(bucket, limit, shape.isLinear),
    middle: middleOf(limit, upper, shape),
  };
}

function countBelow(bucket: Bucket, limit: number, isLinear: boolean): number {
  if (limit <= bucket.lower) return 0;
  if (limit >= bucket.upper) return bucket.count;
  return bucket.count * fractionBelow(bucket, limit, isLinear);
}

/** Arithmetic in custom buckets, geometric in exponential ones; towards the finite end of an infinite one. */
function middleOf(lower: number, upper: number, { isLinear, isPositive }: Shape): number {
  if (lower === -Infinity || lower === Infinity) {
    if (upper === Infinity || upper === -Infinity) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (upper === Infinity || upper === -Infinity) return lower;
  if (isLinear) return (lower + upper) / 2;
  const geometric = Math.sqrt(Math.abs(lower * upper));
  return isPositive ? geometric : -geometric;
}
