import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { type Disk, silentLogger, systemDisk } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import { defaultLimits, Engine, type QueryContext } from "../promql/index.ts";
import { abandon, baseTimeMs, type Opened, openTest, temporaryDirectory } from "../tsdb/test-support.ts";
import { createLastSamples } from "./last-samples.ts";
import { RuleManager } from "./manager.ts";
import type { QueryFunction, VectorSample } from "./rule.ts";

const minute = 60_000;

const ruleFile = `
groups:
- name: g
  interval: 1m
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: job:up:sum == 0
    for: 20m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.job }}: {{ $value }}"}
`;

function queryOf({ tsdb, kernel, clock }: Opened): QueryFunction {
  const engine = new Engine();
  const context: QueryContext = {
    queryable: tsdb.queryable,
    kernel,
    clock,
    limits: defaultLimits,
    lookbackDeltaMs: 5 * minute,
    defaultEvalIntervalMs: minute,
  };
  return (query, timestampMs) => {
    const { value } = engine.instant(query, timestampMs, context);
    assert.ok(value.type === "vector");
    return Promise.resolve<readonly VectorSample[]>(value.samples);
  };
}

async function startRules(opened: Opened): Promise<RuleManager> {
  const disk: Disk = { ...systemDisk, readFile: () => new TextEncoder().encode(ruleFile) };
  const manager = new RuleManager({
    query: queryOf(opened),
    lastSamples: createLastSamples(opened.tsdb.queryable, opened.kernel),
    appendable: opened.tsdb,
    notify: () => {},
    disk,
    clock: opened.clock,
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: new URL("http://localhost:9090"),
    forGracePeriodMs: 5 * minute,
  });
  const settings = {
    files: ["r.yml"],
    evaluationIntervalMs: minute,
    queryOffsetMs: 0,
    externalLabels: Labels.empty,
  };
  await manager.update(settings);
  manager.start();
  return manager;
}

/** Lets `minutes` pass while `up` is scraped every 30 seconds. */
async function live({ tsdb, clock }: Opened, minutes: number, up: number): Promise<void> {
  for (let i = 0; i < 2 * minutes; i++) {
    const appender = tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "up", job: "a", i: "1" })), clock.nowMs(), up);
    appender.commit();
    await clock.advance(minute / 2);
  }
}

test("rules over the real storage: chained, written ahead, and restored after a crash", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const first = await openTest(directory, { nowMs: baseTimeMs });
  const before = await startRules(first);
  await live(first, 3, 1);
  assert.equal(before.activeAlerts.length, 0);
  await live(first, 10, 0);
  const [pending] = before.activeAlerts;
  assert.equal(pending!.state, "pending");
  assert.equal(pending!.annotations.get("summary"), "a: 0");
  const ask = queryOf(first);
  const [stored] = await ask('ALERTS{alertstate="pending"}', first.clock.nowMs(), { file: "", name: "" });
  assert.equal(
    stored!.labels.toMetricString(),
    'ALERTS{alertname="Down", alertstate="pending", job="a", severity="page"}',
  );
  const pendingMs = first.clock.nowMs() - pending!.activeAtMs;
  await before.stop();
  abandon(directory);

  const downMs = 3 * minute;
  const second = await openTest(directory, { nowMs: first.clock.nowMs() + downMs });
  const after = await startRules(second);
  await live(second, 3, 0);
  const [restored] = after.activeAlerts;
  const activeMs = second.clock.nowMs() - restored!.activeAtMs;
  // Three minutes and what was pending before, less up to an interval on either side of the crash.
  assert.ok(Math.abs(activeMs - pendingMs - 3 * minute) <= 2 * minute, `active for ${activeMs / minute} min`);
  await live(second, 10, 0);
  assert.equal(after.activeAlerts[0]!.state, "firing");
  await live(second, 2, 1);
  assert.equal(after.activeAlerts.length, 0);
  await after.stop();
  await second.tsdb.close();
});
