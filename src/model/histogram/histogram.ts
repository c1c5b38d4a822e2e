/**
 * What is known about counter resets between a histogram and the one before it: `reset` and `not_reset` are certain, `unknown`
 * has to be found out by comparing, and `gauge` knows no resets.
 */
export type CounterReset = "unknown" | "reset" | "not_reset" | "gauge";

/**
 * The explicit buckets of one side: ascending indices and a count for each. Buckets that are not listed are empty; a listed
 * one may be. Both lists are never changed once made, so histograms of one layout can share their `indices`.
 */
export interface Buckets {
  readonly indices: readonly number[];
  readonly counts: readonly number[];
}

/**
 * A native histogram, an immutable value. Counts are absolute, and numbers: whole ones in an integer histogram (exact up to
 * 2⁵³), any in a float histogram. Which of the two a sample is, is said where samples are stored.
 *
 * With an exponential schema n, bucket i on the positive side is (2^((i−1)·2⁻ⁿ), 2^(i·2⁻ⁿ)], the negative side mirrors it, and
 * the zero bucket is [−zeroThreshold, zeroThreshold]. With custom buckets there is the positive side only: bucket i ends at
 * `customBounds[i]`, the one after the last bound ends at +Inf.
 */
export interface Histogram {
  readonly schema: number;
  readonly counterReset: CounterReset;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  /** Number of observations. Those of NaN are in no bucket. */
  readonly count: number;
  readonly sum: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  /** Strictly ascending and finite; empty with an exponential schema. Shared, never changed. */
  readonly customBounds: readonly number[];
  /** Says "this series ended here": then nothing else means anything. Storage keeps it in the bits of `sum`. */
  readonly isStale: boolean;
}

export const customBucketsSchema = -53;
export const exponentialSchemaMin = -4;
export const exponentialSchemaMax = 8;
/** Schemas from here on may come from elsewhere one day: below the minimum they are refused, above the maximum they are reduced. */
export const reservedSchemaMin = -9;
export const reservedSchemaMax = 52;

export const noBuckets: Buckets = { indices: [], counts: [] };

/** A histogram of the given fields, everything else zero, empty and `unknown`. */
export function createHistogram(fields: Partial<Histogram>): Histogram {
  return {
    schema: 0,
    counterReset: "unknown",
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positive: noBuckets,
    negative: noBuckets,
    customBounds: [],
    isStale: false,
    ...fields,
  };
}

/** The marker that ends a series of histograms. */
export const staleHistogram: Histogram = createHistogram({ sum: NaN, isStale: true });

export function isExponentialSchema(schema: number): boolean {
  return schema >= exponentialSchemaMin && schema <= exponentialSchemaMax;
}

export function isValidSchema(schema: number): boolean {
  return schema === customBucketsSchema || isExponentialSchema(schema);
}

export function isKnownSchema(schema: number): boolean {
  return schema === customBucketsSchema || (schema >= reservedSchemaMin && schema <= reservedSchemaMax);
}

export function hasCustomBuckets(histogram: Histogram): boolean {
  return histogram.schema === customBucketsSchema;
}

/** The same histogram with another hint. */
export function withCounterReset(histogram: Histogram, counterReset: CounterReset): Histogram {
  return histogram.counterReset === counterReset ? histogram : { ...histogram, counterReset };
}

/** The histogram without what is known of resets before it; that of a gauge stays one. */
export function withoutResets(histogram: Histogram): Histogram {
  return histogram.isStale || histogram.counterReset === "gauge"
    ? histogram
    : withCounterReset(histogram, "unknown");
}

/** Whether two ascending lists (bucket indices, custom bounds) are the same. Lists are often shared, so this is mostly one comparison. */
export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What a histogram takes in Prometheus' memory, in bytes: the unit in which queries count histogram samples. */
export function histogramBytes(histogram: Histogram): number {
  const { positive, negative, customBounds } = histogram;
  const spans = spanCount(positive.indices) + spanCount(negative.indices);
  return 168 + 8 * (spans + positive.counts.length + negative.counts.length + customBounds.length);
}

function spanCount(indices: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < indices.length; i++) if (i === 0 || indices[i] !== indices[i - 1]! + 1) count++;
  return count;
}
