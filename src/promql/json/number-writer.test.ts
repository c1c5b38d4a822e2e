import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatValue } from "../../model/index.ts";
import { numberBytesMax, writeNumber, writeTimestamp } from "./number-writer.ts";

function written(write: (bytes: Uint8Array, at: number) => number): string {
  const bytes = new Uint8Array(numberBytesMax);
  return new TextDecoder().decode(bytes.subarray(0, write(bytes, 0)));
}

test("numbers are written as formatValue does, whatever they are", () => {
  const numbers = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ min: -1e6, max: 1e6 }),
  );
  fc.assert(
    fc.property(numbers, (value) => {
      assert.equal(
        written((bytes, at) => writeNumber(bytes, at, value)),
        formatValue(value),
      );
    }),
  );
  for (const value of [
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    1e15,
    -1e15,
    1e21,
    1e-7,
    5e-324,
    99_999_999,
    100_000_000,
    -1,
  ]) {
    assert.equal(
      written((bytes, at) => writeNumber(bytes, at, value)),
      formatValue(value),
    );
  }
});

test("timestamps are seconds with three decimals or none", () => {
  const text = (timestampMs: number): string =>
    written((bytes, at) => writeTimestamp(bytes, at, timestampMs));
  assert.equal(text(1_435_781_430_781), "1435781430.781");
  assert.equal(text(1_435_781_430_000), "1435781430");
  assert.equal(text(1_435_781_430_001), "1435781430.001");
  assert.equal(text(0), "0");
  assert.equal(text(-1500), "-1.500");
});
