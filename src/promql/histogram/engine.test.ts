import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { formatNotation, Labels, parseHistogram } from "../../model/index.ts";
import { type QueryContext, defaultLimits } from "../context.ts";
import { Engine, type PartialResult, type QueryResult } from "../engine.ts";
import type { Plan } from "../plan/plan.ts";
import { JsonSink } from "../result-json.ts";
import { ValueSink } from "../result.ts";
import { MemoryStorage } from "../testing/memory-storage.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const storage = new MemoryStorage(kernel);
const stepMs = 15_000;
const steps = 40;
for (const [i, job] of ["a", "a", "b", "b", "b"].entries()) {
  const labels = Labels.from({ __name__: "latency", job, instance: String(i) });
  const schema = i % 3;
  for (let step = 0; step < steps; step++) {
    const counts = [1 + step, 2 * step + i, 3];
    const count = counts.reduce((a, b) => a + b);
    const text = `schema:${schema} count:${count} sum:${step / 3} offset:${i} buckets:[${counts.join(" ")}]`;
    storage.appendHistogram(labels, step * stepMs, parseHistogram(text).histogram);
  }
}
const mixed = Labels.from({ __name__: "mixed" });
for (let step = 0; step < steps; step++) {
  if (step < 20) storage.append(mixed, step * stepMs, step);
  else storage.appendHistogram(mixed, step * stepMs, parseHistogram("count:3 sum:6 buckets:[1 2]").histogram);
}

const context: QueryContext = {
  queryable: storage,
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
};
const engine = new Engine({ parser: { experimentalFunctions: true } });
const endMs = (steps - 1) * stepMs;

function json(plan: Plan): unknown {
  const sink = new JsonSink();
  engine.execute(plan, context, sink);
  return JSON.parse(new TextDecoder().decode(sink.finish()));
}

const histogramJson = {
  count: "3",
  sum: "6",
  buckets: [
    [0, "0.5", "1", "1"],
    [0, "1", "2", "2"],
  ],
};

test("JSON of vectors, ranges and matrices", () => {
  assert.deepEqual(json(engine.planInstant("mixed", endMs, context)), {
    resultType: "vector",
    result: [{ metric: { __name__: "mixed" }, histogram: [endMs / 1000, histogramJson] }],
  });
  assert.deepEqual(json(engine.planInstant("mixed[30s]", 20 * stepMs, context)), {
    resultType: "matrix",
    result: [{ metric: { __name__: "mixed" }, values: [[285, "19"]], histograms: [[300, histogramJson]] }],
  });
  assert.deepEqual(json(engine.planInstant("mixed[15s]", endMs, context)), {
    resultType: "matrix",
    result: [{ metric: { __name__: "mixed" }, histograms: [[endMs / 1000, histogramJson]] }],
  });
  assert.deepEqual(json(engine.planRange("mixed", 19 * stepMs, 20 * stepMs, stepMs, context)), {
    resultType: "matrix",
    result: [{ metric: { __name__: "mixed" }, values: [[285, "19"]], histograms: [[300, histogramJson]] }],
  });
  assert.deepEqual(json(engine.planRange("-latency{instance='0'}", 0, 0, stepMs, context)), {
    resultType: "matrix",
    result: [
      {
        metric: { job: "a", instance: "0" },
        histograms: [
          [
            0,
            {
              count: "-4",
              sum: "-0",
              buckets: [
                [0, "0.5", "1", "-1"],
                [0, "2", "4", "-3"],
              ],
            },
          ],
        ],
      },
    ],
  });
});

test("a row that is pulled later does not change one that was kept", () => {
  const queries = [
    "latency == on(job, instance) latency",
    "latency + on(instance) group_left latency - on(instance) latency",
    "(latency or latency) unless mixed",
    "limitk(4, latency)",
    'label_replace(latency, "x", "y", "", "")',
    "last_over_time(latency[1m:15s])",
  ];
  const counts = new Map<string, string>();
  for (const { labels, histogram } of samplesOf(engine.instant("latency", endMs, context)))
    counts.set(labels.get("instance"), formatNotation(histogram!));
  for (const query of queries) {
    for (const { labels, histogram } of samplesOf(engine.instant(query, endMs, context))) {
      const expected = counts.get(labels.get("instance"))!;
      assert.equal(formatNotation({ ...histogram!, counterReset: "unknown" }), expected, query);
    }
  }
});

function samplesOf({
  value,
}: Pick<QueryResult, "value">): (QueryResult["value"] & { type: "vector" })["samples"] {
  assert.ok(value.type === "vector");
  assert.ok(value.samples.length > 0);
  return value.samples;
}

test("readers that share a query", () => {
  const shardCount = 3;
  const partsOf = (plan: Plan): PartialResult[][] =>
    plan.fragments.map((_, fragment) =>
      Array.from({ length: shardCount }, (_, index) =>
        structuredClone(engine.evaluateFragment(plan, fragment, { index, count: shardCount }, context)),
      ),
    );
  const comparable = ({ value }: Pick<QueryResult, "value">): string[] => {
    assert.ok(value.type === "vector");
    return value.samples
      .map(({ labels, value: each, histogram }) => {
        const text = histogram === undefined ? each.toPrecision(12) : formatNotation(histogram);
        return `${labels.toString()} ${text}`;
      })
      .sort();
  };
  const queries = [
    "latency",
    "sum(latency)",
    "sum by (job) (latency)",
    "sum({__name__=~'latency|mixed'})",
    "avg by (job) (histogram_count(latency))",
    "histogram_quantile(0.9, sum by (job) (rate(latency[2m])))",
    "count(latency) + group(latency)",
    "histogram_sum(latency)",
  ];
  for (const query of queries) {
    const plan = engine.planInstant(query, endMs, context);
    const parts = partsOf(plan);
    assert.ok(parts.length > 0, query);
    const sink = new ValueSink();
    const { warnings } = engine.execute(plan, context, sink, { partials: (fragment) => parts[fragment]! });
    const whole = engine.instant(query, endMs, context);
    assert.deepEqual(comparable(sink), comparable(whole), query);
    assert.deepEqual(warnings, whole.warnings, query);
  }
});

test("readers hand over finished JSON of a range", () => {
  const plan = engine.planRange('{__name__=~"latency|mixed"}', 15 * stepMs, 25 * stepMs, stepMs, context);
  const parts = [0, 1].map((index) =>
    structuredClone(engine.evaluateFragment(plan, 0, { index, count: 2 }, context)),
  );
  const sink = new JsonSink();
  engine.execute(plan, context, sink, { partials: () => parts });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(sink.finish())), json(plan));
});

test("histograms count as samples by their size", () => {
  const limits = { ...defaultLimits, samplesMax: 100 };
  assert.throws(() => engine.instant("rate(latency[10m])", endMs, { ...context, limits }), {
    code: "execution",
    message: /too many samples/,
  });
});

test("of what is reserved, the name alone goes with what is read from a histogram", () => {
  const labels = Labels.from({ __name__: "typed", __type__: "histogram" });
  storage.appendHistogram(labels, endMs, parseHistogram("count:3 sum:6 buckets:[1 2]").histogram);
  for (const [query, kept] of [
    ["histogram_count(typed)", '{__type__="histogram"}'],
    ["histogram_avg(typed)", '{__type__="histogram"}'],
    ["histogram_quantile(0.5, typed)", "{}"],
    ["-typed", "{}"],
  ] as const) {
    const { value } = engine.instant(query, endMs, context);
    assert.ok(value.type === "vector");
    assert.deepEqual(
      value.samples.map((sample) => sample.labels.toString()),
      [kept],
      query,
    );
  }
});

test("whatever holds histograms counts them by their size", () => {
  const queries = [
    "latency",
    "-latency",
    "latency or mixed",
    "sum by (instance) (latency)",
    "quantile(0.5, histogram_count(latency == on(instance) latency))",
    "topk(10, histogram_sum(latency or latency))",
  ];
  const limited: QueryContext = { ...context, limits: { ...defaultLimits, samplesMax: 1800 } };
  for (const query of queries) {
    engine.range(query, 0, endMs, stepMs, context);
    assert.throws(() => engine.range(query, 0, endMs, stepMs, limited), /too many samples/, query);
  }
});
