import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { type QueryContext, defaultLimits } from "../context.ts";
import { Engine } from "../engine.ts";
import { JsonSink } from "../result-json.ts";
import { MemoryStorage } from "../testing/memory-storage.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const storage = new MemoryStorage(kernel);
const scrapeMs = 10_000;
for (let i = 0; i <= 60; i++) {
  for (const instance of ["0", "1"])
    storage.append(Labels.from({ __name__: "a", instance }), i * scrapeMs, i);
  storage.append(Labels.from({ __name__: "b", instance: "0" }), i * scrapeMs, i);
  storage.appendHistogram(
    Labels.from({ __name__: "h" }),
    i * scrapeMs,
    parseHistogram("count:3 sum:6 buckets:[1 2]").histogram,
  );
}
const context: QueryContext = {
  queryable: storage,
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
  countSamples: true,
};
const engine = new Engine();

/** Evaluated and read samples at 300 s, 320 s and 340 s. */
function counted(query: string): { queryable: number[]; read: number[] } {
  const plan = engine.planRange(query, 300_000, 340_000, 20_000, context);
  const { queryable, read } = engine.execute(plan, context, new JsonSink()).work.counts!;
  return { queryable: [...queryable], read: [...read] };
}

test("instant selectors count what they find, windows what is new", () => {
  assert.deepEqual(counted("a"), { queryable: [2, 2, 2], read: [2, 2, 2] });
  assert.deepEqual(counted("rate(a[1m])"), { queryable: [12, 12, 12], read: [12, 4, 4] });
  assert.deepEqual(counted("rate(a[10s])"), { queryable: [2, 2, 2], read: [2, 2, 2] });
});

test("what is written twice counts twice, what nobody pulls counts as well", () => {
  assert.deepEqual(counted("sum(a) + sum(a)").queryable, [4, 4, 4]);
  assert.deepEqual(counted("a * on (instance) b").queryable, [3, 3, 3]);
  assert.deepEqual(counted("topk(1, a) or b").queryable, [3, 3, 3]);
});

test("what is the same at every step is read once", () => {
  assert.deepEqual(counted("sum(a @ 100)"), { queryable: [2, 2, 2], read: [2, 0, 0] });
  assert.deepEqual(counted("rate(a[1m] @ 100)"), { queryable: [12, 12, 12], read: [12, 0, 0] });
});

test("windows over a subquery count its steps; they read what it reads", () => {
  // Steps of 10 s in (t - 40 s, t]: four for each of the two series.
  assert.deepEqual(counted("max_over_time(a[40s:10s])"), { queryable: [8, 8, 8], read: [8, 4, 4] });
  // Every other step of the subquery lies in no window.
  assert.deepEqual(counted("max_over_time(a[10s:10s])"), { queryable: [2, 2, 2], read: [2, 2, 2] });
});

test("a native histogram counts for the samples that would take its room", () => {
  assert.deepEqual(counted("h"), { queryable: [12, 12, 12], read: [12, 12, 12] });
  assert.deepEqual(counted("rate(h[1m])"), { queryable: [72, 72, 72], read: [72, 24, 24] });
});
