import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { type Disk, silentLogger, systemDisk } from "../base/index.ts";
import { formatNotation, Labels, parseHistogram } from "../model/index.ts";
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

async function startRules(opened: Opened, rules = ruleFile): Promise<RuleManager> {
  const disk: Disk = { ...systemDisk, readFile: () => new TextEncoder().encode(rules) };
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

test("recording rules store native histograms, and alerts tell of them", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const opened = await openTest(directory);
  const manager = await startRules(
    opened,
    `
groups:
- name: h
  interval: 1m
  rules:
  - {record: "h:sum", expr: "sum(h)"}
  - {record: "h:rate", expr: "rate(h[2m])"}
  - {alert: Busy, expr: "h", annotations: {value: "{{ $value }}", all: '{{ range query "h" }}{{ .Value }}{{ end }}'}}
`,
  );
  const { tsdb, clock } = opened;
  for (let i = 1; i <= 12; i++) {
    const appender = tsdb.appender();
    const histogram = parseHistogram(`count:${3 * i} sum:${i} buckets:[${i} ${2 * i}]`).histogram;
    appender.appendHistogram(
      appender.reference(Labels.from({ __name__: "h" })),
      clock.nowMs(),
      histogram,
      "integer",
    );
    appender.commit();
    await clock.advance(minute / 2);
  }
  const last = async (query: string): Promise<string> => {
    const [sample] = await queryOf(opened)(query, clock.nowMs(), { file: "", name: "" });
    return formatNotation(sample!.histogram!);
  };
  assert.match(await last("h:sum"), /^\{\{count:3\d sum:1\d .*buckets:\[1\d 2\d\]\}\}$/);
  assert.match(await last("h:rate"), /^\{\{count:0\.(?:1|09+) sum:0\.03\d* .*counter_reset_hint:gauge/);
  const [alert] = manager.activeAlerts;
  assert.match(alert!.annotations.get("value"), /^\{count:3\d, sum:1\d, \(0\.5,1\]:1\d, \(1,2\]:2\d\}$/);
  assert.equal(alert!.annotations.get("all"), alert!.annotations.get("value"));
  await manager.stop();
  await tsdb.close();
});
