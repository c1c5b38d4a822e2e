import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { encodeText, Registry } from "@narthex/client";
import { NarthexError, silentLogger, systemClock, systemDisk } from "../base/index.ts";
import type { TargetGroup } from "../discovery/index.ts";
import { Labels } from "../model/index.ts";
import { Place } from "../codec/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";
import { type AlertingConfig, alertingConfig, completeAlertingConfig } from "./config.ts";
import { endpointsOf } from "./endpoint.ts";
import { Notifier, type NotifierOptions } from "./manager.ts";

function parseConfig(yaml: string): AlertingConfig {
  const config = alertingConfig.decode(Place.parse(yaml, "alerting.yml"));
  completeAlertingConfig(config, "utf8");
  return config;
}

function group(...addresses: string[]): TargetGroup[] {
  const targets = addresses.map((address) => Labels.from({ __address__: address }));
  return [{ source: "test", targets, labels: Labels.from({ zone: "a" }) }];
}

function alert(name: string, labels: Record<string, string> = {}): OutgoingAlert {
  return {
    labels: Labels.from({ alertname: name, ...labels }),
    annotations: Labels.from({ summary: `${name} happened` }),
    startsAtMs: Date.UTC(2030, 0, 1),
    endsAtMs: Date.UTC(2030, 0, 2),
    generatorUrl: "http://prom.example/graph",
  };
}

function createNotifier(options: Partial<NotifierOptions> = {}): { notifier: Notifier; registry: Registry } {
  const registry = new Registry();
  const notifier = new Notifier({
    clock: systemClock,
    disk: systemDisk,
    logger: silentLogger,
    registry,
    userAgent: "Narthex/test",
    ...options,
  });
  return { notifier, registry };
}

interface Received {
  path: string;
  headers: Record<string, unknown>;
  names: string[];
  body: Record<string, unknown>[];
}

/** An Alertmanager that takes everything, or answers with `status`. */
async function fakeAlertmanager(
  t: TestContext,
  status = 200,
): Promise<{ address: string; received: Received[] }> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { labels: Record<string, string> }[];
      const names = body.map(({ labels }) => labels["alertname"]!);
      received.push({ path: request.url!, headers: request.headers, names, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

test("alerts are posted with external labels, relabelled, in upstream's JSON", async (t) => {
  const { address, received } = await fakeAlertmanager(t);
  const { notifier, registry } = createNotifier();
  const config = parseConfig(`
alert_relabel_configs:
- {source_labels: [alertname], regex: Secret, action: drop}
- {regex: replica, action: labeldrop}
alertmanagers:
- path_prefix: /am/
  static_configs: [{targets: [x]}]
  alert_relabel_configs:
  - {target_label: via, replacement: first}
`);
  notifier.applyConfig(config, Labels.from({ cluster: "eu", job: "external" }));
  notifier.updateTargets(0, group(address));
  notifier.send([alert("Down", { job: "a", replica: "2" }), alert("Secret")]);
  await notifier.stop();
  assert.equal(received.length, 1);
  const [{ path, headers, body }] = received as [Received];
  assert.equal(path, "/am/api/v2/alerts");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["user-agent"], "Narthex/test");
  assert.deepEqual(body, [
    {
      labels: { alertname: "Down", cluster: "eu", job: "a", via: "first" },
      annotations: { summary: "Down happened" },
      startsAt: "2030-01-01T00:00:00.000Z",
      endsAt: "2030-01-02T00:00:00.000Z",
      generatorURL: "http://prom.example/graph",
    },
  ]);
  assert.match(encodeText(registry.gather()), /prometheus_notifications_queue_capacity 10000\n/);
});

test("relabelling chooses Alertmanagers and where they are", () => {
  const config = parseConfig(`
alertmanagers:
- scheme: https
  static_configs: [{targets: [x]}]
  relabel_configs:
  - {source_labels: [__address__], regex: "bad.*", action: drop}
  - {source_labels: [zone], target_label: __alerts_path__, replacement: /$1/alerts}
`).alertmanagers[0]!;
  assert.deepEqual(endpointsOf(group("good:9093", "good:9093", "bad:1", "a/b"), config), {
    active: ["https://good:9093/a/alerts"],
    dropped: ["https://bad:1/api/v2/alerts"],
    problems: ['"a/b" is not a valid hostname'],
  });
});

test("an Alertmanager that refuses costs its alerts and nobody else's", async (t) => {
  const refusing = await fakeAlertmanager(t, 500);
  const taking = await fakeAlertmanager(t);
  const { notifier, registry } = createNotifier();
  notifier.applyConfig(parseConfig("alertmanagers: [{static_configs: [{targets: [x]}]}]"), Labels.empty);
  notifier.updateTargets(0, group(refusing.address, taking.address));
  assert.equal(notifier.activeAlertmanagers.length, 2);
  notifier.send([alert("A"), alert("B")]);
  const metric = (name: string, address: string): string =>
    `prometheus_notifications_${name}_total{alertmanager="http://${address}/api/v2/alerts"} 2\n`;
  const until = Date.now() + 5000;
  let exposed = "";
  while (
    !exposed.includes(metric("dropped", refusing.address)) ||
    !exposed.includes(metric("sent", taking.address))
  ) {
    assert.ok(Date.now() < until, exposed);
    await new Promise((resolve) => setTimeout(resolve, 5));
    exposed = encodeText(registry.gather());
  }
  assert.ok(exposed.includes(metric("errors", refusing.address)), exposed);
  await notifier.stop();
  assert.equal(refusing.received.length, 1, "there is no second try");
});

test("a full queue drops the oldest; batches are bounded; stopping drains", async () => {
  const batches: string[][] = [];
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const local = {
    url: "local",
    deliver: async (alerts: readonly OutgoingAlert[]): Promise<void> => {
      await gate;
      batches.push(alerts.map(({ labels }) => labels.get("alertname")));
    },
  };
  const { notifier } = createNotifier({ local, queueAlertsMax: 4, batchAlertsMax: 2 });
  notifier.send([alert("in flight")]);
  notifier.send(["1", "2", "3"].map((name) => alert(name)));
  notifier.send(["4", "5", "6"].map((name) => alert(name)));
  const stopped = notifier.stop();
  notifier.send([alert("too late")]);
  release();
  await stopped;
  assert.deepEqual(batches, [["in flight"], ["3", "4"], ["5", "6"]]);
});

test("stopping gives up on an Alertmanager that does not answer, and drops when told not to drain", async () => {
  for (const drainOnShutdown of [true, false]) {
    let deliveries = 0;
    const deliver = (): Promise<void> => {
      deliveries++;
      return Promise.reject(new NarthexError("unavailable", "nobody there"));
    };
    const { notifier } = createNotifier({
      local: { url: "local", deliver },
      batchAlertsMax: 1,
      drainOnShutdown,
    });
    notifier.send([alert("1"), alert("2"), alert("3"), alert("4")]);
    await notifier.stop();
    assert.equal(deliveries, drainOnShutdown ? 2 : 1);
  }
});

test("reloading keeps the Alertmanagers of what did not change", async (t) => {
  const { address, received } = await fakeAlertmanager(t);
  const { notifier } = createNotifier();
  const one = "{static_configs: [{targets: [x]}]}";
  const two = "{scheme: https, static_configs: [{targets: [x]}]}";
  notifier.applyConfig(parseConfig(`alertmanagers: [${one}]`), Labels.empty);
  notifier.updateTargets(0, group(address));
  notifier.applyConfig(parseConfig(`alertmanagers: [${two}, ${one}]`), Labels.empty);
  assert.deepEqual(notifier.activeAlertmanagers, [`http://${address}/api/v2/alerts`]);
  notifier.send([alert("A")]);
  notifier.applyConfig(parseConfig(`alertmanagers: [${two}]`), Labels.empty);
  assert.deepEqual(notifier.activeAlertmanagers, []);
  await notifier.stop();
  assert.deepEqual(
    received.map(({ names }) => names),
    [["A"]],
  );
});

test("a reload cuts no delivery short, and metrics last as long as some queue to their Alertmanager", async (t) => {
  const answers: (() => void)[] = [];
  const seen: { authorization: unknown }[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.push({ authorization: request.headers.authorization });
      answers.push(() => response.writeHead(200).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const until = async (requests: number): Promise<void> => {
    const endMs = Date.now() + 5000;
    while (answers.length < requests) {
      assert.ok(Date.now() < endMs, `${answers.length} requests of ${requests}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const configOf = (password: string): AlertingConfig =>
    parseConfig(
      `alertmanagers: [{basic_auth: {username: u, password: ${password}}, static_configs: [{targets: [x]}]}]`,
    );
  const { notifier, registry } = createNotifier();
  const apply = (password: string): void => {
    notifier.applyConfig(configOf(password), Labels.empty);
    notifier.updateTargets(0, group(address));
  };
  apply("a");
  notifier.send([alert("1")]);
  await until(1);
  apply("a");
  apply("b");
  notifier.send([alert("2")]);
  await until(2);
  for (const answer of answers) answer();
  const sent = `prometheus_notifications_sent_total{alertmanager="http://${address}/api/v2/alerts"} 2\n`;
  const endMs = Date.now() + 5000;
  while (!encodeText(registry.gather()).includes(sent)) {
    assert.ok(Date.now() < endMs, encodeText(registry.gather()));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await notifier.stop();
  assert.doesNotMatch(encodeText(registry.gather()), /alertmanager="/);
  const basic = (password: string): string => `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
  assert.deepEqual(seen, [{ authorization: basic("a") }, { authorization: basic("b") }]);
});
