import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import { type Alert, compareAlerts, createAlert, fingerprintOf, mergeAlerts, overlaps } from "./alert.ts";
import { AlertProvider } from "./alert-provider.ts";
import { createMetrics } from "./metrics.ts";
import { xxhash64 } from "./xxhash64.ts";

const any = (): boolean => true;
const labels = Labels.from({ alertname: "x" });

test("hashes are upstream's", () => {
  assert.equal(fingerprintOf(Labels.empty), "cbf29ce484222325");
  assert.equal(fingerprintOf(Labels.from({ alertname: "foo", severity: "critical" })), "8fa107ec8feba4bc");
  assert.equal(xxhash64(Buffer.from("")).toString(16), "ef46db3751d8e999");
  assert.equal(xxhash64(Buffer.from("a")).toString(16), "d24ec4f1a98c6e5b");
  assert.equal(xxhash64(Buffer.from("abc")).toString(16), "44bc2cf5ad770999");
  assert.equal(
    xxhash64(Buffer.from("Call me Ishmael. Some years ago--never mind how long precisely-")).toString(16),
    "2a2e85470d6fd96",
  );
});

test("absent times are filled in", () => {
  const at = (startsAtMs?: number, endsAtMs?: number): (number | boolean | undefined)[] => {
    const alert = createAlert({ labels, startsAtMs, endsAtMs }, 1000, 300, any);
    return [alert.startsAtMs, alert.endsAtMs, alert.timeout];
  };
  assert.deepEqual(at(), [1000, 1300, true]);
  assert.deepEqual(at(500), [500, 1300, true]);
  assert.deepEqual(at(undefined, 700), [700, 700, false]);
  assert.deepEqual(at(500, 700), [500, 700, false]);
  assert.throws(() => at(800, 700), /start time must be before end time/);
  assert.throws(() => createAlert({ labels: Labels.empty }, 0, 1, any), /at least one label pair required/);
});

test("reports of the same alert are merged when they overlap", () => {
  const report = (updatedAtMs: number, startsAtMs: number, endsAtMs: number, timeout = false): Alert => ({
    labels,
    annotations: Labels.empty,
    generatorUrl: "",
    startsAtMs,
    endsAtMs,
    updatedAtMs,
    timeout,
    fingerprint: "",
  });
  const nowMs = 100;
  const cases: [Alert, Alert, number, number][] = [
    // Both firing: the later end holds, unless it was only a timeout.
    [report(1, 10, 200), report(2, 20, 150), 10, 200],
    [report(1, 10, 200, true), report(2, 20, 150), 10, 150],
    [report(1, 10, 150), report(2, 20, 200), 10, 200],
    // Resolved now: that end holds, unless it had ended later already.
    [report(1, 10, 200), report(2, 20, 50), 10, 50],
    [report(1, 10, 80), report(2, 20, 50), 10, 80],
    // Order of arguments does not matter, the time of the update does.
    [report(2, 20, 50), report(1, 10, 200), 10, 50],
  ];
  for (const [a, b, startsAtMs, endsAtMs] of cases) {
    const merged = mergeAlerts(a, b, nowMs);
    assert.deepEqual([merged.startsAtMs, merged.endsAtMs], [startsAtMs, endsAtMs]);
  }
  assert.ok(overlaps(report(2, 20, 50), report(1, 10, 40)));
  assert.ok(!overlaps(report(2, 50, 60), report(1, 10, 40)));
  assert.ok(!overlaps(report(2, 10, 40), report(1, 10, 40)));
});

test("notifications list alerts by job, instance, labels; those without come last", () => {
  const of = (pairs: object) =>
    createAlert({ labels: Labels.from(pairs as Record<string, string>) }, 0, 1, any);
  const sorted = [
    { job: "a", instance: "1", z: "1" },
    { job: "a", instance: "2" },
    { job: "a", a: "1" },
    { job: "b" },
    { a: "1" },
    { a: "2" },
    { a: "0", b: "1" },
  ].map(of);
  assert.deepEqual(sorted.toReversed().sort(compareAlerts), sorted);
});

test("the provider bounds alerts per name, and forgets what has ended", async () => {
  const clock = new SimulatedClock(1_000_000);
  const metrics = createMetrics(new Registry());
  const options = { clock, logger: silentLogger, metrics, gcIntervalMs: 60_000, perAlertnameLimit: 2 };
  const provider = new AlertProvider(options);
  const put = (name: string, i: number, lastsMs: number): void => {
    const pairs = Labels.from({ alertname: name, i: String(i) });
    const nowMs = clock.nowMs();
    provider.put([
      createAlert({ labels: pairs, startsAtMs: nowMs, endsAtMs: nowMs + lastsMs }, nowMs, 1, any),
    ]);
  };
  put("a", 1, 1000);
  put("a", 2, 100_000);
  put("a", 3, 100_000);
  put("b", 1, 100_000);
  assert.equal([...provider.list()].length, 3);
  assert.equal(metrics.alertsLimited.value, 1);
  await clock.advance(2000);
  // The first has ended, so there is room.
  put("a", 3, 100_000);
  assert.deepEqual(provider.counts(), { active: 3, resolved: 0 });
  await clock.advance(200_000);
  assert.equal([...provider.list()].length, 0);
  provider.close();
});
