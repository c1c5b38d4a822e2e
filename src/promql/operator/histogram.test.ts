import assert from "node:assert/strict";
import { test } from "node:test";
import { NarthexError, SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { type QueryContext, defaultLimits } from "../context.ts";
import { Engine } from "../engine.ts";
import { MemoryStorage } from "../testing/memory-storage.ts";

const kernel = createKernel({ limitBytes: 512 * 1024 * 1024 });
const context: QueryContext = {
  queryable: new MemoryStorage(kernel),
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
};
const engine = new Engine({ parser: { experimentalFunctions: true } });

/** Observations up to 1, 2 and any value, or any value alone. */
function buckets(histograms: number, bounds = ["1", "2", "+Inf"]): QueryContext {
  const queryable = new MemoryStorage(kernel);
  for (let i = 0; i < histograms; i++) {
    for (const le of bounds)
      queryable.append(Labels.from({ __name__: "b", i: String(i), le }), 0, le === "1" ? 5 : 10);
  }
  return { ...context, queryable };
}

test("φ that change from step to step name another result at each", () => {
  const query = `histogram_quantiles(b, "q", time() / 10, 0.1)`;
  const { value } = engine.range(query, 2000, 4000, 1000, buckets(1));
  assert.ok(value.type === "matrix");
  assert.deepEqual(
    value.series.map(({ labels, timestampsMs, values }) => [
      labels.toString(),
      [...timestampsMs],
      [...values],
    ]),
    [
      ['{i="0", q="0.1"}', [2000, 3000, 4000], [0.2, 0.2, 0.2]],
      ['{i="0", q="0.2"}', [2000], [0.4]],
      ['{i="0", q="0.3"}', [3000], [0.6]],
      ['{i="0", q="0.4"}', [4000], [0.8]],
    ],
  );
});

test("φ that meet at a step make a series twice, where there is one", () => {
  const query = `histogram_quantiles(b, "q", time() / 10, 0.3)`;
  assert.throws(
    () => engine.range(query, 2000, 4000, 1000, buckets(1)),
    (error: NarthexError) => error.message === "vector cannot contain metrics with the same labelset",
  );
  assert.deepEqual(engine.instant("histogram_quantiles(b, 'q', 0.3, 0.3)", 3000, context).value, {
    type: "vector",
    samples: [],
  });
});

test("as many histograms as there are", () => {
  const histograms = 130_000;
  const { value } = engine.instant("count(histogram_quantile(0.25, b))", 0, buckets(histograms, ["+Inf"]));
  assert.ok(value.type === "vector");
  assert.equal(value.samples[0]!.value, histograms);
});
