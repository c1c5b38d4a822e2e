import assert from "node:assert/strict";
import { test } from "node:test";
import { slotOffsetMs } from "./schedule.ts";
import { MemoryStorage, queryFailure, RuleBench } from "./testing.ts";

const minute = 60_000;
/** The group `rules.yml;g` has its slots at 0, 60, 120 … seconds of simulated time that starts here. */
const start = 1_000_000 * minute + slotOffsetMs("rules.yml;g", minute);

function group(rule: string): string {
  return `groups:\n- name: g\n  rules:\n  - ${rule}`;
}

async function bench(rule: string, storage = new MemoryStorage()): Promise<RuleBench> {
  // A restart is not the subject here: load twice, so that nothing waits for a restore.
  const it = new RuleBench(start - 1000, storage);
  await it.load("groups: []");
  await it.load(group(rule));
  it.manager.start();
  return it;
}

function states(it: RuleBench): string {
  return it.manager.activeAlerts.map((alert) => `${alert.labels.get("job")}:${alert.state}`).join(" ");
}

/** Times relative to the first slot, in minutes. */
function at(timestampMs: number): number {
  return (timestampMs - start) / minute;
}

const down = { __name__: "up", job: "a" };

test("pending, firing, resolved", async () => {
  const it = await bench("{alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}");
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(1000);
  assert.equal(states(it), "a:pending");
  assert.equal(it.sent.length, 0);
  await it.clock.advance(2 * minute);
  assert.equal(states(it), "a:firing");
  assert.equal(it.sent.length, 1);
  const [alert] = it.sent;
  assert.deepEqual(alert!.labels.toObject(), {
    __proto__: null,
    alertname: "Down",
    job: "a",
    severity: "page",
  });
  assert.equal(at(alert!.startsAtMs), 2);
  assert.equal(at(alert!.endsAtMs), 6);
  assert.equal(alert!.generatorUrl, "http://prom.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1");

  it.answers.set("up == 0", []);
  await it.clock.advance(minute);
  assert.equal(states(it), "");
  assert.equal(at(it.sent.at(-1)!.endsAtMs), 3);
  await it.clock.advance(20 * minute);
  assert.ok(it.sent.length > 5, "a resolved alert is sent again");
  assert.ok(at(it.sent.at(-1)!.endsAtMs) === 3);
  const count = it.sent.length;
  await it.clock.advance(5 * minute);
  assert.equal(it.sent.length, count, "but not for ever");

  const seconds = (n: number): number => start / 1000 + 60 * n;
  const labels = 'alertname="Down",job="a",severity="page"'.replaceAll(",", ", ");
  assert.equal(
    it.storage.text(`ALERTS{alertname="Down", alertstate="pending", job="a", severity="page"}`),
    `${seconds(0)}:1 ${seconds(1)}:1 ${seconds(2)}:stale`,
  );
  assert.equal(
    it.storage.text(`ALERTS{alertname="Down", alertstate="firing", job="a", severity="page"}`),
    `${seconds(2)}:1 ${seconds(3)}:stale`,
  );
  const active = Math.floor(start / 1000);
  assert.equal(
    it.storage.text(`ALERTS_FOR_STATE{${labels}}`),
    `${seconds(0)}:${active} ${seconds(1)}:${active} ${seconds(2)}:${active} ${seconds(3)}:stale`,
  );
});

test("keep_firing_for bridges gaps", async () => {
  const it = await bench("{alert: Down, expr: up == 0, keep_firing_for: 3m}");
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(1000);
  assert.equal(states(it), "a:firing");
  it.answers.set("up == 0", []);
  await it.clock.advance(3 * minute);
  assert.equal(states(it), "a:firing");
  assert.ok(it.manager.activeAlerts[0]!.keepFiringSinceMs !== undefined);
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(minute);
  assert.equal(it.manager.activeAlerts[0]!.keepFiringSinceMs, undefined);
  it.answers.set("up == 0", []);
  await it.clock.advance(4 * minute);
  assert.equal(states(it), "");
});

test("labels and annotations are templates", async () => {
  const it = await bench(
    `{alert: Down, expr: up == 0, labels: {title: "{{ $labels.job | toUpper }}@{{ $externalLabels.cluster }}"}, annotations: {a: '{{ with query "x" }}{{ . | first | value }}{{ end }} {{ $value | humanize }}', b: '{{ template "nope" }}'}}`,
  );
  it.answers.set("up == 0", [[down, 1234.5]]);
  it.answers.set("x", [[{}, 7]]);
  await it.clock.advance(1000);
  const [alert] = it.manager.activeAlerts;
  assert.equal(alert!.labels.get("title"), "A@eu");
  assert.equal(alert!.annotations.get("a"), "7 1.234k");
  assert.match(
    alert!.annotations.get("b"),
    /^<error expanding template: error executing template __alert_Down: /,
  );
});

test("elements that become the same alert are an error", async () => {
  const it = await bench("{alert: Down, expr: up == 0, labels: {instance: all}}");
  it.answers.set("up == 0", [
    [{ ...down, instance: "1" }, 0],
    [{ ...down, instance: "2" }, 0],
  ]);
  await it.clock.advance(1000);
  const [rule] = it.manager.groups[0]!.rules;
  assert.equal(rule!.health, "err");
  assert.equal(rule!.lastError, "vector contains metrics with the same labelset after applying alert labels");
});

test("too many alerts are none at all", async () => {
  const it = new RuleBench(start - 1000);
  await it.load("groups: []");
  await it.load("groups: [{name: g, limit: 1, rules: [{alert: Down, expr: up == 0}]}]");
  it.manager.start();
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(1000);
  assert.equal(states(it), "a:firing");
  it.answers.set("up == 0", [
    [down, 0],
    [{ ...down, job: "b" }, 0],
  ]);
  await it.clock.advance(minute);
  assert.equal(it.manager.groups[0]!.rules[0]!.lastError, "exceeded limit of 1 with 2 alerts");
  assert.equal(states(it), "");
});

test("a failed query leaves the alerts as they are", async () => {
  const it = await bench("{alert: Down, expr: up == 0, for: 2m}");
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(1000);
  it.answers.set("up == 0", queryFailure("storage is away"));
  await it.clock.advance(minute);
  assert.equal(states(it), "a:pending");
  assert.equal(it.manager.groups[0]!.rules[0]!.lastError, "storage is away");
  it.answers.set("up == 0", [[down, 0]]);
  await it.clock.advance(minute);
  assert.equal(states(it), "a:firing");
});

async function restarted(pendingMinutes: number, downMinutes: number): Promise<RuleBench> {
  const rule = "{alert: Slow, expr: up == 0, for: 30m}";
  const before = await bench(rule);
  before.answers.set("up == 0", [[down, 0]]);
  await before.clock.advance(1000 + pendingMinutes * minute);
  await before.manager.stop();
  const after = new RuleBench(before.clock.nowMs() + downMinutes * minute - 1000, before.storage);
  after.answers.set("up == 0", [[down, 0]]);
  await after.load(group(rule));
  after.manager.start();
  return after;
}

test("after a restart `for` goes on where it was", async () => {
  const it = await restarted(5, 10);
  await it.clock.advance(1000);
  assert.equal(
    it.storage.text(`ALERTS{alertname="Slow", alertstate="pending", job="a"}`).split(" ").length,
    6,
  );
  await it.clock.advance(minute);
  // Restored after the second evaluation: 5 minutes pending before, the 10 to 11 in between do not count.
  assert.equal(Math.round(at(it.manager.activeAlerts[0]!.activeAtMs)), 11);
  await it.clock.advance(24 * minute);
  assert.equal(states(it), "a:pending");
  await it.clock.advance(2 * minute);
  assert.equal(states(it), "a:firing");
});

test("an alert that was about to fire waits for the grace period", async () => {
  const it = await restarted(25, 10);
  await it.clock.advance(1000 + minute);
  await it.clock.advance(9 * minute);
  assert.equal(states(it), "a:pending");
  await it.clock.advance(2 * minute);
  assert.equal(states(it), "a:firing");
});

test("an alert that fired fires again at once, unless the outage was long", async () => {
  const it = await restarted(40, 10);
  await it.clock.advance(1000 + 2 * minute);
  assert.equal(states(it), "a:firing");
  const late = await restarted(40, 70);
  await late.clock.advance(1000 + 2 * minute);
  assert.equal(states(late), "a:pending");
});
