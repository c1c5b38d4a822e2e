import { customBucketsSchema } from "./histogram.ts";

/** 2^(i/256) / 2 for i from 0 to 255; each lower schema uses every second one of the next higher. */
const fractions = computeFractions();

/**
 * Upstream publishes its bounds as a table; bounds that differ in one bit would be other buckets. Its numbers are the products
 * of repeated square roots of 2, the first of which it has rounded down.
 */
function computeFractions(): Float64Array {
  const roots = [Math.SQRT2 - 2 ** -52];
  for (let root = Math.SQRT2; roots.length < 8;) roots.push((root = Math.sqrt(root)));
  return Float64Array.from({ length: 256 }, (_, i) =>
    roots.reduce((product, root, bit) => (i & (128 >> bit) ? product * root : product), 0.5),
  );
}

/**
 * The upper bound of bucket `index` of the positive side of an exponential schema. The last bucket of finite numbers ends at
 * the largest of them, so that the one behind it counts infinite observations only.
 */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const perDoubling = 2 ** schema;
  const exponent = Math.floor(index / perDoubling);
  const position = index - exponent * perDoubling;
  if (position === 0 && exponent === 1024) return Number.MAX_VALUE;
  return scale(fractions[position << (8 - schema)]!, exponent + 1);
}

/** The upper bound of bucket `index`; that of −1 is the lower bound of the first custom bucket. */
export function bucketUpperBound(index: number, schema: number, customBounds: readonly number[]): number {
  if (schema !== customBucketsSchema) return exponentialBound(index, schema);
  if (index < 0) return -Infinity;
  return index < customBounds.length ? customBounds[index]! : Infinity;
}

/** `value · 2^exponent`, in two steps where the power alone would overflow or be rounded. */
function scale(value: number, exponent: number): number {
  if (exponent > 1023) return value * 2 ** 1023 * 2 ** (exponent - 1023);
  if (exponent < -1000) return value * 2 ** -1000 * 2 ** Math.max(exponent + 1000, -1074);
  return value * 2 ** exponent;
}

/** The bucket of a lower schema that holds bucket `index` of a higher one. */
export function reducedIndex(index: number, schema: number, targetSchema: number): number {
  return Math.floor((index - 1) / 2 ** (schema - targetSchema)) + 1;
}
