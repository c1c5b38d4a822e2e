import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { Hono } from "hono";
import { errorResponse } from "../../http/index.ts";
import type { BlockMeta } from "../../tsdb/index.ts";
import type { StatusView } from "../parts.ts";
import { addStatusRoutes } from "./status.ts";

const block: BlockMeta = {
  ulid: "01HF0000000000000000000000",
  minTime: 0,
  maxTime: 7_200_000,
  stats: {
    numSamples: 10,
    numFloatSamples: 10,
    numHistogramSamples: 0,
    numSeries: 2,
    numChunks: 2,
    numTombstones: 0,
  },
  compaction: { level: 1, sources: ["01HF0000000000000000000000"] },
  version: 1,
};

function setUp() {
  const registry = new Registry();
  const app = new Hono();
  app.onError((error) => errorResponse(error));
  const features = { api: { admin: false }, promql: { offset: true } };
  const status = { features: () => features, blocks: () => [block] } as unknown as StatusView;
  addStatusRoutes(app, status, registry);
  const ask = async (path: string): Promise<unknown> => (await app.request(path)).json();
  return { registry, ask, features };
}

test("features and blocks are shown, without counts that are 0", async () => {
  const { ask, features } = setUp();
  assert.deepEqual(await ask("/features"), { status: "success", data: features });
  assert.deepEqual(await ask("/status/tsdb/blocks"), {
    status: "success",
    data: {
      blocks: [{ ...block, stats: { numSamples: 10, numFloatSamples: 10, numSeries: 2, numChunks: 2 } }],
    },
  });
});

test("own metrics are shown as the JSON form of protobuf has them", async () => {
  const { registry, ask } = setUp();
  registry
    .counter({ name: "c_total", help: "C.", labelNames: ["a"] })
    .labels({ a: "1" })
    .inc(2);
  registry.gauge({ name: "g_seconds", help: "G.", unit: "seconds" }).set(-Infinity);
  registry.histogram({ name: "h", help: "H.", buckets: [1, 2] }).observe(1.5);
  registry.summary({ name: "s", help: "S.", quantiles: [0.5] });
  registry.counter({ name: "unused_total", help: "No label set yet.", labelNames: ["a"] });
  assert.deepEqual(await ask("/status/self_metrics"), {
    status: "success",
    data: [
      {
        name: "c_total",
        help: "C.",
        type: "COUNTER",
        metric: [{ label: [{ name: "a", value: "1" }], counter: { value: 2 } }],
      },
      {
        name: "g_seconds",
        help: "G.",
        type: "GAUGE",
        metric: [{ gauge: { value: "-Infinity" } }],
        unit: "seconds",
      },
      {
        name: "h",
        help: "H.",
        type: "HISTOGRAM",
        metric: [
          {
            histogram: {
              sampleCount: "1",
              sampleSum: 1.5,
              bucket: [
                { cumulativeCount: "0", upperBound: 1 },
                { cumulativeCount: "1", upperBound: 2 },
              ],
            },
          },
        ],
      },
      {
        name: "s",
        help: "S.",
        type: "SUMMARY",
        metric: [
          { summary: { sampleCount: "0", sampleSum: 0, quantile: [{ quantile: 0.5, value: "NaN" }] } },
        ],
      },
    ],
  });
  const names = async (pattern: string): Promise<unknown> => {
    const answer = (await ask(`/status/self_metrics?metric_name_pattern=${encodeURIComponent(pattern)}`)) as {
      data: { name: string }[];
    };
    return answer.data?.map(({ name }) => name) ?? answer;
  };
  assert.deepEqual(await names(".*s"), ["g_seconds", "s"]);
  assert.deepEqual(await names("c"), []);
  const refused = (await names("[x")) as { errorType: string; error: string };
  assert.equal(refused.errorType, "bad_data");
  assert.match(refused.error, /^invalid metric_name_pattern: /);
});
