import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { NotifyError } from "../notify/notifier.ts";
import { alerts, context, hook, httpNotifier, temporaryFile } from "./testing.ts";

test("the webhook's message, version 4", async (t) => {
  const { url, received } = await hook(t);
  await httpNotifier(t, "webhook", `{url: "${url}/{{ .GroupLabels.alertname }}?s={{ .Status }}"}`).notify(
    context(),
    alerts,
  );
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
  const notifier = httpNotifier(t, "webhook", `{url_file: ${file}, max_alerts: 1}`);
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
  await httpNotifier(t, "webhook", `{url: "${url}", payload: ${payload}}`).notify(context(), alerts);
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
    const { url } = await hook(t, () => ({ status }));
    await assert.rejects(
      httpNotifier(t, "webhook", `{url: "${url}"}`).notify(context(), alerts),
      (error: NotifyError) => {
        assert.deepEqual([error.retry, error.reason], [retry, reason], String(status));
        assert.match(error.message, new RegExp(`unexpected status code ${status}`));
        return true;
      },
    );
  }
  // Nobody listens: worth another attempt, and the secret URL is not in the message.
  await assert.rejects(
    httpNotifier(t, "webhook", `{url: "http://127.0.0.1:1/secret"}`).notify(context(), alerts),
    (error: NotifyError) => {
      assert.ok(error.retry);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    },
  );
  const aborted = new AbortController();
  aborted.abort();
  const { url } = await hook(t);
  await assert.rejects(
    httpNotifier(t, "webhook", `{url: "${url}"}`).notify(context(aborted.signal), alerts),
    NotifyError,
  );
});
