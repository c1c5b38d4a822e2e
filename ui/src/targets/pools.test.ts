import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../api/types.ts";
import { countHealth, discoveredPools, poolsOf } from "./pools.ts";

const target = (scrapePool: string, instance: string, health: Target["health"], lastError = ""): Target => ({
  discoveredLabels: { __address__: instance },
  labels: { instance, job: scrapePool },
  scrapePool,
  scrapeUrl: `http://${instance}/metrics`,
  globalUrl: `http://${instance}/metrics`,
  lastError,
  lastScrape: "2026-11-20T06:00:00Z",
  lastScrapeDuration: 0.01,
  health,
  scrapeInterval: "15s",
  scrapeTimeout: "10s",
});

const targets = [
  target("b", "x:1", "up"),
  target("a", "y:1", "down", "connection refused"),
  target("b", "z:1", "unknown"),
];

test("targets are gathered by pool, with counts of all of them", () => {
  const pools = poolsOf(targets, "all", "");
  assert.deepEqual(
    pools.map(({ name, total, up, down, shown }) => [name, total, up, down, shown.length]),
    [
      ["a", 1, 0, 1, 1],
      ["b", 2, 1, 0, 2],
    ],
  );
  assert.deepEqual(countHealth(targets), { all: 3, up: 1, down: 1, unknown: 1 });
});

test("filters leave out targets, and pools without any", () => {
  assert.deepEqual(
    poolsOf(targets, "up", "").map(({ name, total, shown }) => [name, total, shown.length]),
    [["b", 2, 1]],
  );
  assert.deepEqual(
    poolsOf(targets, "all", "refused").map(({ name }) => name),
    ["a"],
  );
});

test("dropped targets are counted even where they are not kept", () => {
  const [pool] = discoveredPools(
    {
      activeTargets: [targets[0]!],
      droppedTargets: [{ discoveredLabels: { __address__: "q:1", job: "b" } }],
      droppedTargetCounts: { b: 12 },
    },
    "",
  );
  assert.deepEqual([pool!.activeTotal, pool!.dropped.length, pool!.droppedTotal], [1, 1, 12]);
});
