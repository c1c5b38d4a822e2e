/** The whole chain of an alert over whole programs: target, rule, notifier, Alertmanager, webhook; ours and Debian's in each other's place. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { type Hook, startHook } from "./support/hook.ts";
import { peerBinary, skipWithout, startPeer } from "./support/peers.ts";
import { api, eventually, type Program, startProgram, temporaryDirectory } from "./support/program.ts";
import { startTarget, type TestServer } from "./support/targets.ts";

const run = promisify(execFile);

interface Scene {
  directory: string;
  hook: Hook;
  target: TestServer;
  /** Degrees by room; what the target exposes. */
  temperatures: Map<string, number>;
}

/** A target, a webhook and a directory that end with the test. */
async function createScene(t: TestContext): Promise<Scene> {
  const temperatures = new Map([["hall", 10]]);
  const directory = temporaryDirectory();
  const hook = await startHook();
  const target = await startTarget(() =>
    [...temperatures].map(([room, degrees]) => `temperature_celsius{room="${room}"} ${degrees}\n`).join(""),
  );
  t.after(() => {
    hook.close();
    target.close();
    directory.remove();
  });
  return { directory: directory.path, hook, target, temperatures };
}

function endAfter(t: TestContext, program: Program): Program {
  t.after(() => program.end("SIGTERM"));
  return program;
}

/** Warm takes a while; Hot, the graver one, fires at once. */
function writeServerConfig({ directory, target }: Scene, alertmanager?: string): string {
  const rules = join(directory, "rules.yml");
  writeFileSync(
    rules,
    `groups:
- name: temperature
  rules:
  - alert: Warm
    expr: temperature_celsius > 20
    for: 1s
    labels: { severity: warning }
    annotations: { summary: "{{ $labels.room }} has {{ $value }} <degrees>" }
  - alert: Hot
    expr: temperature_celsius > 90
    labels: { severity: critical }
`,
  );
  const alerting =
    alertmanager === undefined
      ? ""
      : `alerting: { alertmanagers: [{ static_configs: [{ targets: ["${new URL(alertmanager).host}"] }] }] }\n`;
  const file = join(directory, "prometheus.yml");
  writeFileSync(
    file,
    `global: { scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms, external_labels: { region: eu } }
rule_files: ["${rules}"]
${alerting}scrape_configs: [{ job_name: rooms, static_configs: [{ targets: ["${target.address}"], labels: { instance: "rooms:80" } }] }]
`,
  );
  return file;
}

function writeAlertmanagerConfig({ directory, hook }: Scene): string {
  const file = join(directory, "alertmanager.yml");
  writeFileSync(
    file,
    `route: { receiver: hook, group_by: [alertname, room], group_wait: 10ms, group_interval: 200ms, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: "${hook.url}/" }] }]
inhibit_rules: [{ source_matchers: [severity = critical], target_matchers: [severity = warning], equal: [room] }]
`,
  );
  return file;
}

const received = (hook: Hook, ...summary: string[]): Promise<string[]> =>
  eventually(
    () => Promise.resolve(hook.summary()),
    (got) => got.length >= summary.length,
  ).then((got) => {
    assert.deepEqual(got, summary);
    return got;
  });

interface GettableAlert {
  labels: Record<string, string>;
  fingerprint: string;
  status: { state: string; inhibitedBy: string[]; silencedBy: string[] };
}

/** Alerts of an Alertmanager's API, once the one of that name and room has the state. */
async function alertInState(url: string, name: string, room: string, state: string): Promise<GettableAlert> {
  const find = (alerts: GettableAlert[]): GettableAlert | undefined =>
    alerts.find((one) => one.labels["alertname"] === name && one.labels["room"] === room);
  const alerts = await eventually(
    async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as GettableAlert[],
    (all) => find(all)?.status.state === state,
  );
  return find(alerts)!;
}

test("all in one: from a target to a webhook and back", async (t) => {
  const scene = await createScene(t);
  const { hook, temperatures } = scene;
  const program = endAfter(
    t,
    await startProgram("all-in-one", [
      `--config.file=${writeServerConfig(scene)}`,
      `--alertmanager.config.file=${writeAlertmanagerConfig(scene)}`,
      `--storage.tsdb.path=${join(scene.directory, "data")}`,
      "--web.external-url=http://narthex.example:9090/",
    ]),
  );
  const alertmanager = `${program.url}/alertmanager`;
  const amtool = async (...args: string[]): Promise<string> =>
    (await run(peerBinary("amtool"), [`--alertmanager.url=${alertmanager}`, ...args])).stdout.trim();

  await t.test("an alert waits, fires and is resolved", async () => {
    temperatures.set("hall", 25);
    const states = new Set<string>();
    await eventually(
      () => api<{ alerts: { state: string }[] }>(program.url, "alerts"),
      ({ alerts }) => {
        for (const { state } of alerts) states.add(state);
        return states.has("firing");
      },
    );
    assert.deepEqual([...states], ["pending", "firing"]);
    await received(hook, "Warm firing");
    const [message] = hook.messages;
    assert.equal(message!.version, "4");
    assert.equal(message!.externalURL, "http://narthex.example:9090/alertmanager");
    assert.deepEqual(message!.groupLabels, { alertname: "Warm", room: "hall" });
    const [alert] = message!.alerts;
    assert.deepEqual(alert!.labels, {
      alertname: "Warm",
      instance: "rooms:80",
      job: "rooms",
      region: "eu",
      room: "hall",
      severity: "warning",
    });
    assert.equal(alert!.annotations["summary"], "hall has 25 <degrees>");
    assert.match(alert!.generatorURL, /^http:\/\/narthex\.example:9090\/graph\?g0\.expr=temperature_celsius/);
    temperatures.set("hall", 10);
    await received(hook, "Warm firing", "Warm resolved");
    assert.ok(Date.parse(hook.messages[1]!.alerts[0]!.endsAt) > Date.parse(alert!.startsAt));
  });

  await t.test("a graver alert inhibits the lesser one of the same room", async () => {
    hook.messages.length = 0;
    temperatures.set("hall", 95);
    const hot = await alertInState(alertmanager, "Hot", "hall", "active");
    const warm = await alertInState(alertmanager, "Warm", "hall", "suppressed");
    assert.deepEqual(warm.status.inhibitedBy, [hot.fingerprint]);
    temperatures.set("hall", 10);
    await received(hook, "Hot firing", "Hot resolved");
  });

  await t.test(
    "a silence made with amtool holds back what begins while it lasts",
    { skip: skipWithout("amtool") },
    async () => {
      hook.messages.length = 0;
      const id = await amtool("silence", "add", "room=attic", "-c", "known", "-a", "me", "-d", "1h");
      temperatures.set("attic", 30);
      const warm = await alertInState(alertmanager, "Warm", "attic", "suppressed");
      assert.deepEqual(warm.status.silencedBy, [id]);
      assert.equal(await amtool("alert", "query", "-o", "json", "room=attic"), "[]");
      temperatures.set("cellar", 30);
      await received(hook, "Warm firing");
      assert.equal(hook.messages[0]!.groupLabels["room"], "cellar");
      await amtool("silence", "expire", id);
      await received(hook, "Warm firing", "Warm firing");
      assert.equal(hook.messages[1]!.groupLabels["room"], "attic");
    },
  );
});

test(
  "Prometheus sends to our Alertmanager, across its restart",
  { skip: skipWithout("prometheus") },
  async (t) => {
    const scene = await createScene(t);
    const start = (): Promise<Program> =>
      startProgram("alertmanager", [
        `--config.file=${writeAlertmanagerConfig(scene)}`,
        `--storage.path=${join(scene.directory, "am")}`,
        "--cluster.listen-address=",
      ]);
    const first = await start();
    const { host } = new URL(first.url);
    scene.temperatures.set("hall", 25);
    endAfter(
      t,
      await startPeer("prometheus", [
        `--config.file=${writeServerConfig(scene, first.url)}`,
        `--storage.tsdb.path=${join(scene.directory, "data")}`,
        "--rules.alert.resend-delay=200ms",
      ]),
    );
    await received(scene.hook, "Warm firing");
    assert.equal(await first.end("SIGTERM"), 0);
    // What was notified is remembered, so the same alert is not notified again.
    const second = endAfter(
      t,
      await startProgram("alertmanager", [
        `--config.file=${writeAlertmanagerConfig(scene)}`,
        `--storage.path=${join(scene.directory, "am")}`,
        "--cluster.listen-address=",
        `--web.listen-address=${host}`,
      ]),
    );
    await alertInState(`http://${host}`, "Warm", "hall", "active");
    scene.temperatures.set("hall", 10);
    await received(scene.hook, "Warm firing", "Warm resolved");
    assert.equal(second.child.exitCode, null);
  },
);

test("our server sends to Debian's Alertmanager", { skip: skipWithout("alertmanager") }, async (t) => {
  const scene = await createScene(t);
  const alertmanager = endAfter(
    t,
    await startPeer("alertmanager", [
      `--config.file=${writeAlertmanagerConfig(scene)}`,
      `--storage.path=${join(scene.directory, "am")}`,
      "--cluster.listen-address=",
    ]),
  );
  const server = endAfter(
    t,
    await startProgram("server", [
      `--config.file=${writeServerConfig(scene, alertmanager.url)}`,
      `--storage.tsdb.path=${join(scene.directory, "data")}`,
    ]),
  );
  const found = await api<{ activeAlertmanagers: { url: string }[] }>(server.url, "alertmanagers");
  assert.deepEqual(found.activeAlertmanagers, [{ url: `${alertmanager.url}/api/v2/alerts` }]);
  scene.temperatures.set("hall", 25);
  await received(scene.hook, "Warm firing");
  scene.temperatures.set("hall", 10);
  await received(scene.hook, "Warm firing", "Warm resolved");
});
