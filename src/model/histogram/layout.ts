import { assert } from "../../base/index.ts";
import { exponentialBound, reducedIndex } from "./bounds.ts";
import { withoutEmpty } from "./bucket.ts";
import { type Buckets, hasCustomBuckets, type Histogram, isExponentialSchema } from "./histogram.ts";

/** The histogram without empty buckets, but with those that lie in gaps of at most `maxEmptyBuckets`. */
export function compactHistogram(histogram: Histogram, maxEmptyBuckets = 0): Histogram {
  const positive = compactBuckets(histogram.positive, maxEmptyBuckets);
  const negative = compactBuckets(histogram.negative, maxEmptyBuckets);
  if (positive === histogram.positive && negative === histogram.negative) return histogram;
  return { ...histogram, positive, negative };
}

function compactBuckets(buckets: Buckets, maxEmptyBuckets: number): Buckets {
  const populated = withoutEmpty(buckets);
  if (maxEmptyBuckets === 0) return populated.indices === buckets.indices ? buckets : populated;
  const indices: number[] = [];
  const counts: number[] = [];
  populated.indices.forEach((index, i) => {
    const next = (indices.at(-1) ?? index - 1) + 1;
    if (index - next <= maxEmptyBuckets) {
      for (let gap = next; gap < index; gap++) {
        indices.push(gap);
        counts.push(0);
      }
    }
    indices.push(index);
    counts.push(populated.counts[i]!);
  });
  return { indices, counts };
}

/**
 * The histogram in a lower exponential schema; what fell into several buckets is counted in the one that holds them. The hint
 * stays: whoever compares histograms of different schemas decides what it means.
 */
export function reduceResolution(histogram: Histogram, schema: number): Histogram {
  if (schema === histogram.schema) return histogram;
  assert(!hasCustomBuckets(histogram), "custom buckets have no resolution to reduce");
  assert(schema < histogram.schema, "resolution can be reduced only");
  return {
    ...histogram,
    schema,
    positive: reduceBuckets(histogram.positive, histogram.schema, schema),
    negative: reduceBuckets(histogram.negative, histogram.schema, schema),
  };
}

export function reduceBuckets({ indices, counts }: Buckets, schema: number, targetSchema: number): Buckets {
  const targetIndices: number[] = [];
  const targetCounts: number[] = [];
  indices.forEach((index, i) => {
    const target = reducedIndex(index, schema, targetSchema);
    if (targetIndices.at(-1) === target) targetCounts[targetCounts.length - 1]! += counts[i]!;
    else {
      targetIndices.push(target);
      targetCounts.push(counts[i]!);
    }
  });
  return { indices: targetIndices, counts: targetCounts };
}

/**
 * Two exponential histograms with one zero threshold: the larger of theirs, moved up to the border of a populated bucket it
 * would cut through. What lies below is counted in the zero buckets.
 */
export function reconcileZeroBuckets(a: Histogram, b: Histogram): [Histogram, Histogram] {
  while (a.zeroThreshold !== b.zeroThreshold) {
    if (a.zeroThreshold > b.zeroThreshold) b = withZeroThreshold(b, a.zeroThreshold);
    else a = withZeroThreshold(a, b.zeroThreshold);
  }
  return [a, b];
}

/** The histogram with a larger zero bucket, of at least the given threshold. */
export function withZeroThreshold(histogram: Histogram, least: number): Histogram {
  const zeroThreshold = zeroThresholdFrom(histogram, least);
  const { schema, positive, negative } = histogram;
  const inPositive = countInside(positive, schema, zeroThreshold);
  const inNegative = countInside(negative, schema, zeroThreshold);
  let { zeroCount } = histogram;
  for (let i = 0; i < inPositive; i++) zeroCount += positive.counts[i]!;
  for (let i = 0; i < inNegative; i++) zeroCount += negative.counts[i]!;
  return {
    ...histogram,
    zeroThreshold,
    zeroCount,
    positive: withoutEmpty(withoutFirst(positive, inPositive)),
    negative: withoutEmpty(withoutFirst(negative, inNegative)),
  };
}

/** The smallest threshold of at least `least` that no populated bucket of either side straddles. */
export function zeroThresholdFrom({ schema, positive, negative }: Histogram, least: number): number {
  let threshold = least;
  for (;;) {
    const end = straddlingEnd(positive, schema, threshold) ?? straddlingEnd(negative, schema, threshold);
    if (end === undefined) return threshold;
    threshold = end;
  }
}

function straddlingEnd({ indices, counts }: Buckets, schema: number, threshold: number): number | undefined {
  for (let i = 0; i < indices.length; i++) {
    if (exponentialBound(indices[i]! - 1, schema) >= threshold) return undefined;
    const end = exponentialBound(indices[i]!, schema);
    if (end > threshold && counts[i] !== 0) return end;
  }
  return undefined;
}

/** How many listed buckets begin below the threshold. */
export function countInside({ indices }: Buckets, schema: number, threshold: number): number {
  let inside = 0;
  while (inside < indices.length && exponentialBound(indices[inside]! - 1, schema) < threshold) inside++;
  return inside;
}

/** How many listed buckets end within the threshold; custom buckets know no zero bucket. */
export function countWithin({ indices }: Buckets, schema: number, threshold: number): number {
  if (threshold === 0 || !isExponentialSchema(schema)) return 0;
  let within = 0;
  while (within < indices.length && exponentialBound(indices[within]!, schema) <= threshold) within++;
  return within;
}

export function withoutFirst(buckets: Buckets, count: number): Buckets {
  if (count === 0) return buckets;
  return { indices: buckets.indices.slice(count), counts: buckets.counts.slice(count) };
}

/** The bounds that both ascending lists have. */
export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const known = new Set(b);
  return a.filter((bound) => known.has(bound));
}

/** How many observations each bucket of fewer `targetBounds` holds: a count for every one of them. */
export function countsBetweenBounds(histogram: Histogram, targetBounds: readonly number[]): number[] {
  const totals = Array.from({ length: targetBounds.length + 1 }, () => 0);
  targetBuckets(histogram, targetBounds).forEach((target, i) => {
    totals[target]! += histogram.positive.counts[i]!;
  });
  return totals;
}

/** For each listed bucket: its bucket among fewer `targetBounds`. */
export function targetBuckets(
  { positive, customBounds }: Histogram,
  targetBounds: readonly number[],
): number[] {
  let target = 0;
  return positive.indices.map((index) => {
    if (index >= customBounds.length) return targetBounds.length;
    while (target < targetBounds.length && targetBounds[target]! < customBounds[index]!) target++;
    return target;
  });
}
