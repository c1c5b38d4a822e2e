import { NarthexError } from "../../base/index.ts";
import {
  type Buckets,
  customBucketsSchema,
  exponentialSchemaMax,
  exponentialSchemaMin,
  type Histogram,
  isValidSchema,
} from "./histogram.ts";

/** Throws `bad_data` in upstream's words unless the float histogram is sound. Its buckets need not add up to its count exactly. */
export function validateFloatHistogram(histogram: Histogram): void {
  validateLayout(histogram);
  if (histogram.schema !== customBucketsSchema) {
    checkCounts(histogram.negative, "negative side: ");
    if (histogram.zeroCount < 0)
      fail(`zero bucket has observation count of ${histogram.zeroCount}: ${negativeBucket}`);
  }
  if (histogram.count < 0)
    fail(`observation count is  ${histogram.count}: histogram's observation count is negative`);
  checkCounts(histogram.positive, "positive side: ");
}

/** Throws `bad_data` unless the integer histogram is sound: its buckets hold all observations but those of NaN. */
export function validateIntegerHistogram(histogram: Histogram): void {
  validateLayout(histogram);
  const { positive, negative, zeroCount, count, sum } = histogram;
  checkCounts(negative, "negative side: ");
  checkCounts(positive, "positive side: ");
  const total = [...positive.counts, ...negative.counts].reduce((sum, value) => sum + value, zeroCount);
  const found = `${total} observations found in buckets, but the Count field is ${count}: histogram's observation count should`;
  if (Number.isNaN(sum)) {
    if (total > count) fail(`${found} be at least the number of observations found in the buckets`);
  } else if (total !== count) {
    fail(`${found} equal the number of observations found in the buckets (in absence of NaN)`);
  }
}

export function invalidSchemaError(schema: number): NarthexError {
  return new NarthexError(
    "bad_data",
    `histogram has an invalid schema, which must be between ${exponentialSchemaMin} and ${exponentialSchemaMax} ` +
      `for exponential buckets, or ${customBucketsSchema} for custom buckets, got schema ${schema}`,
  );
}

function validateLayout(histogram: Histogram): void {
  if (!isValidSchema(histogram.schema)) throw invalidSchemaError(histogram.schema);
  if (histogram.schema === customBucketsSchema) validateCustomLayout(histogram);
  else if (histogram.customBounds.length > 0)
    fail("histogram with exponential schema must not have custom bounds");
}

function validateCustomLayout({ customBounds, positive, negative, ...zero }: Histogram): void {
  checkBounds(customBounds);
  const span = (positive.indices.at(-1) ?? -1) + 1;
  if (positive.indices.length > 0 && positive.indices[0]! < 0) {
    fail(
      `custom buckets: span number 1 with offset ${positive.indices[0]}: histogram has a span whose offset is negative`,
    );
  }
  if (customBounds.length + 1 < span) {
    fail(
      `custom buckets: only ${customBounds.length} custom bounds defined which is insufficient to cover ` +
        `total span length of ${span}: histogram custom bounds are too few`,
    );
  }
  if (zero.zeroCount !== 0) fail("custom buckets: must have zero count of 0");
  if (zero.zeroThreshold !== 0) fail("custom buckets: must have zero threshold of 0");
  if (negative.indices.length > 0) fail("custom buckets: must not have negative spans");
}

function checkBounds(bounds: readonly number[]): void {
  let previous = -Infinity;
  bounds.forEach((bound, i) => {
    if (Number.isNaN(bound)) fail("custom buckets: histogram custom bounds must not be NaN");
    if (i > 0 && bound <= previous) {
      fail(
        `custom buckets: previous bound is ${fixed(previous)} and current is ${fixed(bound)}: ` +
          "histogram custom bounds must be in strictly increasing order",
      );
    }
    previous = bound;
  });
  if (previous === Infinity) {
    fail(
      "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite",
    );
  }
}

function fixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(6) : value > 0 ? "+Inf" : "-Inf";
}

const negativeBucket = "histogram has a bucket whose observation count is negative";

function checkCounts({ counts }: Buckets, side: string): void {
  const at = counts.findIndex((count) => count < 0);
  if (at >= 0)
    fail(`${side}bucket number ${at + 1} has observation count of ${counts[at]}: ${negativeBucket}`);
}

function fail(message: string): never {
  throw new NarthexError("bad_data", message);
}
