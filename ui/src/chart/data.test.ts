import assert from "node:assert/strict";
import { test } from "node:test";
import { alignSeries, gridTimes, isolatedPoints, lastValue, stackColumns } from "./data.ts";

const grid = { startMs: 1000, endMs: 5000, stepMs: 1000 };

test("the grid has both ends", () => {
  assert.deepEqual(gridTimes(grid), [1, 2, 3, 4, 5]);
  assert.deepEqual(gridTimes({ startMs: 0, endMs: 2500, stepMs: 1000 }), [0, 1, 2]);
  assert.equal(gridTimes({ startMs: 0.1, endMs: 0.1 + 0.3, stepMs: 0.1 }).length, 4);
});

test("missing steps and values that cannot be drawn are gaps", () => {
  const [column] = alignSeries(
    [
      {
        metric: { a: "b" },
        values: [
          [1, "10"],
          [3, "NaN"],
          [4, "+Inf"],
          [5, "-2.5"],
          [99, "7"],
        ],
      },
    ],
    grid,
  );
  assert.deepEqual(column, { labels: { a: "b" }, values: [10, null, null, null, -2.5] });
});

test("a histogram is drawn by its sum", () => {
  const [column] = alignSeries([{ metric: {}, histograms: [[2, { count: "3", sum: "4.5" }]] }], grid);
  assert.deepEqual(column!.values, [null, 4.5, null, null, null]);
});

test("a stack adds up what is visible", () => {
  const columns = [
    [1, null, null],
    [2, 3, null],
    [4, 5, null],
  ];
  assert.deepEqual(
    stackColumns(columns, () => false),
    [
      [1, 0, null],
      [3, 3, null],
      [7, 8, null],
    ],
  );
  assert.deepEqual(stackColumns(columns, (index) => index === 1)[2], [5, 5, null]);
});

test("isolated points are those a line cannot show", () => {
  assert.deepEqual(isolatedPoints([1, null, 2, 3, null, null, 4]), [0, 6]);
  assert.deepEqual(isolatedPoints([]), []);
});

test("the last value is the last that is there", () => {
  assert.equal(lastValue([1, 2, null]), 2);
  assert.equal(lastValue([null]), null);
});
