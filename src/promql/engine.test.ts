import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, NarthexError, SimulatedClock } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { type QueryContext, defaultLimits } from "./context.ts";
import { Engine, type PartialResult, type QueryResult } from "./engine.ts";
import { ByteWriter } from "./json/byte-writer.ts";
import type { Plan } from "./plan/plan.ts";
import { JsonSink } from "./result-json.ts";
import { ValueSink } from "./result.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";
import { fillStorage } from "./testing/random-data.ts";

const kernel = createKernel({ limitBytes: 128 * 1024 * 1024 });
const storage = new MemoryStorage(kernel);
const startMs = 1_000_000_000_000;
fillStorage(storage, startMs, 80);
const clock = new SimulatedClock(startMs);
const context: QueryContext = {
  queryable: storage,
  kernel,
  clock,
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
};
const engine = new Engine();
const atMs = startMs + 900_000;

function failure(run: () => unknown): NarthexError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof NarthexError, String(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}

function json(plan: Plan): unknown {
  const sink = new JsonSink();
  engine.execute(plan, context, sink);
  return JSON.parse(new TextDecoder().decode(sink.finish()));
}

describe("results", () => {
  test("an instant query has the samples in the order of evaluation", () => {
    const { value } = engine.instant("sort_desc(requests_total{job='a'})", atMs, context);
    assert.ok(value.type === "vector");
    assert.deepEqual(
      value.samples.map(({ labels, value: each }) => [labels.get("instance"), each]),
      [
        ["3", 240],
        ["2", 180],
        ["1", 120],
        ["0", 60],
      ],
    );
  });

  test("a range query is sorted by labels and leaves out empty series", () => {
    const query = "requests_total > 300 or errors_total{instance='1'}";
    const { value } = engine.range(query, atMs, atMs + 120_000, 60_000, context);
    assert.ok(value.type === "matrix");
    assert.deepEqual(
      value.series.map(({ labels, values }) => [labels.toMetricString(), values.length]),
      [
        ['errors_total{instance="1", job="a"}', 3],
        ['errors_total{instance="1", job="b"}', 3],
      ],
    );
  });

  test("a chain of or is the same however it is put in parentheses", () => {
    const terms = [
      "requests_total > 300",
      "errors_total{instance='1'} > 20",
      "requests_total{job='a'}",
      "errors_total * 2",
      "-requests_total",
    ];
    for (const matching of ["", "on (job)", "ignoring (instance)"]) {
      const link = ` or ${matching} `;
      const chain = terms.map((term) => `(${term})`).join(link);
      const nested = terms.reduceRight((rest, term) => `(${term})${link}(${rest})`);
      const [a, b] = [chain, nested].map(
        (query) => engine.range(query, startMs, atMs, 30_000, context).value,
      );
      assert.ok(a!.type === "matrix" && a!.series.length > 0);
      assert.deepEqual(a, b, matching);
    }
  });

  test("scalars, strings and ranges", () => {
    assert.deepEqual(engine.instant("1 + 2 * 3", 5, context).value, {
      type: "scalar",
      timestampMs: 5,
      value: 7,
    });
    assert.deepEqual(engine.instant("'x'", 5, context).value, { type: "string", timestampMs: 5, value: "x" });
    const { value } = engine.instant("requests_total{job='a',instance='0'}[30s]", atMs, context);
    assert.ok(value.type === "matrix");
    // The window is open to the left: the sample 30 s ago is not in it.
    assert.deepEqual(value.series[0]!.timestampsMs, [atMs - 15_000, atMs]);
  });

  test("of a subquery too, names that are to be dropped are dropped last", () => {
    const delayed = { ...context, features: { delayedNameRemoval: true } };
    const { value } = engine.instant("(-requests_total{job='a',instance='0'})[1m:30s]", atMs, delayed);
    assert.ok(value.type === "matrix");
    assert.deepEqual(
      value.series.map(({ labels }) => labels.toString()),
      ['{instance="0", job="a"}'],
    );
  });

  test("what a comparison of two vectors lets through keeps its name, although it was to drop it", () => {
    const delayed = { ...context, features: { delayedNameRemoval: true } };
    const keys = (query: string): string[] => {
      const { value } = engine.instant(query, atMs, delayed);
      assert.ok(value.type === "vector");
      return value.samples.map(({ labels }) => labels.toString());
    };
    const one = "{job='a',instance='0'}";
    const full = '{__name__="requests_total", instance="0", job="a"}';
    assert.deepEqual(keys(`abs(requests_total${one}) >= errors_total${one}`), [full]);
    assert.deepEqual(keys(`abs(requests_total${one}) >= bool errors_total${one}`), [
      '{instance="0", job="a"}',
    ]);
    assert.deepEqual(keys(`abs(requests_total${one}) >= 0`), ['{instance="0", job="a"}']);
  });

  test("series that differ in a label that is dropped with the name are the same", () => {
    for (const type of ["counter", "gauge"])
      storage.append(Labels.from({ __name__: "typed", __type__: type, k: "1" }), atMs, 1);
    for (const query of [
      "-sum without (k) (typed)",
      "abs(sum by (__type__) (typed))",
      "-typed",
      "sum without (k) (typed) - sum without (k) (typed)",
    ]) {
      const { code, message } = failure(() => engine.instant(query, atMs, context));
      assert.equal(code, "execution");
      assert.equal(message, "vector cannot contain metrics with the same labelset");
    }
    const { value } = engine.instant("sum without (k) (typed) > 0", atMs, context);
    assert.ok(value.type === "vector" && value.samples.length === 2);
  });

  test("what has no start timestamps is computed, for what there is to remark", () => {
    const experimental = new Engine({ parser: { experimentalFunctions: true } });
    const query = "start_timestamp(quantile(2, requests_total))";
    const { value, warnings } = experimental.instant(query, atMs, context);
    experimental.close();
    assert.deepEqual(value, { type: "vector", samples: [] });
    assert.deepEqual(warnings, ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:26)"]);
  });

  test("JSON as upstream writes it", () => {
    assert.deepEqual(json(engine.planInstant("vector(0.1) / 3", 1500, context)), {
      resultType: "vector",
      result: [{ metric: {}, value: [1.5, "0.03333333333333333"] }],
    });
    assert.deepEqual(json(engine.planInstant("1e300 * 1e300", 0, context)), {
      resultType: "scalar",
      result: [0, "+Inf"],
    });
    assert.deepEqual(json(engine.planInstant('"a\\"b"', 0, context)), {
      resultType: "string",
      result: [0, 'a"b'],
    });
    assert.deepEqual(json(engine.planRange("time() / 7", 0, 2000, 1000, context)), {
      resultType: "matrix",
      result: [
        {
          metric: {},
          values: [
            [0, "0"],
            [1, "0.14285714285714285"],
            [2, "0.2857142857142857"],
          ],
        },
      ],
    });
  });

  test("only so many series as asked for", () => {
    const sink = new ValueSink();
    const plan = engine.planInstant("requests_total", atMs, context);
    const { leftOut } = engine.execute(plan, context, sink, { seriesMax: 3 });
    assert.ok(leftOut && sink.value.type === "vector" && sink.value.samples.length === 3);
    assert.ok(!engine.execute(plan, context, new ValueSink(), { seriesMax: 8 }).leftOut);
  });

  test("annotations have their place in the query", () => {
    const { infos, warnings } = engine.instant(
      "sum(\n  rate(temperature[5m])) + quantile(2, temperature)",
      atMs,
      context,
    );
    const name = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket";
    assert.deepEqual(infos, [`PromQL info: ${name}: "temperature" (2:8)`]);
    assert.deepEqual(warnings, ["PromQL warning: quantile value should be between 0 and 1, got 2 (2:37)"]);
  });

  test("a range query takes scalars and vectors only", () => {
    const { code, message } = failure(() => engine.planRange("requests_total[1m]", 0, 1, 1, context));
    assert.equal(code, "bad_data");
    assert.equal(
      message,
      'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    );
  });
});

test("windows that lie far apart are read one by one", () => {
  const long = new MemoryStorage(kernel);
  const labels = Labels.from({ __name__: "long_total" });
  const hourMs = 3_600_000;
  for (let i = 0; i < 5000; i++) long.append(labels, startMs + i * 15_000, i);
  let reads = 0;
  const counting = {
    querier: () => {
      const querier = long.querier();
      return {
        ...querier,
        select: (...args: Parameters<typeof querier.select>) => {
          const set = querier.select(...args);
          // Counted as a storage of chunks would, which these arrays are not.
          set.sampleCountMax = (_, minMs, maxMs) => Math.ceil((maxMs - minMs) / 15_000) + 60;
          const read = set.read.bind(set);
          set.read = (...readArgs) => {
            reads++;
            return read(...readArgs);
          };
          return set;
        },
      };
    },
  };
  for (const [query, value] of [
    ["rate(long_total[5m])", 1 / 15],
    ["count_over_time(long_total[5m])", 20],
    ["long_total - long_total offset 5m", 20],
  ] as const) {
    reads = 0;
    const args = [query, startMs + hourMs, startMs + 10 * hourMs, hourMs] as const;
    const { value: apart } = engine.range(...args, { ...context, queryable: counting });
    assert.equal(reads, query.includes("offset") ? 20 : 10);
    assert.ok(apart.type === "matrix");
    assert.deepEqual(
      apart.series[0]!.values.map((each) => each.toFixed(9)),
      Array<string>(10).fill(value.toFixed(9)),
    );
    assert.deepEqual(engine.range(...args, { ...context, queryable: long }).value, apart);
  }
});

describe("limits", () => {
  const fails = (query: string, changed: Partial<QueryContext>, code: ErrorCode, message: RegExp): void => {
    const error = failure(() => engine.range(query, startMs, atMs, 15_000, { ...context, ...changed }));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  };

  test("samples in memory", () => {
    const limits = { ...defaultLimits, samplesMax: 100 };
    fails(
      "requests_total",
      { limits },
      "execution",
      /^query processing would load too many samples into memory in query execution$/,
    );
  });

  test("shared memory", () => {
    const limits = { ...defaultLimits, memoryBytes: 1024 * 1024 };
    const query = "quantile(0.5, requests_total)";
    assert.match(
      failure(() => engine.range(query, startMs, startMs + 100_000, 1, { ...context, limits })).message,
      /memory budget of 1048576 bytes/,
    );
    assert.ok(engine.instant(query, atMs, context).value);
  });

  test("bytes of the answer", () => {
    const sink = new JsonSink(new ByteWriter(2000));
    const { code, message } = failure(() =>
      engine.execute(engine.planRange("requests_total", startMs, atMs, 15_000, context), context, sink),
    );
    assert.deepEqual([code, message], ["execution", "the result is larger than the limit of 2000 bytes"]);
    const fits = new JsonSink(new ByteWriter(2000));
    engine.execute(engine.planInstant("requests_total", atMs, context), context, fits);
    assert.ok(fits.finish().length < 2000);
  });

  test("steps of a subquery", () => {
    const limits = { ...defaultLimits, subqueryStepsMax: 100 };
    fails("sum_over_time(requests_total[1h:1s])", { limits }, "execution", /limit of 100$/);
  });

  test("time", () => {
    let nowMs = 0;
    const slow = { monotonicMs: () => (nowMs += 100), nowMs: () => 0, after: () => assert.fail() };
    const limits = { ...defaultLimits, timeoutMs: 50 };
    fails("requests_total", { limits, clock: slow }, "timeout", /^query timed out in expression evaluation$/);
  });

  test("cancelling", () => {
    let asked = 0;
    const isCancelled = (): boolean => ++asked > 2;
    fails("sum(requests_total) + sum(errors_total[2m:1s])", { isCancelled }, "bad_data", /expected type/);
    const query =
      "count(count_over_time(requests_total[2m:1s])) + quantile(0.1, latency_bucket) / on() count(latency_bucket) + count(latency_bucket + 0) + count(latency_bucket * 0) + count(latency_bucket / 0)";
    fails(query, { isCancelled }, "canceled", /^query was canceled in expression evaluation$/);
  });
});

describe("readers that share a query", () => {
  const shardCount = 3;

  /** The parts of all shards, having gone through what a message between threads does to them. */
  const partsOf = (plan: Plan, on = context): PartialResult[][] =>
    plan.fragments.map((_, fragment) =>
      Array.from({ length: shardCount }, (_, index) =>
        structuredClone(engine.evaluateFragment(plan, fragment, { index, count: shardCount }, on)),
      ),
    );

  const comparable = (result: QueryResult | { value: QueryResult["value"] }): Map<string, number> => {
    const { value } = result;
    const values = new Map<string, number>();
    if (value.type === "vector") {
      for (const { labels, value: each } of value.samples) values.set(labels.toString(), each);
    } else if (value.type === "matrix") {
      for (const { labels, timestampsMs, values: each } of value.series)
        timestampsMs.forEach((timestampMs, i) => values.set(`${labels.toString()} ${timestampMs}`, each[i]!));
    }
    return values;
  };

  const queries = [
    ["requests_total", 1],
    ['{__name__=~"requests_total|errors_total"}', 1],
    ["rate(requests_total[2m])", 1],
    ['rate({__name__=~"requests_.*"}[2m])', 1],
    ["sum(rate(requests_total[2m]))", 1],
    ["sum by (job) (temperature)", 1],
    ["avg by (job) (temperature)", 1],
    ["min by (job) (temperature)", 1],
    ["max(temperature)", 1],
    ["count by (__name__) ({job='a'})", 1],
    ["group by (instance) (temperature)", 1],
    ["stddev(temperature)", 1],
    ["stdvar by (job) (temperature > 0)", 1],
    ["topk(2, temperature)", 1],
    ["bottomk by (job) (1, temperature)", 1],
    ["quantile(0.5, temperature)", 1],
    ["histogram_quantile(0.9, sum by (le) (rate(latency_bucket[2m])))", 1],
    ["sum(errors_total) / sum(requests_total)", 2],
    ["sum(errors_total) / (sum(errors_total) + sum(requests_total))", 2],
    ["errors_total / requests_total", 1],
    ["errors_total / on(job, instance) requests_total", 2],
    ["rate(errors_total[2m]) > rate(requests_total[2m]) / 10", 1],
    ["temperature > 0 or requests_total", 1],
    ["temperature and errors_total", 1],
    ["sum(temperature unless errors_total)", 1],
    ["sum(abs(temperature) or -requests_total)", 1],
    ["max_over_time(temperature[5m:30s])", 1],
    ["avg_over_time(sum(temperature)[5m:30s])", 1],
    ["-temperature + time() / 2", 1],
    ["clamp(temperature, -1, 1)", 1],
    ["requests_total @ 1000000600", 1],
    ["absent(requests_total)", 1],
    ["scalar(sum(temperature)) * 2", 1],
    ["label_replace(temperature, 'k', '$1', 'instance', '(.*)')", 1],
    ["temperature * scalar(count(temperature))", 2],
  ] as const;

  for (const delayedNameRemoval of [false, true]) {
    const shared: QueryContext = { ...context, features: { delayedNameRemoval } };
    for (const [query, fragments] of queries) {
      test(`${query}${delayedNameRemoval ? ", names removed last" : ""}`, () => {
        const plans = [
          engine.planInstant(query, atMs, shared),
          engine.planRange(query, startMs + 300_000, atMs, 45_000, shared),
        ];
        for (const plan of plans) {
          assert.equal(plan.fragments.length, fragments);
          const alone = new ValueSink();
          engine.execute(plan, shared, alone);
          const together = new ValueSink();
          const parts = partsOf(plan, shared);
          engine.execute(plan, shared, together, { partials: (fragment) => parts[fragment]! });
          const [expected, actual] = [comparable(alone), comparable(together)];
          assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
          for (const [key, value] of actual) {
            const difference = Math.abs(value - expected.get(key)!);
            assert.ok(!(difference > 1e-12 * Math.abs(value)), `${key}: ${value}, ${expected.get(key)}`);
          }
        }
      });
    }
  }
});
