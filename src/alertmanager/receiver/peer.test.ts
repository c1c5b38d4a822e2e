/** The real Alertmanager and ours tell the same receivers of the same alert: the requests are the same. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { createAlertmanager } from "../alertmanager.ts";
import { hook, type Received } from "./testing.ts";

const binary = process.env["ALERTMANAGER_BIN"] ?? "prometheus-alertmanager";
const isInstalled = spawnSync(binary, ["--version"], { stdio: "ignore" }).status === 0;
const skip = isInstalled ? false : `${binary} is not installed`;
const externalUrl = "http://alerts.example";
const timeoutMs = 20_000;

const directory = mkdtempSync(path.join(tmpdir(), "narthex-receivers-"));
after(() => rmSync(directory, { recursive: true }));

/** All of them written: since 0.25 the standard ones are lists, not texts. */
const details = `{firing: "{{ len .Alerts.Firing }} x", resolved: r, num_firing: f, num_resolved: n}`;

/** Of the kinds that Alertmanager 0.25 has and that can be pointed somewhere. */
const kinds: Record<string, string> = {
  webhook: `{url: "URL/webhook"}`,
  slack: `{api_url: "URL/slack", channel: "#c", title_link: "http://l/{{ .Status }}", fields: [{title: a, value: "{{ .Status }}"}, {title: b, value: c, short: true}], actions: [{type: button, text: Look, url: "http://x"}, {type: button, name: n, text: Do, value: v, confirm: {text: Sure, title: Really}}]}`,
  pagerduty: `{routing_key: key, url: "URL/pagerduty", severity: "{{ .CommonLabels.severity }}", class: c, details: ${details}, images: [{src: i, alt: a}], links: [{href: h, text: t}]}`,
  opsgenie: `{api_key: key, api_url: "URL/opsgenie/", tags: "a,b", note: n, priority: P2, details: {k: "{{ .Status }}"}, responders: [{name: x, type: team}, {username: u, type: user}]}`,
  victorops: `{api_key: key, api_url: "URL/victorops/", routing_key: team, custom_fields: {c: "{{ .Status }}"}}`,
  telegram: `{api_url: "URL/telegram", bot_token: "1:t", chat_id: -100123, disable_notifications: true}`,
  discord: `{webhook_url: "URL/discord"}`,
  webex: `{api_url: "URL/webex", room_id: R, http_config: {authorization: {credentials: s}}}`,
  wechat: `{api_url: "URL/wechat/", api_secret: s, corp_id: c, to_user: U, agent_id: A}`,
  sns: `{api_url: "URL/sns/", topic_arn: "arn:aws:sns:eu-west-1:1:t", attributes: {k: "{{ .Status }}"}, sigv4: {region: eu-west-1, access_key: AK, secret_key: SK}}`,
};

function configOf(url: string): string {
  const integrations = Object.entries(kinds).map(
    ([kind, yaml]) => `${kind}_configs: [${yaml.replaceAll("URL", url)}]`,
  );
  return `route: {receiver: all, group_by: [alertname], group_wait: 1ms}\nreceivers: [{name: all, ${integrations.join(", ")}}]\n`;
}

/** Enough for each of them to be content. */
async function otherSides(t: TestContext): Promise<{ url: string; received: Received[] }> {
  return hook(t, ({ url }) => {
    if (url.startsWith("/slack")) return { text: "ok" };
    if (url.startsWith("/wechat/gettoken")) return { json: { access_token: "token" } };
    if (url.startsWith("/wechat")) return { json: { errcode: 0 } };
    if (url.startsWith("/telegram"))
      return { json: { ok: true, result: { message_id: 1, chat: { id: 1 } } } };
    if (url.startsWith("/sns"))
      return {
        text: "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>",
      };
    return {};
  });
}

async function all(received: readonly Received[]): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  // WeChat's token is one more request.
  while (received.length < Object.keys(kinds).length + 1) {
    assert.ok(Date.now() < deadlineMs, received.map(({ url }) => url).join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const alert = {
  labels: { alertname: "Hot", severity: "critical", room: "hall & <stairs>" },
  annotations: { summary: "It is hot", runbook: "http://r/é" },
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  generatorURL: "http://prom/graph?g0.expr=up",
};

async function toldByPeer(t: TestContext): Promise<readonly Received[]> {
  const { url, received } = await otherSides(t);
  const file = path.join(directory, "am.yml");
  writeFileSync(file, configOf(url));
  const flags = [
    `--config.file=${file}`,
    `--storage.path=${path.join(directory, "peer")}`,
    "--web.listen-address=127.0.0.1:0",
    "--cluster.listen-address=",
    `--web.external-url=${externalUrl}`,
  ];
  const child = spawn(binary, flags, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const address = await listeningAddress(child);
  const response = await fetch(`http://${address}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([alert]),
  });
  assert.equal(response.status, 200, await response.text());
  await all(received);
  return received;
}

function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      const address = /[Ll]istening.*address=(127\.0\.0\.1:[1-9]\d*)/.exec(log)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.on("exit", () => reject(new Error(log)));
  });
}

async function toldByUs(t: TestContext): Promise<readonly Received[]> {
  const { url, received } = await otherSides(t);
  const alertmanager = createAlertmanager({
    loadConfig: () => ({ text: configOf(url), file: "am.yml" }),
    clock: systemClock,
    disk: systemDisk,
    storagePath: path.join(directory, "ours"),
    externalUrl,
    logger: silentLogger,
    registry: new Registry(),
    build: { version: "1", revision: "", branch: "", buildUser: "", buildDate: "", goVersion: "" },
  });
  t.after(() => alertmanager.close());
  alertmanager.putAlerts([
    {
      labels: Labels.from(alert.labels),
      annotations: Labels.from(alert.annotations),
      startsAtMs: Date.parse(alert.startsAt),
      generatorUrl: alert.generatorURL,
    },
  ]);
  await all(received);
  return received;
}

/** What the webhook's message did not have yet in 0.25. */
const newMembers = ["notification_reason", "routeLabels"];

/**
 * By what they are for, in a form that leaves out what may differ: blank lines of the standard templates, the order of parameters, whether a
 * truth value is a text, and what a signature covers.
 */
function comparable(received: readonly Received[]): Record<string, unknown> {
  const entries = received.map(({ method, url, headers, body }) => {
    const { pathname, searchParams } = new URL(url, "http://x");
    const authorization = headers.authorization?.replace(/\/\d{8}\/(.*), SignedHeaders=.*/, "/$1");
    const query = [...searchParams].map((pair) => pair.join("=")).sort();
    return [`${pathname}?${query.join("&")}`, { method, authorization, body: normalize(body) }] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function normalize(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith("Action="))
    return normalize(Object.fromEntries(new URLSearchParams(value)));
  if (typeof value === "string") return value === "true" || value.replace(/\n+/g, "\n").trim();
  if (Array.isArray(value)) return value.map(normalize);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !newMembers.includes(name));
  return Object.fromEntries(members.map(([name, member]) => [name, normalize(member)]));
}

test("every kind of receiver gets the same from either", { skip }, async (t) => {
  const [theirs, ours] = await Promise.all([toldByPeer(t), toldByUs(t)]);
  assert.deepEqual(comparable(ours), comparable(theirs));
});
