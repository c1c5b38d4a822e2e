import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { createAlertmanager } from "../alertmanager.ts";
import { memoryDisk } from "../simulation.ts";

const config = `
route:
  receiver: default
  group_by: [alertname]
  labels: {owner: "{{ .GroupLabels.alertname }}-team"}
  routes:
  - {matchers: [team=a], receiver: team-a, continue: true}
  - {matchers: [team=~"a|b"], receiver: team-ab}
inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [alertname]}]
receivers: [{name: default}, {name: team-a, labels: {tier: "1"}}, {name: team-ab}]
`;

function start(t: TestContext, text: { value: string } = { value: config }, routePrefix = "") {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1));
  const registry = new Registry();
  const alertmanager = createAlertmanager({
    loadConfig: () => ({ text: text.value, file: "am.yml" }),
    clock,
    disk: memoryDisk(),
    storagePath: "data",
    externalUrl: "http://am",
    routePrefix,
    logger: silentLogger,
    registry,
    build: { version: "1.2.3", revision: "", branch: "", buildUser: "", buildDate: "", goVersion: "" },
  });
  t.after(() => alertmanager.close());
  const ask = async (method: string, url: string, body?: unknown) => {
    const response = await alertmanager.app.request(`http://am${url}`, {
      method,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const answer = await response.text();
    const json = (): any => JSON.parse(answer);
    return { status: response.status, headers: response.headers, text: answer, json };
  };
  const get = async (url: string): Promise<any> => (await ask("GET", url)).json();
  return { alertmanager, ask, get, clock, registry };
}

const at = (minutes: number): string => new Date(Date.UTC(2026, 0, 1, 0, minutes)).toISOString();

test("alerts in and out", async (t) => {
  const { ask, get } = start(t);
  const posted = await ask("POST", "/api/v2/alerts", [
    {
      labels: { alertname: "x", team: "a", empty: "" },
      annotations: { summary: "s" },
      generatorURL: "http://p/g",
    },
    { labels: { alertname: "x", team: "b" }, startsAt: at(-10), endsAt: at(10) },
    { labels: { alertname: "gone" }, startsAt: at(-10), endsAt: at(-5) },
  ]);
  assert.deepEqual([posted.status, posted.text], [200, ""]);
  const alerts = await get("/api/v2/alerts");
  assert.deepEqual(
    alerts.map((alert: any) => [alert.labels, alert.receivers.map(({ name }: any) => name)]).sort(),
    [
      [{ alertname: "x", team: "a" }, ["team-a", "team-ab"]],
      [{ alertname: "x", team: "b" }, ["team-ab"]],
    ],
  );
  const own = alerts.find((alert: any) => alert.labels.team === "a");
  assert.deepEqual(own.status, { state: "active", silencedBy: [], inhibitedBy: [], mutedBy: [] });
  assert.deepEqual(
    [own.startsAt, own.endsAt, own.updatedAt, own.generatorURL, own.annotations, own.fingerprint.length],
    [at(0), at(5), at(0), "http://p/g", { summary: "s" }, 16],
  );
  const count = async (query: string): Promise<number> => (await get(`/api/v2/alerts?${query}`)).length;
  assert.equal(await count(`filter=${encodeURIComponent('team="a"')}`), 1);
  assert.equal(
    await count(`filter=${encodeURIComponent('team=~"a|b"')}&filter=${encodeURIComponent('team!="b"')}`),
    1,
  );
  assert.equal(await count("receiver=team-a"), 1);
  assert.equal(await count("receiver=team-.%2B"), 2);
  assert.equal(await count("receiver=team"), 0);
  assert.equal(await count("active=false"), 0);
  assert.equal(await count(`receiver_matchers=${encodeURIComponent('tier="1"')}`), 1);
});

test("invalid alerts are refused with reasons, the valid ones of the same request are kept", async (t) => {
  const { ask, get, registry } = start(t);
  const answer = await ask("POST", "/api/v2/alerts", [
    { labels: {} },
    { labels: { alertname: "ok" } },
    { labels: { a: "b" }, startsAt: at(5), endsAt: at(1) },
  ]);
  assert.equal(answer.status, 400);
  assert.equal(answer.json(), "at least one label pair required\nstart time must be before end time");
  assert.equal((await get("/api/v2/alerts")).length, 1);
  assert.match(registry.expose(), /alertmanager_alerts_invalid_total\{version="v2"\} 2/);
  for (const [body, status, message] of [
    ["{", 400, /parsing body failed/],
    ["{}", 422, /alerts in body must be of type array/],
    [[{ annotations: {} }], 422, /0.labels in body is required/],
    [[{ labels: { a: 1 } }], 422, /0.labels.a in body must be of type string: 1/],
    [[{ labels: { a: "b" }, startsAt: "yesterday" }], 422, /0.startsAt in body must be of type date-time/],
  ] as const) {
    const refused = await ask("POST", "/api/v2/alerts", body);
    assert.equal(refused.status, status, refused.text);
    assert.match(refused.text, message);
  }
  assert.equal((await ask("GET", "/api/v2/alerts?filter=x")).status, 400);
  assert.equal((await ask("GET", "/api/v2/alerts?receiver=(")).status, 400);
  // Names of labels that mean something to JavaScript are labels.
  await ask("POST", "/api/v2/alerts", `[{"labels": {"__proto__": "x", "constructor": "y"}}]`);
  const odd = await ask("GET", `/api/v2/alerts?filter=constructor%3Dy`);
  assert.match(odd.text, /"__proto__":"x"/);
});

test("groups, with their receivers, route labels and what holds them back", async (t) => {
  const { ask, get, clock } = start(t);
  const alert = (labels: object) => ({ labels, endsAt: at(60) });
  await ask("POST", "/api/v2/alerts", [
    alert({ alertname: "y", severity: "warning" }),
    alert({ alertname: "y", severity: "critical" }),
    alert({ alertname: "x", team: "a" }),
  ]);
  await clock.advance(60_000);
  const groups = await get("/api/v2/alerts/groups");
  assert.deepEqual(
    groups.map((group: any) => [
      group.labels.alertname,
      group.receiver.name,
      group.routeLabels,
      group.alerts.length,
    ]),
    [
      ["x", "team-a", { owner: "x-team" }, 1],
      ["x", "team-ab", { owner: "x-team" }, 1],
      ["y", "default", { owner: "y-team" }, 2],
    ],
  );
  assert.deepEqual(groups[0].alerts[0].receivers, [{ name: "team-a" }, { name: "team-ab" }]);
  const warning = groups[2].alerts.find((each: any) => each.labels.severity === "warning");
  const critical = groups[2].alerts.find((each: any) => each.labels.severity === "critical");
  assert.deepEqual(warning.status, {
    state: "suppressed",
    silencedBy: [],
    inhibitedBy: [critical.fingerprint],
    mutedBy: [],
  });
  const visible = await get("/api/v2/alerts/groups?inhibited=false&receiver=default");
  assert.deepEqual(
    visible.map((group: any) => group.alerts.length),
    [1],
  );
});

test("silences", async (t) => {
  const { ask, get, clock } = start(t);
  const matchers = [{ name: "alertname", value: "x.*", isRegex: true }];
  const silence = { matchers, startsAt: at(0), endsAt: at(60), createdBy: "me", comment: "c" };
  const created = await ask("POST", "/api/v2/silences", silence);
  assert.equal(created.status, 200);
  const { silenceID: id } = created.json();
  assert.deepEqual(await get(`/api/v2/silence/${id}`), {
    id,
    status: { state: "active" },
    updatedAt: at(0),
    comment: "c",
    createdBy: "me",
    startsAt: at(0),
    endsAt: at(60),
    matchers: [{ name: "alertname", value: "x.*", isRegex: true, isEqual: true }],
  });
  await ask("POST", "/api/v2/alerts", [{ labels: { alertname: "xy" }, endsAt: at(90) }]);
  const [silenced] = await get("/api/v2/alerts");
  assert.deepEqual([silenced.status.state, silenced.status.silencedBy], ["suppressed", [id]]);
  assert.deepEqual(await get("/api/v2/alerts?silenced=false"), []);
  const pending = { ...silence, startsAt: at(30), annotations: { ticket: "7" } };
  await ask("POST", "/api/v2/silences", pending);
  const states = async (query = ""): Promise<string[]> =>
    (await get(`/api/v2/silences${query}`)).map(({ status }: any) => status.state);
  assert.deepEqual(await states(), ["active", "pending"]);
  assert.deepEqual(await states("?pending=false"), ["active"]);
  assert.deepEqual(await states(`?filter=${encodeURIComponent('alertname=~"x.*"')}`), ["active", "pending"]);
  assert.deepEqual(await states(`?filter=${encodeURIComponent('alertname="x.*"')}`), []);
  assert.equal((await ask("DELETE", `/api/v2/silence/${id}`)).status, 200);
  assert.equal((await ask("DELETE", `/api/v2/silence/${id}`)).status, 200);
  assert.deepEqual(await states(), ["pending", "expired"]);
  const none = "00000000-0000-0000-0000-000000000000";
  const refused: [string, string, unknown, number, RegExp][] = [
    ["GET", `/api/v2/silence/${none}`, undefined, 404, /^$/],
    ["DELETE", `/api/v2/silence/${none}`, undefined, 404, /^$/],
    ["GET", "/api/v2/silence/x", undefined, 422, /must be of type uuid/],
    ["POST", "/api/v2/silences", { ...silence, id: none }, 404, /silence not found/],
    ["POST", "/api/v2/silences", { ...silence, endsAt: at(0) }, 400, /start time must be before end time/],
    [
      "POST",
      "/api/v2/silences",
      { ...silence, startsAt: at(-9), endsAt: at(-8) },
      400,
      /end time can't be in the past/,
    ],
    [
      "POST",
      "/api/v2/silences",
      { ...silence, matchers: [] },
      422,
      /matchers in body should have at least 1 items/,
    ],
    ["POST", "/api/v2/silences", { ...silence, comment: undefined }, 422, /comment in body is required/],
    [
      "POST",
      "/api/v2/silences",
      { ...silence, matchers: [{ name: "a", value: "(", isRegex: true }] },
      400,
      /missing closing/,
    ],
    [
      "POST",
      "/api/v2/silences",
      { ...silence, matchers: [{ name: "a", value: "", isRegex: false }] },
      400,
      /must not match the empty/,
    ],
  ];
  for (const [method, url, body, status, message] of refused) {
    const answer = await ask(method, url, body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, message);
  }
  await clock.advance(1000);
});

test("status, receivers, health, metrics, removed v1, CORS", async (t) => {
  const { ask, get } = start(t, { value: config }, "/am");
  const status = await get("/am/api/v2/status");
  assert.deepEqual(status.cluster, { peers: [], status: "disabled" });
  assert.equal(status.versionInfo.version, "1.2.3");
  assert.equal(status.uptime, at(0));
  assert.match(status.config.original, /receiver: default/);
  assert.deepEqual((await get("/am/api/v2/receivers"))[1], {
    name: "team-a",
    labels: { tier: "1", name: "team-a" },
  });
  assert.equal(
    (await get(`/am/api/v2/receivers?receiver_matchers=${encodeURIComponent('tier="1"')}`)).length,
    1,
  );
  for (const url of ["/am/-/healthy", "/am/-/ready"]) {
    assert.deepEqual([(await ask("GET", url)).text, (await ask("HEAD", url)).status], ["OK", 200]);
  }
  assert.equal((await ask("GET", "/-/healthy")).status, 404);
  const v1 = await ask("GET", "/am/api/v1/alerts");
  assert.deepEqual([v1.status, v1.json().status], [410, "deprecated"]);
  const { headers } = await ask("GET", "/am/api/v2/status");
  assert.equal(headers.get("access-control-allow-origin"), "*");
  assert.equal(headers.get("cache-control"), "no-store");
  const metrics = await ask("GET", "/am/metrics");
  assert.match(metrics.text, /alertmanager_config_last_reload_successful 1/);
  assert.match(
    metrics.text,
    /http_request_duration_seconds_count\{handler="\/api\/v2\/receivers",method="get",code="200"\} 2/,
  );
});

test("a reload that fails changes nothing", async (t) => {
  const text = { value: config };
  const { alertmanager, ask, get, registry } = start(t, text);
  alertmanager.putAlerts([{ labels: Labels.from({ alertname: "x", team: "a" }) }]);
  text.value = config.replace("receiver: team-ab", "receiver: nobody");
  const failed = await ask("POST", "/-/reload");
  assert.equal(failed.status, 500);
  assert.match(failed.text, /failed to reload config: am.yml:8:5: undefined receiver "nobody" used in route/);
  assert.match(registry.expose(), /alertmanager_config_last_reload_successful 0/);
  assert.equal((await get("/api/v2/receivers")).length, 3);
  text.value = config.replace("receiver: team-ab", "receiver: default");
  assert.equal((await ask("POST", "/-/reload")).status, 200);
  assert.match(registry.expose(), /alertmanager_config_last_reload_successful 1/);
  const [alert] = await get("/api/v2/alerts");
  assert.deepEqual(alert.receivers, [{ name: "team-a" }, { name: "default" }]);
  assert.equal((await get("/api/v2/alerts/groups")).length, 2);
});

test("a bad configuration at the start says where, and opens nothing", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true }));
  assert.throws(
    () => start(t, { value: "route: {receiver: x}" }),
    /am.yml:1:8: undefined receiver "x" used in route/,
  );
  assert.deepEqual(systemDisk.list(directory), []);
});
