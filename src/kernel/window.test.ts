import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type WindowFunctionName, normalNaNBits, staleMarkerBits, windowFunction } from "./index.ts";
import { bitsOf, putColumns, testKernel } from "./testing.ts";
import { type Point, quantileTwin, windowTwin } from "./window.twin.ts";

const kernel = testKernel();
const { f64, u8, u64 } = kernel.views;

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 3, arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 0, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324),
  },
);
const points = fc
  .array(fc.tuple(fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 100_000 })), value), {
    maxLength: 120,
    size: "max",
  })
  .map((steps) => {
    let t = 1_700_000_000_000;
    return steps.map(([stepMs, v]): Point => ({ t: (t += stepMs), v }));
  });
const query = fc.record({
  start: fc.integer({ min: -100_000, max: 1_000_000 }),
  stepMs: fc.constantFrom(1, 1000, 15_000, 60_000, 123_457),
  steps: fc.integer({ min: 1, max: 40 }),
  rangeMs: fc.constantFrom(1, 30_000, 60_000, 345_678, 3_600_000),
  parameter: fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(-1, 2, NaN, 0, 1, 0.5, 3600),
  ),
  offsetMs: fc.constantFrom(0, 300_000, -60_000),
});

function same(actual: number, expected: number): boolean {
  return (
    Object.is(actual, expected) || (Number.isNaN(actual) && Number.isNaN(expected)) || actual === expected
  );
}

for (const name of Object.keys(windowFunction) as WindowFunctionName[]) {
  test(`${name} equals its plain twin to the last bit`, () => {
    fc.assert(
      fc.property(points, query, (samples, { start, stepMs, steps, rangeMs, parameter, offsetMs }) => {
        const mark = kernel.scratch.mark();
        const columns = putColumns(
          kernel,
          samples.map(({ t, v }) => ({ t, bits: bitsOf(v) })),
        );
        const startMs = 1_700_000_000_000 + start;
        const valuesPtr = kernel.scratch.allocate(steps * 8);
        const presentPtr = kernel.scratch.allocate(steps);
        const argPtr = kernel.scratch.allocate(steps * 8);
        f64.fill(parameter, argPtr / 8, argPtr / 8 + steps);
        u8[presentPtr + steps] = 77;
        kernel.window(
          name,
          columns,
          { startMs, stepMs, count: steps },
          rangeMs,
          { valuesPtr, presentPtr },
          { argPtr, offsetMs },
        );
        assert.equal(u8[presentPtr + steps], 77, "wrote past the steps");
        for (let k = 0; k < steps; k++) {
          const timeMs = startMs + k * stepMs;
          const expected = windowTwin(name, { points: samples, timeMs, rangeMs, parameter, offsetMs });
          assert.equal(u8[presentPtr + k], expected === undefined ? 0 : 1, `present at step ${k}`);
          const actual = f64[valuesPtr / 8 + k]!;
          if (expected !== undefined)
            assert.ok(same(actual, expected), `step ${k}: ${actual} instead of ${expected}`);
        }
        kernel.scratch.release(mark);
      }),
      { numRuns: 120 },
    );
  });
}

/** Samples at the pace of the steps, now and then another, and counters that now and then begin anew. */
const pacedMs = 15_000;
const paced = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 30, arbitrary: fc.constant(pacedMs) },
        { weight: 1, arbitrary: fc.constantFrom(1, pacedMs - 1, pacedMs + 1, 2 * pacedMs, 400_000) },
      ),
      fc.oneof(
        { weight: 30, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) },
        { weight: 1, arbitrary: fc.constantFrom(-50, -1e9, NaN, Infinity) },
      ),
    ),
    { minLength: 20, maxLength: 120, size: "max" },
  )
  .chain((deltas) =>
    fc.constantFrom(0, 10, 1e6).map((firstValue) => {
      let t = 1_700_000_000_000;
      let v: number = firstValue;
      return deltas.map(([ms, more]): Point => {
        v = Number.isFinite(v + more) ? Math.max(v + more, 0) : firstValue;
        return { t: (t += ms), v: Number.isFinite(more) ? v : more };
      });
    }),
  );
const pacedQuery = fc.record({
  start: fc.integer({ min: -100_000, max: 600_000 }),
  steps: fc.integer({ min: 1, max: 100 }),
  rangeMs: fc.constantFrom(pacedMs, 30_000, 300_000, 299_999),
});

for (const name of ["rate", "increase", "delta"] as const) {
  test(`${name} of samples at the pace of the steps equals its plain twin to the last bit`, () => {
    fc.assert(
      fc.property(paced, pacedQuery, (samples, { start, steps, rangeMs }) => {
        const mark = kernel.scratch.mark();
        const columns = putColumns(
          kernel,
          samples.map(({ t, v }) => ({ t, bits: bitsOf(v) })),
        );
        const look = { startMs: 1_700_000_000_000 + start, stepMs: pacedMs, count: steps };
        const row = {
          valuesPtr: kernel.scratch.allocate(steps * 8),
          presentPtr: kernel.scratch.allocate(steps),
        };
        kernel.window(name, columns, look, rangeMs, row);
        for (let k = 0; k < steps; k++) {
          const timeMs = look.startMs + k * pacedMs;
          const expected = windowTwin(name, { points: samples, timeMs, rangeMs, parameter: 0, offsetMs: 0 });
          assert.equal(u8[row.presentPtr + k], expected === undefined ? 0 : 1, `present at step ${k}`);
          if (expected === undefined) continue;
          const actual = f64[row.valuesPtr / 8 + k]!;
          assert.ok(same(actual, expected), `step ${k}: ${actual} instead of ${expected}`);
        }
        kernel.scratch.release(mark);
      }),
      { numRuns: 500 },
    );
  });
}

test("selectInstant takes what is newest of samples at the pace of the steps", () => {
  fc.assert(
    fc.property(paced, pacedQuery, fc.nat({ max: 200 }), (points, { start, steps, rangeMs }, staleAt) => {
      const mark = kernel.scratch.mark();
      const samples = points.map(({ t, v }, i) => ({ t, bits: i === staleAt ? staleMarkerBits : bitsOf(v) }));
      const columns = putColumns(kernel, samples);
      const look = { startMs: 1_700_000_000_000 + start, stepMs: pacedMs, count: steps };
      const row = {
        valuesPtr: kernel.scratch.allocate(steps * 8),
        presentPtr: kernel.scratch.allocate(steps),
      };
      const found = kernel.selectInstant(columns, look, rangeMs, row);
      let expectedFound = 0;
      for (let k = 0; k < steps; k++) {
        const timeMs = look.startMs + k * pacedMs;
        const newest = samples.findLast(({ t }) => t <= timeMs);
        const has = newest !== undefined && newest.t > timeMs - rangeMs && newest.bits !== staleMarkerBits;
        assert.equal(u8[row.presentPtr + k], has ? 1 : 0, `present at step ${k}`);
        if (!has) continue;
        expectedFound++;
        assert.equal(u64[row.valuesPtr / 8 + k], newest.bits);
      }
      assert.equal(found, expectedFound);
      kernel.scratch.release(mark);
    }),
    { numRuns: 500 },
  );
});

test("an overflowing average switches to the running mean", () => {
  const huge = [Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 1e300];
  const samples = huge.map((v, i) => ({ t: i + 1, v }));
  const columns = putColumns(
    kernel,
    samples.map(({ t, v }) => ({ t, bits: bitsOf(v) })),
  );
  const valuesPtr = kernel.scratch.allocate(8);
  const presentPtr = kernel.scratch.allocate(1);
  kernel.window("avg_over_time", columns, { startMs: 10, stepMs: 1, count: 1 }, 100, {
    valuesPtr,
    presentPtr,
  });
  const expected = windowTwin("avg_over_time", {
    points: samples,
    timeMs: 10,
    rangeMs: 100,
    parameter: 0,
    offsetMs: 0,
  });
  assert.equal(f64[valuesPtr / 8], expected);
  assert.ok(Math.abs(expected!) < Number.MAX_VALUE);
});

test("selectInstant takes the newest sample of the lookback and honours staleness markers", () => {
  const bits = fc.oneof(
    value.map(bitsOf),
    fc.constant(staleMarkerBits),
    fc.constant(normalNaNBits),
    fc.constant(0x7ff8_dead_beef_0001n),
  );
  fc.assert(
    fc.property(points, fc.array(bits, { maxLength: 120 }), query, (times, values, plan) => {
      const mark = kernel.scratch.mark();
      const samples = times.map(({ t, v }, i) => ({ t, bits: values[i] ?? bitsOf(v) }));
      const columns = putColumns(kernel, samples);
      const { steps, stepMs, rangeMs } = plan;
      const startMs = 1_700_000_000_000 + plan.start;
      const valuesPtr = kernel.scratch.allocate(steps * 8);
      const presentPtr = kernel.scratch.allocate(steps);
      const timesPtr = kernel.scratch.allocate(steps * 8);
      const found = kernel.selectInstant(
        columns,
        { startMs, stepMs, count: steps },
        rangeMs,
        { valuesPtr, presentPtr },
        timesPtr,
      );
      let expectedFound = 0;
      for (let k = 0; k < steps; k++) {
        const timeMs = startMs + k * stepMs;
        const newest = samples.findLast(({ t }) => t <= timeMs);
        const has = newest !== undefined && newest.t > timeMs - rangeMs && newest.bits !== staleMarkerBits;
        assert.equal(u8[presentPtr + k], has ? 1 : 0);
        if (!has) continue;
        expectedFound++;
        assert.equal(u64[valuesPtr / 8 + k], newest.bits, "payloads survive");
        assert.equal(f64[timesPtr / 8 + k], newest.t);
      }
      assert.equal(found, expectedFound);
      kernel.scratch.release(mark);
    }),
    { numRuns: 200 },
  );
});

test("quantile over many values equals its twin", () => {
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 300, size: "max" }),
      fc.constantFrom(0, 0.25, 0.5, 0.99, 1, -1, 2, NaN),
      (values, q) => {
        const mark = kernel.scratch.mark();
        const ptr = kernel.scratch.allocate(values.length * 8);
        f64.set(values, ptr / 8);
        const actual = kernel.quantile(q, ptr, values.length);
        assert.ok(same(actual, quantileTwin(q, values)));
        kernel.scratch.release(mark);
      },
    ),
  );
});
