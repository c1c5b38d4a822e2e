import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatFloat, formatFloatCanonical } from "./format.ts";

test("numbers are printed as Go's %g prints them", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-1.5, "-1.5"],
    [100000, "100000"],
    [999999.5, "999999.5"],
    [1e6, "1e+06"],
    [1234567, "1.234567e+06"],
    [123456789.125, "1.23456789125e+08"],
    [1e21, "1e+21"],
    [1e100, "1e+100"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [5e-324, "5e-324"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
    [NaN, "NaN"],
  ];
  for (const [value, text] of cases) assert.equal(formatFloat(value), text);
  assert.equal(formatFloatCanonical(1), "1.0");
  assert.equal(formatFloatCanonical(-0), "-0.0");
  assert.equal(formatFloatCanonical(1e6), "1e+06");
  assert.equal(formatFloatCanonical(Infinity), "+Inf");
});

test("what is printed reads back as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      Object.is(Number(formatFloat(value)), value),
    ),
  );
});
