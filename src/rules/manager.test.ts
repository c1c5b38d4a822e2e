import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeText } from "@narthex/client";
import { slotOffsetMs } from "./schedule.ts";
import { queryFailure, RuleBench } from "./testing.ts";
import { listAlerts, listRules } from "./view.ts";

const minute = 60_000;
const start = 1_000_000 * minute + slotOffsetMs("rules.yml;g", minute);
const seconds = (minutes: number): number => start / 1000 + 60 * minutes;

const everything = { ruleNames: [], groupNames: [], files: [], matchers: [], excludeAlerts: false };

async function bench(content: string): Promise<RuleBench> {
  const it = new RuleBench(start - 1000);
  await it.load("groups: []");
  await it.load(content);
  it.manager.start();
  return it;
}

test("results are recorded, and end when they vanish", async () => {
  const it = await bench(
    "groups: [{name: g, query_offset: 30s, rules: [{record: r, expr: q, labels: {x: '1', job: ''}}]}]",
  );
  it.answers.set("q", [
    [{ __name__: "foo", job: "a", i: "1" }, 1],
    [{ i: "2" }, 2],
  ]);
  await it.clock.advance(1000);
  it.answers.set("q", [[{ i: "2" }, 3]]);
  await it.clock.advance(minute);
  assert.equal(it.storage.text('r{i="1", x="1"}'), `${seconds(-0.5)}:1 ${seconds(0.5)}:stale`);
  assert.equal(it.storage.text('r{i="2", x="1"}'), `${seconds(-0.5)}:2 ${seconds(0.5)}:3`);
});

test("a failed evaluation ends nothing and is counted", async () => {
  const it = await bench("groups: [{name: g, rules: [{record: r, expr: q}, {record: s, expr: q2}]}]");
  it.answers.set("q", [[{}, 1]]);
  it.answers.set("q2", [[{}, 1]]);
  await it.clock.advance(1000);
  it.answers.set("q", queryFailure("no"));
  await it.clock.advance(minute);
  assert.equal(it.storage.text("r"), `${seconds(0)}:1`);
  assert.equal(it.storage.text("s"), `${seconds(0)}:1 ${seconds(1)}:1`);
  const exposed = encodeText(it.registry.gather());
  assert.match(exposed, /prometheus_rule_evaluation_failures_total\{rule_group="rules.yml;g"\} 1\n/);
  assert.match(exposed, /prometheus_rule_evaluations_total\{rule_group="rules.yml;g"\} 4\n/);
  assert.match(exposed, /prometheus_rule_group_last_evaluation_samples\{rule_group="rules.yml;g"\} 1\n/);
  assert.match(exposed, /prometheus_rule_group_rules\{rule_group="rules.yml;g"\} 2\n/);
});

test("two results with one label set are an error", async () => {
  const it = await bench("groups: [{name: g, rules: [{record: r, expr: q, labels: {i: ''}}]}]");
  it.answers.set("q", [
    [{ i: "1" }, 1],
    [{ i: "2" }, 2],
  ]);
  await it.clock.advance(1000);
  const [rule] = it.manager.groups[0]!.rules;
  assert.equal(rule!.lastError, "vector contains metrics with the same labelset after applying rule labels");
});

test("reload: unchanged groups go on, changed ones keep state, removed series end", async () => {
  const alert = "{alert: A, expr: a, for: 5m}";
  const it = await bench(
    `groups: [{name: g, rules: [${alert}, {record: r, expr: q}]}, {name: h, rules: [{record: t, expr: q}]}]`,
  );
  it.answers.set("a", [[{ job: "a" }, 1]]);
  it.answers.set("q", [[{}, 1]]);
  await it.clock.advance(2 * minute);
  const [before, kept] = it.manager.groups;
  await it.load(
    `groups: [{name: g, rules: [${alert}, {record: s, expr: q}]}, {name: h, rules: [{record: t, expr: q}]}]`,
  );
  const [after, still] = it.manager.groups;
  assert.notEqual(after, before);
  assert.equal(still, kept);
  assert.equal(it.manager.activeAlerts[0]!.activeAtMs, start);
  await it.clock.advance(minute);
  assert.match(it.storage.text("r"), /:stale$/);
  await it.load("groups: [{name: g, rules: []}]");
  assert.equal(it.manager.groups.length, 1);
  await it.clock.advance(minute);
  assert.doesNotMatch(it.storage.text("t"), /stale/);
  await it.clock.advance(2 * minute);
  assert.match(it.storage.text("t"), /:stale$/);
  assert.doesNotMatch(encodeText(it.registry.gather()), /rules\.yml;h/);
});

test("a bad file keeps the old rules and says where it is wrong", async () => {
  const it = await bench("groups: [{name: g, rules: [{record: r, expr: q}]}]");
  await assert.rejects(it.load("groups:\n- name: g\n  rules:\n  - record: r\n    expr: 1 +\n"), {
    code: "bad_data",
    message:
      'error loading rules, previous rule set restored:\nrules.yml:5:11: group "g", rule 1, "r": could not parse expression: 1:4: parse error: unexpected end of input',
  });
  it.files.set("rules.yml", "groups: []");
  await assert.rejects(
    it.manager.update({
      files: ["gone.yml"],
      evaluationIntervalMs: minute,
      queryOffsetMs: 0,
      externalLabels:
        it.manager.groups[0]!.alertingRules[0]?.activeAlerts[0]?.labels ??
        (await import("../model/index.ts")).Labels.empty,
    }),
    /gone\.yml: ENOENT/,
  );
  assert.equal(it.manager.groups[0]!.rules[0]!.name, "r");
});

test("slow evaluations miss slots, and say so", async () => {
  const it = new RuleBench(start - 1000, undefined, {
    query: async () => {
      await new Promise<void>((resolve) => it.clock.after(2.5 * minute, resolve));
      return [];
    },
  });
  await it.load("groups: [{name: g, rules: [{record: r, expr: q}]}]");
  it.manager.start();
  await it.clock.advance(1000 + 10 * minute);
  const exposed = encodeText(it.registry.gather());
  assert.match(exposed, /prometheus_rule_group_iterations_missed_total\{rule_group="rules.yml;g"\} [3-6]\n/);
});

test("a clock set back does not silence a group", async () => {
  const it = await bench("groups: [{name: g, rules: [{record: r, expr: q}]}]");
  await it.clock.advance(5 * minute);
  const shifted = it.clock.nowMs.bind(it.clock);
  it.clock.nowMs = () => shifted() - 60 * minute;
  await it.clock.advance(minute);
  const asked = it.asked.length;
  await it.clock.advance(3 * minute);
  assert.ok(it.asked.length >= asked + 2);
});

test("what the API shows", async () => {
  const it = await bench(
    "groups: [{name: g, interval: 1m, rules: [{record: r, expr: q, labels: {team: x}}, {alert: A, expr: a > 0, for: 1m, labels: {team: y}, annotations: {s: '{{ $value }}'}}]}, {name: h, rules: [{record: r2, expr: q}]}]",
  );
  it.answers.set("a > 0", [[{ job: "a" }, 20]]);
  await it.clock.advance(1000);
  const { groups } = listRules(it.manager, everything);
  assert.equal(groups.length, 2);
  const group = groups[0] as Record<string, unknown> & { rules: Record<string, unknown>[] };
  const lastEvaluation = new Date(start).toISOString().replace(/0*Z$/, "Z");
  assert.deepEqual(group.rules[1], {
    state: "pending",
    name: "A",
    query: "a > 0",
    duration: 60,
    keepFiringFor: 0,
    labels: { team: "y" },
    annotations: { s: "{{ $value }}" },
    alerts: listAlerts(it.manager),
    health: "ok",
    evaluationTime: 0,
    lastEvaluation,
    type: "alerting",
  });
  const alert = listAlerts(it.manager)[0] as Record<string, unknown>;
  assert.equal(alert["value"], "2e+01");
  assert.equal(alert["activeAt"], lastEvaluation);
  const named = (filter: object): string[] =>
    listRules(it.manager, { ...everything, ...filter }).groups.map((one) => (one as { name: string }).name);
  assert.deepEqual(named({ type: "alert" }), ["g"]);
  assert.deepEqual(named({ matchers: ['{team="x"}'] }), ["g"]);
  assert.deepEqual(named({ ruleNames: ["r2"] }), ["h"]);
  const page = listRules(it.manager, { ...everything, groupLimit: 1 });
  assert.match(page.groupNextToken!, /^[0-9a-f]{64}$/);
  assert.deepEqual(named({ groupLimit: 1, groupNextToken: page.groupNextToken }), ["h"]);
  assert.throws(() => named({ groupLimit: 1, groupNextToken: "x" }), /were rule groups changed/);
});
