import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type Row,
  type RowAggregationName,
  type RowOperatorName,
  aggregateStateBytes,
  rowAggregation,
  rowOperator,
} from "./index.ts";
import { testKernel } from "./testing.ts";
import { CompensatedSum, averageTwin } from "./window.twin.ts";

const kernel = testKernel();
const { f64, u8 } = kernel.views;
type Cell = number | undefined;

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }) },
  { weight: 3, arbitrary: fc.double({ noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE) },
);
const cell = fc.option(value, { nil: undefined, freq: 5 });
const steps = 13;
const row = fc.array(cell, { minLength: steps, maxLength: steps });

function putRow(cells: readonly Cell[]): Row {
  const valuesPtr = kernel.scratch.allocate(cells.length * 8);
  const presentPtr = kernel.scratch.allocate(cells.length);
  cells.forEach((v, k) => {
    // What an absent cell holds must not matter.
    f64[valuesPtr / 8 + k] = v ?? NaN;
    u8[presentPtr + k] = v === undefined ? 0 : 1;
  });
  return { valuesPtr, presentPtr };
}

function getRow(read: Row): Cell[] {
  return Array.from({ length: steps }, (_, k) =>
    u8[read.presentPtr + k] === 1 ? f64[read.valuesPtr / 8 + k]! : undefined,
  );
}

function aggregateTwin(name: RowAggregationName, values: readonly number[]): Cell {
  const [first, ...rest] = values;
  if (first === undefined) return undefined;
  switch (name) {
    case "sum": {
      const sum = new CompensatedSum(first);
      for (const v of rest) sum.add(v);
      return sum.total + sum.compensation;
    }
    case "avg":
      return averageTwin(values);
    case "count":
      return values.length;
    case "min":
      return values.reduce((best, v) => (best > v || Number.isNaN(best) ? v : best));
    case "max":
      return values.reduce((best, v) => (best < v || Number.isNaN(best) ? v : best));
    case "group":
      return 1;
    case "stddev":
      return Math.sqrt(aggregateTwin("stdvar", values)!);
    case "stdvar": {
      let mean = first;
      let squares = Number.isFinite(first) ? 0 : NaN;
      rest.forEach((v, i) => {
        const delta = v - mean;
        mean += delta / (i + 2);
        squares += delta * (v - mean);
      });
      return squares / values.length;
    }
    default:
      return name satisfies never;
  }
}

for (const name of Object.keys(rowAggregation) as RowAggregationName[]) {
  test(`aggregation ${name} equals its plain twin`, () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 25, size: "max" }), (rows) => {
        const mark = kernel.scratch.mark();
        const statePtr = kernel.scratch.allocate(steps * aggregateStateBytes);
        kernel.aggregateBegin(name, statePtr, steps);
        for (const cells of rows) kernel.aggregateAdd(name, statePtr, putRow(cells), steps);
        const out = putRow(Array.from({ length: steps }));
        const found = kernel.aggregateFinish(name, statePtr, out, steps);
        const expected = Array.from({ length: steps }, (_, k) =>
          aggregateTwin(
            name,
            rows.map((cells) => cells[k]).filter((v) => v !== undefined),
          ),
        );
        assert.deepEqual(getRow(out), expected);
        assert.equal(found, expected.filter((v) => v !== undefined).length);
        kernel.scratch.release(mark);
      }),
      { numRuns: 150 },
    );
  });
}

const operators: Record<RowOperatorName, (a: number, b: number) => number | boolean> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  modulo: (a, b) => a % b,
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  greater: (a, b) => a > b,
  less: (a, b) => a < b,
  greaterOrEqual: (a, b) => a >= b,
  lessOrEqual: (a, b) => a <= b,
};

for (const name of Object.keys(rowOperator) as RowOperatorName[]) {
  test(`operator ${name} equals its plain twin`, () => {
    fc.assert(
      fc.property(
        row,
        row,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (a, b, returnBool, keepRight, inPlace) => {
          const mark = kernel.scratch.mark();
          const left = putRow(a);
          const right = putRow(b);
          const out = inPlace ? left : putRow(a);
          const found = kernel.binaryRows(name, left, right, out, steps, { returnBool, keepRight });
          const expected = a.map((x, k): Cell => {
            const y = b[k];
            if (x === undefined || y === undefined) return undefined;
            const result = operators[name](x, y);
            if (typeof result === "number") return result;
            if (returnBool) return Number(result);
            return result ? (keepRight ? y : x) : undefined;
          });
          assert.deepEqual(getRow(out), expected);
          assert.equal(found, expected.filter((v) => v !== undefined).length);
          kernel.scratch.release(mark);
        },
      ),
    );
  });
}
