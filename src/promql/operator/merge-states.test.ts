import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type RowAggregationName, createKernel, rowAggregation } from "../../kernel/index.ts";
import { mergeStates, stateLength } from "./merge-states.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const { f64, u8 } = kernel.views;
const steps = 4;

type Row = (number | undefined)[];

/** The states of some rows, as the kernel keeps them. */
function statesOf(name: RowAggregationName, rows: readonly Row[]): Float64Array {
  const statePtr = kernel.scratch.allocate(steps * stateLength * 8);
  const row = { valuesPtr: kernel.scratch.allocate(steps * 8), presentPtr: kernel.scratch.allocate(steps) };
  kernel.aggregateBegin(name, statePtr, steps);
  for (const values of rows) {
    values.forEach((value, step) => {
      f64[row.valuesPtr / 8 + step] = value ?? 0;
      u8[row.presentPtr + step] = value === undefined ? 0 : 1;
    });
    kernel.aggregateAdd(name, statePtr, row, steps);
  }
  return f64.subarray(statePtr / 8, statePtr / 8 + steps * stateLength);
}

function resultOf(name: RowAggregationName, states: Float64Array): Row {
  const row = { valuesPtr: kernel.scratch.allocate(steps * 8), presentPtr: kernel.scratch.allocate(steps) };
  kernel.aggregateFinish(name, states.byteOffset, row, steps);
  return Array.from({ length: steps }, (_, step) =>
    u8[row.presentPtr + step] === 0 ? undefined : f64[row.valuesPtr / 8 + step]!,
  );
}

const value = fc.oneof(
  // Squares of tiny values would vanish in one order of summation and not in the other.
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((each) => (Math.abs(each) < 1e-100 ? 0 : each)),
  fc.constantFrom(NaN, Infinity, -Infinity),
);
const row = fc.array(fc.option(value, { nil: undefined }), { minLength: steps, maxLength: steps });
const rows = fc.array(row, { maxLength: 6 });

test("states of two parts make those of the whole", () => {
  const names = fc.constantFrom(...(Object.keys(rowAggregation) as RowAggregationName[]));
  fc.assert(
    fc.property(names, rows, rows, (name, first, second) => {
      const mark = kernel.scratch.mark();
      const merged = statesOf(name, first);
      mergeStates(name, merged, statesOf(name, second), steps);
      const [actual, expected] = [
        resultOf(name, merged),
        resultOf(name, statesOf(name, [...first, ...second])),
      ];
      kernel.scratch.release(mark);
      actual.forEach((result, step) => {
        const wanted = expected[step];
        if (result === undefined || wanted === undefined) return assert.equal(result, wanted);
        // What infinite values make of a mean depends on their order: upstream leaves that open as well.
        const all = [...first, ...second].map((each) => each[step]);
        if (!/min|max|sum|count|group/.test(name) && all.some((each) => !Number.isFinite(each ?? 0))) return;
        if (Number.isNaN(result) || Number.isNaN(wanted)) return assert.equal(result, wanted);
        const scale = Math.max(...all.map((each) => Math.abs(each ?? 0)), 1e-300);
        const tolerance =
          1e-10 * (name === "stdvar" ? scale * scale : name === "stddev" ? scale * 1e5 : scale * 10);
        assert.ok(
          result === wanted || Math.abs(result - wanted) <= tolerance,
          `${name}: ${result}, ${wanted}`,
        );
      });
    }),
    { numRuns: 1000 },
  );
});

test("averages of sums that overflow", () => {
  const rows = (value: number): Row[] => [[value, value, undefined, 1]];
  const merged = statesOf("avg", [...rows(1.7e308), ...rows(1.7e308)]);
  mergeStates("avg", merged, statesOf("avg", rows(1.7e308)), steps);
  const [a, b, c, d] = resultOf("avg", merged);
  assert.ok(Math.abs(a! / 1.7e308 - 1) < 1e-12 && a === b);
  assert.equal(c, undefined);
  assert.equal(d, 1);
});
