import { exponentialBound, bucketUpperBound } from "./bounds.ts";
import { type Buckets, hasCustomBuckets, type Histogram } from "./histogram.ts";

/** One bucket with its bounds. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
}

/** The positive buckets, upwards. */
export function* positiveBuckets(histogram: Histogram): Generator<Bucket> {
  const { positive } = histogram;
  for (let i = 0; i < positive.indices.length; i++) yield positiveBucket(histogram, i);
}

/** The negative buckets, away from zero: downwards. */
export function* negativeBuckets(histogram: Histogram): Generator<Bucket> {
  const { negative } = histogram;
  for (let i = 0; i < negative.indices.length; i++) yield negativeBucket(histogram, i);
}

/**
 * Every explicit bucket in ascending order, the zero bucket among them if it is populated. A bucket that reaches into the zero
 * bucket begins where that ends.
 */
export function allBuckets(histogram: Histogram): Bucket[] {
  return Array.from({ length: bucketCount(histogram) }, (_, i) => bucketAt(histogram, i));
}

/** How many buckets `allBuckets` lists. */
export function bucketCount({ positive, negative, zeroCount }: Histogram): number {
  return negative.indices.length + (zeroCount > 0 ? 1 : 0) + positive.indices.length;
}

/** The `i`th of `allBuckets`. */
export function bucketAt(histogram: Histogram, i: number): Bucket {
  const { negative, zeroCount, zeroThreshold } = histogram;
  const negatives = negative.indices.length;
  if (i < negatives) return outsideZero(negativeBucket(histogram, negatives - 1 - i), zeroThreshold);
  if (i === negatives && zeroCount > 0) return zeroBucket(histogram);
  return outsideZero(positiveBucket(histogram, i - negatives - (zeroCount > 0 ? 1 : 0)), zeroThreshold);
}

/** What the `i`th of `allBuckets` counts. */
export function observationsAt({ positive, negative, zeroCount }: Histogram, i: number): number {
  const negatives = negative.indices.length;
  if (i < negatives) return negative.counts[negatives - 1 - i]!;
  if (i === negatives && zeroCount > 0) return zeroCount;
  return positive.counts[i - negatives - (zeroCount > 0 ? 1 : 0)]!;
}

/** The buckets from −Inf up to each bound of the positive side, gaps included, as a classic histogram counts them. */
export function cumulativeBuckets(histogram: Histogram): { upper: number; count: number }[] {
  const { schema, positive, zeroCount, zeroThreshold, customBounds } = histogram;
  const cumulative: { upper: number; count: number }[] = [];
  let count = zeroCount;
  if (zeroCount > 0) cumulative.push({ upper: zeroThreshold, count });
  for (let i = 0; i < positive.indices.length; i++) {
    const index = positive.indices[i]!;
    for (let gap = i === 0 ? index : positive.indices[i - 1]! + 1; gap < index; gap++) {
      cumulative.push({ upper: bucketUpperBound(gap, schema, customBounds), count });
    }
    count += positive.counts[i]!;
    cumulative.push({ upper: bucketUpperBound(index, schema, customBounds), count });
  }
  return cumulative;
}

export function zeroBucket({ zeroThreshold, zeroCount }: Histogram): Bucket {
  return {
    lower: -zeroThreshold,
    upper: zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: zeroCount,
  };
}

/** The `i`th listed bucket of the positive side. */
export function positiveBucket(histogram: Histogram, i: number): Bucket {
  const { schema, positive, customBounds } = histogram;
  const index = positive.indices[i]!;
  const lower = bucketUpperBound(index - 1, schema, customBounds);
  return {
    lower,
    upper: bucketUpperBound(index, schema, customBounds),
    lowerInclusive: hasCustomBuckets(histogram) ? index === 0 : lower < 0,
    upperInclusive: true,
    count: positive.counts[i]!,
  };
}

/** The `i`th listed bucket of the negative side. */
export function negativeBucket({ schema, negative }: Histogram, i: number): Bucket {
  const index = negative.indices[i]!;
  return {
    lower: -exponentialBound(index, schema),
    upper: -exponentialBound(index - 1, schema),
    lowerInclusive: true,
    upperInclusive: false,
    count: negative.counts[i]!,
  };
}

function outsideZero(bucket: Bucket, threshold: number): Bucket {
  if (bucket.upper < 0 && bucket.upper > -threshold) return { ...bucket, upper: -threshold };
  if (bucket.lower > 0 && bucket.lower < threshold) return { ...bucket, lower: threshold };
  return bucket;
}

/** The buckets that hold something. */
export function withoutEmpty({ indices, counts }: Buckets): Buckets {
  if (!counts.includes(0)) return { indices, counts };
  return {
    indices: indices.filter((_, i) => counts[i] !== 0),
    counts: counts.filter((count) => count !== 0),
  };
}
