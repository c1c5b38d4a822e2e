import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readFloat, readTimestampMs } from "./number.ts";

function read(text: string): number | undefined {
  const bytes = Buffer.from(`x${text}x`);
  return readFloat(bytes, 1, bytes.length - 1);
}

test("every spelling of a number reads as the nearest double", () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(double, fc.integer({ min: 1, max: 21 }), (value, digits) => {
      for (const text of [
        String(value),
        value.toExponential(),
        value.toPrecision(digits),
        value.toFixed(digits - 1),
      ]) {
        const expected = Number.isFinite(Number(text)) ? Number(text) : undefined;
        assert.ok(Object.is(read(text), expected), text);
      }
    }),
  );
});

test("what else is a number, and what is not", () => {
  for (const text of ["NaN", "nan", "NAN"]) assert.ok(Number.isNaN(read(text)), text);
  for (const text of ["Inf", "+inf", "+Infinity", "INF"]) assert.equal(read(text), Infinity, text);
  assert.equal(read("-Inf"), -Infinity);
  assert.equal(read("+1"), 1);
  assert.equal(read(".5"), 0.5);
  assert.equal(read("5."), 5);
  assert.equal(read("00012"), 12);
  assert.ok(Object.is(read("-0"), -0));
  assert.equal(read("1e-999"), 0);
  for (const text of [
    "",
    "+",
    "-",
    ".",
    "e1",
    "1e",
    "1e+",
    "1e1.5",
    "1,5",
    "0x1",
    "0x1p3",
    "1_000",
    "1e999",
    "+nan",
    "--1",
    "1 ",
    "١",
  ]) {
    assert.equal(read(text), undefined, text);
  }
});

function timestamp(text: string): number | undefined {
  return readTimestampMs(Buffer.from(text), 0, text.length);
}

test("timestamps beyond exact integers are brought back, beyond 64 bits refused", () => {
  assert.equal(timestamp("1700000000000"), 1_700_000_000_000);
  assert.equal(timestamp("9223372036854775807"), Number.MAX_SAFE_INTEGER);
  assert.equal(timestamp("9223372036854775808"), undefined);
});
