import assert from "node:assert/strict";
import { test } from "node:test";
import { NarthexError } from "../base/index.ts";
import { Matcher } from "../model/index.ts";
import { singleNode } from "./cluster.ts";
import { NotifyError } from "./notify/notifier.ts";
import { simulate } from "./simulation.ts";

const oneReceiver = (route: string, more = ""): string =>
  `route: {receiver: r, group_by: [g], group_wait: 30s, group_interval: 5m, repeat_interval: 4h${route}}\nreceivers: [{name: r}]\n${more}`;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

test("a group waits, gathers, tells news at its interval, and repeats", async () => {
  const way = simulate({ config: oneReceiver("") });
  way.put({ alertname: "a", g: "1" }, 86_400);
  await way.clock.advance(20_000);
  way.put({ alertname: "b", g: "1" }, 86_400);
  way.put({ alertname: "c", g: "2" }, 86_400);
  await way.clock.advance(9_999);
  assert.deepEqual(way.take(), []);
  await way.clock.advance(30_000);
  assert.deepEqual(way.take(), ["30s r 1 first notification: a b", "50s r 2 first notification: c"]);
  way.put({ alertname: "d", g: "1" }, 86_400);
  await way.clock.advance(5 * minute);
  assert.deepEqual(way.take(), ["330s r 1 new alerts added: a b d"]);
  await way.clock.advance(4 * hour);
  // The repetition waits for the next flush after the interval has passed.
  assert.deepEqual(way.take(), ["14750s r 2 repeat interval elapsed: c"]);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["15030s r 1 repeat interval elapsed: a b d"]);
  await way.close();
});

test("ended alerts are told of once, and the group goes with the last", async () => {
  const way = simulate({ config: oneReceiver("") });
  way.put({ alertname: "a", g: "1" });
  way.put({ alertname: "b", g: "1" });
  await way.clock.advance(minute);
  assert.deepEqual(way.take(), ["30s r 1 first notification: a b"]);
  way.put({ alertname: "a", g: "1" }, 0);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["330s r 1 some alerts resolved: -a b"]);
  way.put({ alertname: "b", g: "1" }, 0);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["930s r 1 all alerts resolved: -b"]);
  assert.equal(way.dispatcher.groups().length, 0);
  await way.clock.advance(day);
  assert.deepEqual(way.take(), []);
  // A fresh start for the same group.
  way.put({ alertname: "a", g: "1" });
  await way.clock.advance(minute);
  assert.deepEqual(way.take().length, 1);
  await way.close();
});

test("who does not want to hear of ended alerts does not, and hears when they fire again", async () => {
  const way = simulate({ config: oneReceiver(""), sendResolved: false });
  way.put({ alertname: "a", g: "1" });
  await way.clock.advance(minute);
  way.put({ alertname: "a", g: "1" }, 0);
  await way.clock.advance(10 * minute);
  way.put({ alertname: "a", g: "1" });
  await way.clock.advance(minute);
  assert.deepEqual(way.take(), ["30s r 1 first notification: a", "690s r 1 first notification: a"]);
  await way.close();
});

test("what ended before anyone heard of it is not told", async () => {
  const way = simulate({ config: oneReceiver("") });
  way.put({ alertname: "a", g: "1" }, 10);
  await way.clock.advance(hour);
  assert.deepEqual(way.take(), []);
  await way.close();
});

test("alerts time out on their own, and an old one does not wait again", async () => {
  const way = simulate({ config: oneReceiver("") });
  way.put({ alertname: "a", g: "1" }, 120);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["30s r 1 first notification: a", "330s r 1 all alerts resolved: -a"]);
  await way.close();
  const later = simulate({ config: oneReceiver(""), startDelayMs: 5000 });
  later.put({ alertname: "a", g: "1" }, 3600);
  await later.clock.advance(29_000);
  assert.deepEqual(later.take(), []);
  await later.clock.advance(1000);
  assert.deepEqual(later.take(), ["30s r 1 first notification: a"]);
  await later.close();
});

test("a restart does not repeat what was told", async () => {
  const files = new Map<string, Uint8Array>();
  const config = oneReceiver("");
  const before = simulate({ config, files });
  before.put({ alertname: "a", g: "1" }, 86_400);
  await before.clock.advance(minute);
  assert.equal(before.take().length, 1);
  await before.close();
  const after = simulate({ config, files, startMs: before.clock.nowMs() });
  after.put({ alertname: "a", g: "1" }, 86_400);
  await after.clock.advance(hour);
  assert.deepEqual(after.take(), []);
  after.put({ alertname: "a", g: "1" }, 0);
  await after.clock.advance(10 * minute);
  assert.deepEqual(after.take(), ["3630s r 1 all alerts resolved: -a"]);
  await after.close();
});

test("routes: depth first, the first child that takes it, its parent only without one", async () => {
  const config = `
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  routes:
  - matchers: [team=a]
    receiver: a
    continue: true
    routes:
    - {matchers: [severity=page], receiver: a-pager}
  - {match_re: {team: a|b}, receiver: ab, group_by: ['...']}
  - {matchers: [team=b], receiver: never}
receivers: [{name: root}, {name: a}, {name: a-pager}, {name: ab}, {name: never}]
`;
  const way = simulate({ config });
  const cases: [Record<string, string>, string[]][] = [
    [{ alertname: "x" }, ["root x"]],
    [{ alertname: "x", team: "a" }, ["a x", "ab x/a"]],
    [{ alertname: "x", team: "a", severity: "page" }, ["a-pager x", "ab x/page/a"]],
    [{ alertname: "x", team: "b" }, ["ab x/b"]],
    [{ alertname: "x", team: "c" }, []],
  ];
  for (const [labels, expected] of cases) {
    way.put(labels);
    await way.clock.advance(1000);
    const got = way.sent.splice(0).map(({ receiver, group }) => `${receiver} ${group}`);
    assert.deepEqual(got.sort(), expected, JSON.stringify(labels));
  }
  const keys = way.dispatcher.groups().map(({ group }) => group.key);
  assert.ok(keys.includes(`{}/{team="a"}/{severity="page"}:{alertname="x"}`), keys.join("\n"));
  assert.ok(keys.includes(`{}/{team=~"a|b"}:{alertname="x", severity="page", team="a"}`), keys.join("\n"));
  await way.close();
});

test("inhibition: equal labels, absent ones included; never by itself or its like", async () => {
  const rules = `inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=~"warning|critical"], equal: [node]}
- {source_match: {alertname: down}, target_match_re: {alertname: "slow.*"}}
`;
  const way = simulate({ config: oneReceiver(", routes: []", rules) });
  const firing = async (labels: Record<string, string>): Promise<boolean> => {
    way.put({ ...labels, g: labels["alertname"]! });
    await way.clock.advance(minute);
    return way.sent.splice(0).some(({ alerts }) => alerts === labels["alertname"]);
  };
  assert.ok(await firing({ alertname: "c", severity: "critical", node: "1" }));
  assert.ok(!(await firing({ alertname: "w1", severity: "warning", node: "1" })));
  assert.ok(await firing({ alertname: "w2", severity: "warning", node: "2" }));
  assert.ok(await firing({ alertname: "w3", severity: "warning" }));
  assert.ok(await firing({ alertname: "c2", severity: "critical", node: "1" }));
  assert.ok(await firing({ alertname: "c3", severity: "critical" }));
  assert.ok(!(await firing({ alertname: "w4", severity: "warning" })));
  assert.ok(await firing({ alertname: "down" }));
  assert.ok(!(await firing({ alertname: "slowly", node: "9" })));
  // When the source ends, its target is heard at the next flush.
  way.put({ alertname: "down", g: "down" }, 0);
  await way.clock.advance(6 * minute);
  assert.ok(way.sent.some(({ alerts }) => alerts === "slowly"));
  await way.close();
});

test("inhibition: two labels are equal each by itself, whatever characters they hold", async () => {
  const rules =
    "inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [x, y]}]\n";
  const way = simulate({ config: oneReceiver("", rules) });
  way.put({ alertname: "c", severity: "critical", x: "aÿ", y: "b", g: "1" });
  way.put({ alertname: "w", severity: "warning", x: "a", y: "ÿb", g: "2" });
  await way.clock.advance(minute);
  assert.deepEqual(way.sent.map(({ alerts }) => alerts).sort(), ["c", "w"]);
  await way.close();
});

test("silences hold notifications back while they are active", async () => {
  const way = simulate({ config: oneReceiver("") });
  const nowMs = way.clock.nowMs();
  const id = way.silences.set({
    matcherSets: [[new Matcher("=~", "alertname", "a.*"), new Matcher("!=", "g", "2")]],
    receiverMatcherSets: [],
    startsAtMs: nowMs,
    endsAtMs: nowMs + hour,
    createdBy: "me",
    comment: "",
    annotations: new Map(),
  });
  way.put({ alertname: "a1", g: "1" }, 86_400);
  way.put({ alertname: "b", g: "1" }, 86_400);
  way.put({ alertname: "a2", g: "2" }, 86_400);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["30s r 1 first notification: b", "30s r 2 first notification: a2"]);
  way.silences.expire(id);
  await way.clock.advance(10 * minute);
  assert.deepEqual(way.take(), ["630s r 1 new alerts added: a1 b"]);
  await way.close();
});

test("muted and active times hold the whole group back until they are over", async () => {
  const config = `
route:
  receiver: r
  group_by: [g]
  group_wait: 0s
  group_interval: 5m
  routes:
  - {matchers: [g=muted], mute_time_intervals: [night]}
  - {matchers: [g=active], active_time_intervals: [office]}
receivers: [{name: r}]
time_intervals:
- {name: night, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}
- {name: office, time_intervals: [{times: [{start_time: "09:00", end_time: "10:00"}], location: Asia/Tokyo}]}
`;
  const way = simulate({ config, startMs: Date.UTC(2026, 0, 1, 1) });
  way.put({ alertname: "a", g: "muted" }, 2 * 86_400);
  way.put({ alertname: "b", g: "active" }, 2 * 86_400);
  way.put({ alertname: "c", g: "free" }, 2 * 86_400);
  await way.clock.advance(4 * hour);
  assert.deepEqual(way.take(), ["0s r free first notification: c"]);
  const muted = way.dispatcher.groups().map(({ group }) => [...way.pipeline.mutedBy(group)].join());
  assert.deepEqual(muted.sort(), ["", "night", "office"]);
  await way.clock.advance(20 * hour);
  // 09:00 in Tokyo is 00:00 in UTC, an hour before the simulation's time of day.
  const first = way.sent.filter(({ reason }) => reason === "first notification");
  assert.deepEqual(
    first.map(({ group, second }) => `${group} ${second / 3600}`),
    ["muted 5", "active 23"],
  );
  await way.close();
});

test("a failing receiver is tried again with growing patience, then with the next flush", async () => {
  let attempts = 0;
  let broken = true;
  const way = simulate({
    config: oneReceiver(""),
    respond: () => {
      attempts++;
      if (broken) throw new NotifyError("unexpected status code 500", true, "serverError");
    },
  });
  way.put({ alertname: "a", g: "1" }, 86_400);
  await way.clock.advance(30_000 + 5 * minute);
  assert.ok(attempts > 10 && attempts < 20, `${attempts} attempts`);
  broken = false;
  await way.clock.advance(2 * minute);
  assert.deepEqual(way.take(), ["330s r 1 first notification: a"]);
  const text = way.registry.expose();
  assert.match(
    text,
    /alertmanager_notifications_failed_total\{integration="simulated",reason="serverError"\} 1/,
  );
  assert.match(text, /alertmanager_notifications_total\{integration="simulated"\} 2/);
  await way.close();
});

test("what cannot work is not tried again before the next flush, and then is", async () => {
  let attempts = 0;
  const way = simulate({
    config: oneReceiver(""),
    respond: () => {
      attempts++;
      throw new NotifyError("unexpected status code 400", false, "clientError");
    },
  });
  way.put({ alertname: "a", g: "1" }, 86_400);
  await way.clock.advance(4 * minute);
  assert.equal(attempts, 1);
  await way.clock.advance(5 * minute);
  assert.equal(attempts, 2);
  await way.close();
});

test("in a cluster the node waits for those before it, and says nothing if they have spoken", async () => {
  let position = 0;
  const broadcasts: Uint8Array[] = [];
  const cluster = (at: () => number) => ({
    ...singleNode,
    position: at,
    broadcast: (state: string, entry: Uint8Array) => void (state === "nflog" && broadcasts.push(entry)),
  });
  const first = simulate({ config: oneReceiver(""), cluster: cluster(() => 0) });
  position = 1;
  const second = simulate({ config: oneReceiver(""), cluster: cluster(() => position) });
  for (const node of [first, second]) node.put({ alertname: "a", g: "1" }, 86_400);
  await first.clock.advance(minute);
  assert.equal(first.take().length, 1);
  await second.clock.advance(31_000);
  for (const entry of broadcasts) second.log.merge(entry);
  await second.clock.advance(minute);
  assert.deepEqual(second.take(), []);
  await Promise.all([first.close(), second.close()]);
});

test("silences: what may be changed in place, what makes a new one, what is refused", async () => {
  const way = simulate({ config: oneReceiver("") });
  const nowMs = way.clock.nowMs();
  const draft = {
    matcherSets: [[new Matcher("=", "a", "b")]],
    receiverMatcherSets: [],
    startsAtMs: nowMs,
    endsAtMs: nowMs + hour,
    createdBy: "me",
    comment: "c",
    annotations: new Map(),
  };
  const active = way.silences.set(draft);
  assert.equal(way.silences.set({ ...draft, id: active, endsAtMs: nowMs + 2 * hour }), active);
  const other = way.silences.set({ ...draft, id: active, matcherSets: [[new Matcher("=", "a", "c")]] });
  assert.notEqual(other, active);
  assert.deepEqual(way.silences.counts(), { active: 1, pending: 0, expired: 1 });
  const pending = way.silences.set({ ...draft, startsAtMs: nowMs + minute });
  assert.equal(way.silences.set({ ...draft, id: pending, startsAtMs: nowMs + 2 * minute }), pending);
  assert.notEqual(way.silences.set({ ...draft, id: active }), active);
  const refused: [object, RegExp][] = [
    [
      { matcherSets: [[new Matcher("=~", "a", ".*")]] },
      /at least one matcher must not match the empty string/,
    ],
    [{ matcherSets: [[]] }, /matcher set 0 is empty/],
    [{ matcherSets: [] }, /at least one matcher set required/],
    [{ endsAtMs: nowMs - 1 }, /end time must not be before start time/],
    [{ id: "00000000-0000-0000-0000-000000000000" }, /silence not found/],
  ];
  for (const [change, message] of refused) {
    assert.throws(
      () => way.silences.set({ ...draft, ...change }),
      (error: Error) => {
        return error instanceof NarthexError && message.test(error.message);
      },
    );
  }
  assert.throws(() => way.silences.expire(active), /already expired/);
  // Expired silences are forgotten after the retention.
  await way.clock.advance(6 * day);
  assert.deepEqual(way.silences.counts(), { active: 0, pending: 0, expired: 0 });
  await way.close();
});

test("a program that changed nothing leaves the files alone when it ends", async () => {
  const files = new Map<string, Uint8Array>();
  await simulate({ config: oneReceiver(""), files }).close();
  assert.deepEqual([...files.keys()], []);
  const way = simulate({ config: oneReceiver(""), files });
  way.put({ alertname: "a", g: "1" });
  await way.clock.advance(31_000);
  await way.close();
  assert.deepEqual([...files.keys()], ["nflog"], "what has changed is written at the end, before its time");
});

test("silences survive a restart; damage costs what is damaged", async () => {
  const files = new Map<string, Uint8Array>();
  const config = oneReceiver("");
  const before = simulate({ config, files });
  const nowMs = before.clock.nowMs();
  const ids = ["b", "c"].map((value) =>
    before.silences.set({
      matcherSets: [[new Matcher("!~", "a", `${value}|x`), new Matcher("=", "é", "🙂")]],
      receiverMatcherSets: [],
      startsAtMs: nowMs,
      endsAtMs: nowMs + day,
      createdBy: "me",
      comment: value,
      annotations: new Map([["ticket", "7"]]),
    }),
  );
  // A change is on disk within moments, not only at the end.
  await before.clock.advance(2000);
  const written = files.get("silences")!;
  const again = simulate({ config, files: new Map([["silences", written]]), startMs: nowMs + minute });
  assert.deepEqual(again.silences.get(ids[0]!), before.silences.get(ids[0]!));
  const torn = new Map([["silences", written.subarray(0, written.length - 3)]]);
  const damaged = simulate({ config, files: torn, startMs: nowMs + minute });
  assert.equal(damaged.silences.list().length, 1);
  assert.ok([...torn.keys()].some((name) => name.startsWith("silences.damaged-")));
  await Promise.all([before.close(), again.close(), damaged.close()]);
});
