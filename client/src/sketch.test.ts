import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { QuantileSketch } from "./sketch.ts";

test("quantiles are within one percent of the exact ones", () => {
  const number = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
  const values = fc.array(
    fc.oneof(
      number,
      number.map((value) => -value),
      fc.constant(0),
    ),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (added, quantile) => {
      const left = new QuantileSketch();
      const right = new QuantileSketch();
      for (const [index, value] of added.entries()) (index % 2 === 0 ? left : right).add(value);
      left.merge(right);
      const exact = added.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(quantile * added.length)) - 1]!;
      const [estimate] = left.quantiles([quantile]);
      return Math.abs(estimate! - exact) <= Math.abs(exact) * 0.0101;
    }),
  );
});

test("values at the ends of the scale are kept, not grown for", () => {
  const sketch = new QuantileSketch();
  for (const value of [Infinity, -Infinity, 1e300, 1e-300, NaN]) sketch.add(value);
  assert.equal(sketch.count, 4);
  const [low, high] = sketch.quantiles([0, 1]);
  assert.ok(low! < -9e11 && high! > 9e11);
});
