import type { MonotonicityFix } from "../annotations.ts";

/** Cumulative buckets of a classic histogram: upper bounds and counts, `length` of them in use. */
export class Buckets {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  /** Buckets come in ascending order of their bounds; equal bounds are added up. */
  push(bound: number, count: number): void {
    if (this.length > 0 && this.bounds[this.length - 1] === bound) {
      this.counts[this.length - 1]! += count;
      return;
    }
    this.bounds[this.length] = bound;
    this.counts[this.length++] = count;
  }

  get hasInfinity(): boolean {
    return this.length > 0 && this.bounds[this.length - 1] === Infinity;
  }
}

/** Relative differences between counts below this come from adding floats and are passed over in silence. */
const smallDeltaTolerance = 1e-12;
const smallestNormal = 2.2250738585072014e-308;

/** What had to be changed so that counts do not decrease. */
export type Decrease = Pick<MonotonicityFix, "minBucket" | "maxBucket" | "maxDiff">;

/** Makes the counts non-decreasing; returns what was wrong, if more than rounding. */
export function forceMonotonic(buckets: Buckets): Decrease | undefined {
  const { bounds, counts } = buckets;
  let decrease: Decrease | undefined;
  let previous = counts[0]!;
  for (let i = 1; i < buckets.length; i++) {
    const count = counts[i]!;
    if (count === previous) continue;
    if (almostEqual(previous, count, smallDeltaTolerance)) {
      counts[i] = previous;
    } else if (count < previous) {
      counts[i] = previous;
      decrease ??= { minBucket: Infinity, maxBucket: -Infinity, maxDiff: 0 };
      decrease.minBucket = Math.min(decrease.minBucket, bounds[i]!);
      decrease.maxBucket = Math.max(decrease.maxBucket, bounds[i]!);
      decrease.maxDiff = Math.max(decrease.maxDiff, previous - count);
    } else {
      previous = count;
    }
  }
  return decrease;
}

function almostEqual(a: number, b: number, tolerance: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < smallestNormal) return difference < tolerance * smallestNormal;
  return difference / Math.min(sum, Number.MAX_VALUE) < tolerance;
}

/** The φ-quantile of monotonic buckets, φ in [0, 1], by linear interpolation inside a bucket. */
export function bucketQuantile(phi: number, { bounds, counts, length }: Buckets): number {
  if (length < 2) return NaN;
  const observations = counts[length - 1]!;
  if (observations === 0) return NaN;
  let rank = phi * observations;
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (counts[middle]! >= rank) high = middle;
    else low = middle + 1;
  }
  if (low === length - 1) return bounds[length - 2]!;
  if (low === 0 && bounds[0]! <= 0) return bounds[0]!;
  let start = 0;
  let count = counts[low]!;
  if (low > 0) {
    start = bounds[low - 1]!;
    count -= counts[low - 1]!;
    rank -= counts[low - 1]!;
  }
  return start + (bounds[low]! - start) * (rank / count);
}

/** The share of observations between two bounds, by linear interpolation inside buckets. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  const { counts, length } = buckets;
  const total = counts[length - 1]!;
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, total) - rankOf(lower, buckets, total)) / total;
}

/** How many observations lie below `value`. */
function rankOf(value: number, { bounds, counts, length }: Buckets, total: number): number {
  let rank = 0;
  let start = bounds[0]! <= 0 ? -Infinity : 0;
  for (let i = 0; i < length; i++) {
    if (i > 0) start = bounds[i - 1]!;
    const end = bounds[i]!;
    const count = counts[i]!;
    if (start >= value) return Math.min(rank, total);
    if (end > value) {
      // Nothing can be said about where observations lie in a bucket without a lower end.
      const inside = start === -Infinity ? count : rank + ((count - rank) * (value - start)) / (end - start);
      return inside > total ? total : inside;
    }
    rank = count;
  }
  return total;
}
