import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NarthexError, SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { type QueryContext, defaultLimits } from "../context.ts";
import { Engine } from "../engine.ts";
import { MemoryStorage } from "../testing/memory-storage.ts";
import { randomNumbers } from "../../../test/support/promql-data.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const storage = new MemoryStorage(kernel);
const random = randomNumbers(1);
const intervalMs = 1000;
const samples = 12_000;
const histograms = 200;
for (let i = 0; i < samples; i++)
  storage.append(Labels.from({ __name__: "x" }), i * intervalMs, Math.floor(random() * 100));
for (let i = 0; i < histograms; i++)
  storage.appendHistogram(
    Labels.from({ __name__: "h" }),
    i * intervalMs,
    parseHistogram(`count:${2 * i} sum:1 buckets:[${i} ${i}]`).histogram,
  );
const context: QueryContext = {
  queryable: storage,
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
};
const engine = new Engine({ parser: { experimentalFunctions: true, extendedRangeSelectors: true } });
const endMs = (samples - 1) * intervalMs;
const steps = 300;
const startMs = endMs - (steps - 1) * intervalMs;

describe("a row whose windows are long", () => {
  const queries = [
    "rate(x[3h])",
    "resets(x[3h] offset 1s)",
    "stddev_over_time(x[3h])",
    "predict_linear(x[3h], time() / 100)",
    "quantile_over_time(scalar(x) / 100, x[3h])",
    "double_exponential_smoothing(x[3h], 0.5, 0.1)",
    "increase(x[3h] smoothed)",
    `predict_linear(x[3h] @ ${endMs / 1000}, 60)`,
  ];
  for (const query of queries) {
    test(`${query} is the same at each step as alone`, () => {
      const { value } = engine.range(query, startMs, endMs, intervalMs, context);
      assert.ok(value.type === "matrix");
      const [series] = value.series;
      for (const step of [0, 1, 96, 97, 98, 200, steps - 1]) {
        const alone = engine.instant(query, startMs + step * intervalMs, context).value;
        assert.ok(alone.type === "vector");
        assert.equal(series!.values[step], alone.samples[0]!.value, `step ${step}`);
      }
    });
  }

  const cancelled = [...queries, "sum_over_time(h[1h])", "h smoothed"];
  for (const query of cancelled) {
    test(`${query} can be canceled on its way`, () => {
      let looks = 0;
      const isCancelled = (): boolean => ++looks === 3;
      assert.throws(
        () =>
          engine.range(query, 0, endMs, query.includes("x") ? intervalMs : 10_000, {
            ...context,
            isCancelled,
          }),
        (error: NarthexError) => error.code === "canceled",
      );
    });
  }
});
