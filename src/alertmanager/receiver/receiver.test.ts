import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { silentLogger, systemClock, systemDisk } from "../../base/index.ts";
import { createHttpClient } from "../../http/index.ts";
import { Labels } from "../../model/index.ts";
import type { Alert } from "../alert.ts";
import { createAlert } from "../alert.ts";
import { parseConfig } from "../config/config.ts";
import type { EmailConfig } from "../config/email.ts";
import type { WebhookConfig } from "../config/webhook.ts";
import { MatcherParser } from "../matcher/index.ts";
import { type NotificationContext, NotifyError } from "../notify/notifier.ts";
import { NotificationTemplates } from "../notify/templates.ts";
import { EmailNotifier } from "./email.ts";
import { WebhookNotifier } from "./webhook.ts";

const startMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

function alert(labels: Record<string, string>, annotations: Record<string, string>, resolved = false): Alert {
  const source = {
    labels: Labels.from(labels),
    annotations: Labels.from(annotations),
    startsAtMs: startMs,
    endsAtMs: startMs + 60_000,
    generatorUrl: "http://prom/graph?g0.expr=up",
  };
  const made = createAlert(source, startMs, 1, () => true);
  return resolved ? made : { ...made, endsAtMs: undefined };
}

const alerts = [
  alert({ alertname: "X", severity: "page", instance: "a" }, { summary: "<b>down</b>", runbook: "r" }),
  alert({ alertname: "X", severity: "page", instance: "b" }, { summary: "up", runbook: "r" }, true),
];

function context(signal = new AbortController().signal): NotificationContext {
  return {
    receiver: "team-a.b",
    groupKey: `{}:{alertname="X"}`,
    groupLabels: new Map([["alertname", "X"]]),
    routeLabels: new Map([["owner", "ops"]]),
    reason: "first notification",
    timeMs: startMs + 120_000,
    signal,
    previousData: new Map(),
  };
}

const templates = new NotificationTemplates([], "http://am:9093", systemDisk, () => startMs);

/** The first integration of a receiver written as YAML. */
function configOf(yaml: string): object {
  const text = `route: {receiver: r}\nreceivers: [{name: r, ${yaml}}]`;
  const config = parseConfig(text, "am.yml", new MatcherParser("fallback", silentLogger));
  return config.receivers[0]!.integrations[0]!.config;
}

function temporaryFile(t: TestContext, content: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, "file");
  writeFileSync(file, content);
  return file;
}

// Webhook.

interface Received {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: unknown;
}

async function hook(t: TestContext, status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
      received.push({ url: request.url!, headers: request.headers, body });
      response.writeHead(status).end("the answer");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function webhook(t: TestContext, yaml: string): WebhookNotifier {
  const config = configOf(`webhook_configs: [${yaml}]`) as WebhookConfig;
  const client = createHttpClient(config.httpConfig!, { userAgent: "Alertmanager/1" });
  const notifier = new WebhookNotifier(config, templates, client, systemDisk);
  t.after(() => notifier.close());
  return notifier;
}

test("the webhook's message, version 4", async (t) => {
  const { url, received } = await hook(t);
  await webhook(t, `{url: "${url}/{{ .GroupLabels.alertname }}?s={{ .Status }}"}`).notify(context(), alerts);
  const { headers, body, url: asked } = received[0]!;
  assert.equal(asked, "/X?s=firing");
  assert.deepEqual([headers["content-type"], headers["user-agent"]], ["application/json", "Alertmanager/1"]);
  assert.deepEqual(body, {
    receiver: "team-a\\.b",
    status: "firing",
    alerts: [
      {
        status: "firing",
        labels: { alertname: "X", instance: "a", severity: "page" },
        annotations: { runbook: "r", summary: "<b>down</b>" },
        startsAt: "2026-01-02T03:04:05.006Z",
        endsAt: "0001-01-01T00:00:00Z",
        generatorURL: "http://prom/graph?g0.expr=up",
        fingerprint: alerts[0]!.fingerprint,
      },
      {
        status: "resolved",
        labels: { alertname: "X", instance: "b", severity: "page" },
        annotations: { runbook: "r", summary: "up" },
        startsAt: "2026-01-02T03:04:05.006Z",
        endsAt: "2026-01-02T03:05:05.006Z",
        generatorURL: "http://prom/graph?g0.expr=up",
        fingerprint: alerts[1]!.fingerprint,
      },
    ],
    notification_reason: "first notification",
    groupLabels: { alertname: "X" },
    commonLabels: { alertname: "X", severity: "page" },
    commonAnnotations: { runbook: "r" },
    routeLabels: { owner: "ops" },
    externalURL: "http://am:9093",
    version: "4",
    groupKey: `{}:{alertname="X"}`,
    truncatedAlerts: 0,
  });
});

test("a webhook tells of at most max_alerts, and where to is read from a file each time", async (t) => {
  const { url, received } = await hook(t);
  const file = temporaryFile(t, `${url}/from-file\n`);
  const notifier = webhook(t, `{url_file: ${file}, max_alerts: 1}`);
  await notifier.notify(context(), alerts);
  const body = received[0]!.body as { alerts: unknown[]; truncatedAlerts: number; commonLabels: object };
  assert.deepEqual([body.alerts.length, body.truncatedAlerts, received[0]!.url], [1, 1, "/from-file"]);
  assert.deepEqual(Object.keys(body.commonLabels).length, 3);
  rmSync(file);
  await assert.rejects(notifier.notify(context(), alerts), (error: NotifyError) => !error.retry);
});

test("a payload of the configuration's own shape", async (t) => {
  const { url, received } = await hook(t);
  const payload = `{"{{ .Status }}": ["{{ len .Alerts }}", {n: 3, t: true, z: null, text: "a: {{ .Receiver }}", list: "{{ .CommonLabels | toJson }}"}]}`;
  await webhook(t, `{url: "${url}", payload: ${payload}}`).notify(context(), alerts);
  assert.deepEqual(received[0]!.body, {
    firing: [
      2,
      { n: 3, t: true, z: null, text: { a: "team-a\\.b" }, list: { alertname: "X", severity: "page" } },
    ],
  });
});

test("which answers of a webhook are worth another attempt", async (t) => {
  const cases: [number, boolean, string][] = [
    [500, true, "serverError"],
    [503, true, "serverError"],
    [400, false, "clientError"],
    [401, false, "authError"],
    [429, false, "rateLimited"],
    [304, false, "other"],
  ];
  for (const [status, retry, reason] of cases) {
    const { url } = await hook(t, status);
    await assert.rejects(webhook(t, `{url: "${url}"}`).notify(context(), alerts), (error: NotifyError) => {
      assert.deepEqual([error.retry, error.reason], [retry, reason], String(status));
      assert.match(error.message, new RegExp(`unexpected status code ${status}`));
      return true;
    });
  }
  // Nobody listens: worth another attempt, and the secret URL is not in the message.
  await assert.rejects(
    webhook(t, `{url: "http://127.0.0.1:1/secret"}`).notify(context(), alerts),
    (error: NotifyError) => {
      assert.ok(error.retry);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    },
  );
  const aborted = new AbortController();
  aborted.abort();
  const { url } = await hook(t);
  await assert.rejects(webhook(t, `{url: "${url}"}`).notify(context(aborted.signal), alerts), NotifyError);
});

// Email.

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly hello: string;
  readonly text: string;
}

async function mailServer(
  t: TestContext,
  options: SMTPServerOptions = {},
): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    ...options,
    onAuth(auth, _session, done) {
      const right =
        auth.method === "CRAM-MD5" ? auth.validatePassword("secret") : auth.password === "password";
      if (right) done(null, { user: `${auth.method} ${auth.username}` });
      else done(new Error("wrong password"));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { envelope } = session;
        mails.push({
          from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          user: session.user as string | undefined,
          secure: session.secure,
          hello: session.hostNameAppearsAs,
          text: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

function email(yaml: string): EmailNotifier {
  return new EmailNotifier(
    configOf(`email_configs: [${yaml}]`) as EmailConfig,
    templates,
    systemDisk,
    systemClock,
  );
}

const address = "to: 'Ops <ops@example.org>, second@example.org', from: 'Alerts <alerts@example.org>'";

/** Undoes quoted-printable. */
function decoded(text: string): string {
  const octets = text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(octets, "latin1").toString("utf8");
}

test("a mail with both parts, headers and a subject of its own", async (t) => {
  const { port, mails } = await mailServer(t);
  const yaml = `{${address}, hello: me.example.org, smarthost: "127.0.0.1:${port}", require_tls: false, text: "{{ len .Alerts }} alerts ä", headers: {x-team: "{{ .RouteLabels.owner }}", subject: "{{ .Status }} ü"}, threading: {enabled: true, thread_by_date: daily}}`;
  await email(yaml).notify(context(), alerts);
  const [mail] = mails;
  assert.deepEqual(
    [mail!.from, mail!.to, mail!.hello],
    ["alerts@example.org", ["ops@example.org", "second@example.org"], "me.example.org"],
  );
  const head = mail!.text.slice(0, mail!.text.indexOf("\r\n\r\n"));
  assert.match(head, /^X-Team: ops$/im);
  assert.match(head, /^Subject: =\?UTF-8\?Q\?firing_=C3=BC\?=$/m);
  assert.match(head, /^To: Ops <ops@example.org>, second@example.org$/m);
  assert.match(head, /^References: <alert-[0-9a-f]{16}-2026-01-02@alertmanager>$/m);
  assert.match(head, /^Content-Type: multipart\/alternative;/m);
  const body = decoded(mail!.text);
  assert.ok(body.indexOf("2 alerts ä") < body.indexOf("<!DOCTYPE html>"));
  assert.ok(body.includes("&lt;b&gt;down&lt;/b&gt;") && !body.includes("<b>down</b>"));
  assert.ok(
    body.includes("[1] Firing") && body.includes("[1] Resolved") && body.includes("View in Alertmanager"),
  );
  assert.ok(body.includes(`href="http://am:9093/#/alerts?receiver=team-a%5C.b"`), body);
});

test("the default subject, and html alone", async (t) => {
  const { port, mails } = await mailServer(t);
  await email(`{${address}, smarthost: "127.0.0.1:${port}", require_tls: false}`).notify(context(), alerts);
  assert.match(mails[0]!.text, /^Subject: \[FIRING:1\] X \(page\)$/m);
  assert.ok(!mails[0]!.text.includes("text/plain"));
});

test("STARTTLS, implicit TLS and authentication", async (t) => {
  const insecure = "tls_config: {insecure_skip_verify: true}";
  const { port, mails } = await mailServer(t, { authMethods: ["PLAIN", "LOGIN", "CRAM-MD5"] });
  const start = `${address}, smarthost: "127.0.0.1:${port}", ${insecure}, auth_username: u`;
  await email(`{${start}, auth_password: password}`).notify(context(), alerts);
  await email(`{${start}, auth_secret: secret}`).notify(context(), alerts);
  await email(`{${start}, auth_password_file: ${temporaryFile(t, "password\n")}, auth_identity: i}`).notify(
    context(),
    alerts,
  );
  assert.deepEqual(
    mails.map(({ secure, user }) => [secure, user]),
    [
      [true, "PLAIN u"],
      [true, "CRAM-MD5 u"],
      [true, "PLAIN u"],
    ],
  );
  const implicit = await mailServer(t, { secure: true });
  await email(
    `{${address}, smarthost: "127.0.0.1:${implicit.port}", ${insecure}, force_implicit_tls: true}`,
  ).notify(context(), alerts);
  assert.equal(implicit.mails.length, 1);
});

test("what goes wrong with mail, and whether it is worth another attempt", async (t) => {
  const plain = await mailServer(t, { hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
  const at = (port: number) => `${address}, smarthost: "127.0.0.1:${port}"`;
  const { port } = await mailServer(t);
  const cases: [string, boolean, RegExp][] = [
    // TLS is required, and not offered.
    [`{${at(plain.port)}}`, true, /STARTTLS|TLS/],
    // The certificate is nobody's.
    [`{${at(port)}}`, true, /self-signed|certificate/],
    [`{${at(1)}}`, true, /establish connection to server/],
    [
      `{${at(port)}, require_tls: false, html: "{{ .Nope }}"}`,
      false,
      /execute html template: .*can't evaluate field Nope/,
    ],
    [
      `{to: nobody, from: a@b, smarthost: "127.0.0.1:${port}", require_tls: false}`,
      false,
      /invalid address "nobody"/,
    ],
    [
      `{to: a@b, from: "a@b, c@d", smarthost: "127.0.0.1:${port}", require_tls: false}`,
      false,
      /exactly one 'from' address/,
    ],
    [
      `{${at(port)}, tls_config: {insecure_skip_verify: true}, auth_username: u, auth_password: wrong}`,
      true,
      /wrong password|Invalid login/,
    ],
  ];
  for (const [yaml, retry, message] of cases) {
    await assert.rejects(email(yaml).notify(context(), alerts), (error: NotifyError) => {
      assert.ok(error instanceof NotifyError, String(error));
      assert.match(error.message, message);
      assert.equal(error.retry, retry, error.message);
      return true;
    });
  }
});
