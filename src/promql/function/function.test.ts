import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Buckets, bucketFraction, bucketQuantile, forceMonotonic } from "./buckets.ts";
import { dateFunctions } from "./date.ts";
import { compareNatural } from "./natural-order.ts";
import { quantile } from "./quantile.ts";

function buckets(pairs: readonly (readonly [bound: number, count: number])[]): Buckets {
  const made = new Buckets(pairs.length);
  for (const [bound, count] of pairs) made.push(bound, count);
  return made;
}

test("dates agree with JavaScript's where it has them", () => {
  const seconds = fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 });
  fc.assert(
    fc.property(seconds, (second) => {
      const date = new Date(second * 1000);
      const year = date.getUTCFullYear();
      const newYear = new Date(0);
      newYear.setUTCFullYear(year, 0, 1);
      const nextMonth = new Date(0);
      nextMonth.setUTCFullYear(year, date.getUTCMonth() + 1, 0);
      const expected = {
        year,
        month: date.getUTCMonth() + 1,
        day_of_month: date.getUTCDate(),
        day_of_week: date.getUTCDay(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        day_of_year: Math.floor((second * 1000 - newYear.getTime()) / 86_400_000) + 1,
        days_in_month: nextMonth.getUTCDate(),
      };
      for (const [name, value] of Object.entries(expected)) {
        // The year before the last day JavaScript knows has no first of January for it.
        if (!Number.isNaN(value)) assert.equal(dateFunctions[name]!(second), value, `${name} of ${second}`);
      }
    }),
  );
});

test("quantiles interpolate between ranks, NaN first", () => {
  assert.equal(quantile(0.5, Float64Array.of(3, 1, 2)), 2);
  assert.equal(quantile(0.25, Float64Array.of(1, 2)), 1.25);
  assert.equal(quantile(1, Float64Array.of(5, NaN, 7)), 7);
  assert.equal(quantile(0, Float64Array.of(5, NaN, 7)), NaN);
  assert.equal(quantile(0.5, Float64Array.of(5, NaN, 7)), 5);
  assert.equal(quantile(-1, Float64Array.of(1)), -Infinity);
  assert.equal(quantile(2, Float64Array.of(1)), Infinity);
  assert.equal(quantile(NaN, Float64Array.of(1)), NaN);
  assert.equal(quantile(0.5, new Float64Array(0)), NaN);
});

test("bucket quantiles", () => {
  const latencies = buckets([
    [0.1, 10],
    [1, 30],
    [Infinity, 40],
  ]);
  assert.equal(bucketQuantile(0.125, latencies), 0.05);
  assert.equal(bucketQuantile(0.5, latencies), 0.55);
  assert.equal(bucketQuantile(0.99, latencies), 1);
  assert.equal(
    bucketQuantile(
      0.1,
      buckets([
        [-1, 10],
        [Infinity, 10],
      ]),
    ),
    -1,
  );
  assert.equal(
    bucketQuantile(
      0.5,
      buckets([
        [1, 0],
        [Infinity, 0],
      ]),
    ),
    NaN,
  );
  assert.equal(bucketQuantile(0.5, buckets([[Infinity, 3]])), NaN);
});

test("bucket fractions", () => {
  const latencies = buckets([
    [1, 10],
    [2, 30],
    [Infinity, 40],
  ]);
  assert.equal(bucketFraction(0, 1, latencies), 0.25);
  assert.equal(bucketFraction(1, 1.5, latencies), 0.25);
  assert.equal(bucketFraction(-Infinity, Infinity, latencies), 1);
  assert.equal(bucketFraction(2, 1, latencies), 0);
  assert.equal(bucketFraction(NaN, 1, latencies), NaN);
});

test("counts never decrease; rounding is passed over, more is told", () => {
  const rounded = buckets([
    [1, 10],
    [2, 10 - 1e-14],
    [Infinity, 20],
  ]);
  assert.equal(forceMonotonic(rounded), undefined);
  assert.deepEqual([...rounded.counts], [10, 10, 20]);
  const broken = buckets([
    [1, 10],
    [2, 7],
    [4, 9],
    [Infinity, 20],
  ]);
  assert.deepEqual(forceMonotonic(broken), { minBucket: 2, maxBucket: 4, maxDiff: 3 });
  assert.deepEqual([...broken.counts], [10, 10, 10, 20]);
});

test("natural order takes digits as numbers", () => {
  const names = ["cpu10", "cpu2", "cpu1", "mem", "cpu", "10", "9"];
  assert.deepEqual(names.sort(compareNatural), ["9", "10", "cpu", "cpu1", "cpu2", "cpu10", "mem"]);
  // By their bytes, as everywhere: JavaScript takes what is beyond 16 bits for less than U+FF5E.
  assert.ok(compareNatural("\u{1F600}", "\uFF5E") > 0);
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      assert.equal(Math.sign(compareNatural(a, b)), -Math.sign(compareNatural(b, a)) + 0);
    }),
  );
});
