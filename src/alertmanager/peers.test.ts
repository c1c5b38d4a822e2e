/** Against the programs of a Debian system: amtool, Prometheus and the real Alertmanager. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../base/index.ts";
import { createServer } from "../http/index.ts";
import { createAlertmanager } from "./alertmanager.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type Peer, peerBinary, skipWithout } from "../../test/support/peers.ts";

const run = promisify(execFile);

function binary(t: TestContext, peer: Peer): string | undefined {
  const missing = skipWithout(peer);
  if (missing === false) return peerBinary(peer);
  t.skip(missing);
  return undefined;
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function until<T>(what: string, seconds: number, check: () => Promise<T | undefined>): Promise<T> {
  const endMs = Date.now() + seconds * 1000;
  for (;;) {
    const found = await check().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function startProcess(t: TestContext, command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: "ignore" });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  });
  return child;
}

interface Message {
  readonly status: string;
  readonly groupKey: string;
  readonly alerts: readonly { labels: Record<string, string>; fingerprint: string }[];
}

async function startHook(t: TestContext): Promise<{ url: string; messages: Message[] }> {
  const messages: Message[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      messages.push(JSON.parse(Buffer.concat(chunks).toString()) as Message);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, messages };
}

const configFor = (hookUrl: string): string => `
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "${hookUrl}"}]}]
`;

async function startOwn(text: string, storagePath: string) {
  const alertmanager = createAlertmanager({
    loadConfig: () => ({ text, file: "am.yml" }),
    clock: systemClock,
    disk: systemDisk,
    storagePath,
    externalUrl: "http://am",
    logger: silentLogger,
    registry: new Registry(),
    build: { version: "0.25.0", revision: "", branch: "", buildUser: "", buildDate: "", goVersion: "" },
  });
  const server = await createServer({ fetch: alertmanager.app.fetch, listenAddresses: ["127.0.0.1:0"] });
  const close = async (): Promise<void> => {
    await alertmanager.close();
    await server.close(0);
  };
  return { url: server.urls[0]!, close };
}

async function startReal(t: TestContext, command: string, text: string, storagePath: string) {
  const file = path.join(temporaryDirectory(t), "am.yml");
  writeFileSync(file, text);
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = startProcess(t, command, [
    `--config.file=${file}`,
    `--storage.path=${storagePath}`,
    `--web.listen-address=${url.slice("http://".length)}`,
    "--cluster.listen-address=",
  ]);
  await until("Alertmanager", 20, async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
  return {
    url,
    close: async () => {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

const postAlert = (url: string, labels: object): Promise<Response> =>
  fetch(`${url}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ labels, endsAt: new Date(Date.now() + 3_600_000).toISOString() }]),
  });

test("amtool queries alerts, and adds, queries and expires silences", async (t) => {
  const amtool = binary(t, "amtool");
  if (amtool === undefined) return;
  const { url: hookUrl } = await startHook(t);
  const own = await startOwn(configFor(hookUrl), temporaryDirectory(t));
  t.after(own.close);
  const tool = async (...args: string[]): Promise<string> =>
    (await run(amtool, [`--alertmanager.url=${own.url}`, ...args])).stdout.trim();
  await tool("alert", "add", "foo", "node=bar", "--annotation=summary=it is <down>");
  await tool("alert", "add", "foo", "node=baz");
  const alerts = JSON.parse(await tool("alert", "query", "-o", "json", "node=bar")) as {
    annotations: object;
  }[];
  assert.deepEqual(
    alerts.map(({ annotations }) => annotations),
    [{ summary: "it is <down>" }],
  );
  const id = await tool("silence", "add", "foo", "node=~ba[rz]", "-c", "because", "-a", "me", "-d", "1h");
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.match(
    await tool("silence", "query", "-o", "extended"),
    /\{alertname="foo",node=~"ba\[rz\]"\}.*me\s+because/,
  );
  assert.equal(await tool("alert", "query", "-o", "json"), "[]");
  assert.equal((JSON.parse(await tool("alert", "query", "-s", "-o", "json")) as unknown[]).length, 2);
  await tool("silence", "update", "-c", "longer", "-d", "2h", id);
  assert.match(await tool("silence", "query"), /longer/);
  await tool("silence", "expire", id);
  assert.equal(await tool("silence", "query", "-q"), "");
  assert.equal(await tool("silence", "query", "-q", "--expired"), id);
  assert.match(await tool("config", "show"), /receiver: hook/);
  assert.match(await tool("cluster", "show"), /disabled/);
});

test("Prometheus sends its alerts here", async (t) => {
  const prometheus = binary(t, "prometheus");
  if (prometheus === undefined) return;
  const { url: hookUrl, messages } = await startHook(t);
  const own = await startOwn(configFor(hookUrl), temporaryDirectory(t));
  t.after(own.close);
  const directory = temporaryDirectory(t);
  const rules = path.join(directory, "rules.yml");
  writeFileSync(
    rules,
    `groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {severity: page}, annotations: {value: "{{ $value }}"}}]}]`,
  );
  const config = path.join(directory, "prometheus.yml");
  const target = own.url.slice("http://".length);
  writeFileSync(
    config,
    `global: {evaluation_interval: 1s}\nrule_files: [${rules}]\nalerting: {alertmanagers: [{static_configs: [{targets: ["${target}"]}]}]}`,
  );
  const port = await freePort();
  startProcess(t, prometheus, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(directory, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // It finds its Alertmanager only some seconds after its first alert.
    "--rules.alert.resend-delay=1s",
  ]);
  const message = await until("notification", 30, () => Promise.resolve(messages[0]));
  assert.deepEqual(message.alerts[0]!.labels, { alertname: "Always", severity: "page" });
});

test("silences and the notification log are the real Alertmanager's, both ways", async (t) => {
  const real = binary(t, "alertmanager");
  if (real === undefined) return;
  const { url: hookUrl, messages } = await startHook(t);
  const storage = temporaryDirectory(t);
  const config = configFor(hookUrl);
  const silence = (value: string) => ({
    matchers: [{ name: "alertname", value, isRegex: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: value,
    comment: "ü",
  });
  const addSilence = (url: string, value: string): Promise<Response> =>
    fetch(`${url}/api/v2/silences`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(silence(value)),
    });
  const silencesOf = async (url: string): Promise<string[]> => {
    const list = (await (await fetch(`${url}/api/v2/silences`)).json()) as {
      createdBy: string;
      comment: string;
    }[];
    return list.map(({ createdBy, comment }) => createdBy + comment).sort();
  };
  const arrived = (count: number) =>
    until(`${count} notifications`, 15, () => Promise.resolve(messages.length >= count ? true : undefined));

  const own = await startOwn(config, storage);
  await addSilence(own.url, "own.*");
  await postAlert(own.url, { alertname: "first", a: "1", é: "ü" });
  await arrived(1);
  await own.close();
  assert.ok(readFileSync(path.join(storage, "nflog")).length > 0);

  // The real one knows what was told, and so says nothing of it; it tells of what is new.
  const theirs = await startReal(t, real, config, storage);
  assert.deepEqual(await silencesOf(theirs.url), ["own.*ü"]);
  await postAlert(theirs.url, { alertname: "first", a: "1", é: "ü" });
  await addSilence(theirs.url, "theirs.*");
  await postAlert(theirs.url, { alertname: "second", b: "2" });
  await postAlert(theirs.url, { alertname: "own-silenced" });
  await arrived(2);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual(
    messages.map(({ groupKey }) => groupKey),
    [`{}:{alertname="first"}`, `{}:{alertname="second"}`],
  );
  await theirs.close();

  const again = await startOwn(config, storage);
  t.after(again.close);
  assert.deepEqual(await silencesOf(again.url), ["own.*ü", "theirs.*ü"]);
  for (const labels of [
    { alertname: "first", a: "1", é: "ü" },
    { alertname: "second", b: "2" },
    { alertname: "theirs-1" },
  ]) {
    await postAlert(again.url, labels);
  }
  await postAlert(again.url, { alertname: "third" });
  await arrived(3);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual(
    messages.map(({ alerts }) => alerts[0]!.labels["alertname"]),
    ["first", "second", "third"],
  );
});

test("the same alerts get the same fingerprints, shapes and errors from the real Alertmanager", async (t) => {
  const real = binary(t, "alertmanager");
  if (real === undefined) return;
  const [ownHook, theirHook] = [await startHook(t), await startHook(t)];
  const own = await startOwn(configFor(ownHook.url), temporaryDirectory(t));
  t.after(own.close);
  const theirs = await startReal(t, real, configFor(theirHook.url), temporaryDirectory(t));
  const bodies: unknown[] = [
    [{ labels: { alertname: "x", b: "c" }, annotations: { s: "t" }, generatorURL: "http://p/" }],
    [
      {
        labels: { alertname: "x", job: "j", x_y: "🙂\n" },
        endsAt: new Date(Date.now() + 60_000).toISOString(),
      },
    ],
    [{ labels: {} }],
  ];
  for (const body of bodies) {
    const answers = await Promise.all(
      [own.url, theirs.url].map(async (url) => {
        const headers = { "content-type": "application/json" };
        const response = await fetch(`${url}/api/v2/alerts`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
        });
        return [response.status, await response.text()].join(" ").trim();
      }),
    );
    assert.equal(answers[0], answers[1]);
  }
  const shapes = await Promise.all(
    [own.url, theirs.url].map(async (url) => {
      const list = (await (await fetch(`${url}/api/v2/alerts`)).json()) as Record<string, unknown>[];
      return list.map(({ startsAt: _s, endsAt: _e, updatedAt: _u, status, ...rest }) => {
        // A newer field, which the version at hand does not have.
        const { mutedBy: _m, ...known } = status as Record<string, unknown>;
        return { ...rest, status: { ...known, state: "" } };
      });
    }),
  );
  assert.deepEqual(shapes[0], shapes[1]);

  const [ownMessage, theirMessage] = await Promise.all(
    [ownHook, theirHook].map(({ messages }) =>
      until("a notification", 10, async () => messages.find(({ alerts }) => alerts.length === 2)),
    ),
  );
  // Newer fields, and what is each one's own.
  const known = ({ notification_reason: _n, routeLabels: _r, externalURL: _e, alerts, ...rest }: any) => ({
    ...rest,
    alerts: alerts.map(({ startsAt: _s, ...alert }: any) => alert),
  });
  assert.deepEqual(known(ownMessage), known(theirMessage));
});
