import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { systemDisk } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { createAlert } from "../alert.ts";
import { type NotificationData, notificationData } from "./data.ts";
import { NotificationTemplates } from "./templates.ts";

const nowMs = Date.UTC(2026, 0, 1);

function data(
  severities: readonly string[],
  resolved: readonly string[] = [],
  routeLabels = {},
): NotificationData {
  const make = (severity: string, endsAtMs: number | undefined) => ({
    ...createAlert({ labels: Labels.from({ alertname: "X", severity }) }, nowMs - 1000, 1, () => true),
    endsAtMs,
  });
  const source = {
    receiver: "r",
    groupLabels: new Map([["alertname", "X"]]),
    routeLabels: new Map(Object.entries<string>(routeLabels)),
    reason: "unknown" as const,
    timeMs: nowMs,
  };
  const alerts = [...severities.map((s) => make(s, undefined)), ...resolved.map((s) => make(s, nowMs - 1))];
  return notificationData(source, alerts, "http://am");
}

const templates = new NotificationTemplates([], "http://am", systemDisk, () => nowMs);
const expand = (name: string, of: NotificationData): string =>
  templates.text(`{{ template "${name}" . }}`, of);

test("the built-in templates", () => {
  assert.equal(expand("__subject", data(["page"])), "[FIRING:1] X (page)");
  assert.equal(expand("__subject", data(["page", "info"], ["page"])), "[FIRING:2] X ");
  assert.equal(expand("__subject", data([], ["page"])), "[RESOLVED] X (page)");
  assert.equal(expand("__alertmanagerURL", data(["a"])), "http://am/#/alerts?receiver=r");
  assert.equal(expand("slack.default.color", data([], ["a"])), "good");
  assert.match(
    expand("telegram.default.message", data(["a"], ["b"])),
    /^\nAlerts Firing:\nLabels:\n - alertname = X\n - severity = a\nAnnotations:\nSource: \n\nAlerts Resolved:\nLabels:/,
  );
  for (const [severities, resolved, expected] of [
    [["info", "critical", "warning"], [], "High"],
    [["info", "warning"], ["critical"], "Medium"],
    [[], ["info"], "Low"],
    [["other"], ["warning"], "Medium"],
    [["other"], [], ""],
  ] as const) {
    assert.equal(expand("jira.default.priority", data(severities, resolved)), expected);
  }
  assert.match(templates.html(`{{ template "email.default.html" . }}`, data(["<script>"])), /&lt;script&gt;/);
});

test("files of a configuration override what is built in, and define their own", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(
    path.join(directory, "a.tmpl"),
    `{{ define "__subject" }}mine {{ template "own" . }}{{ end }}`,
  );
  writeFileSync(path.join(directory, "b.tmpl"), `{{ define "own" }}{{ .NotificationReason }}{{ end }}`);
  const own = new NotificationTemplates([path.join(directory, "*.tmpl")], "", systemDisk, () => nowMs);
  assert.equal(own.text(`{{ template "slack.default.title" . }}`, data([])), "mine unknown");
  writeFileSync(path.join(directory, "c.tmpl"), "\n{{ if }}");
  assert.throws(
    () => new NotificationTemplates([path.join(directory, "*.tmpl")], "", systemDisk, () => nowMs),
    { message: "template: c.tmpl:2: missing value for if" },
  );
});

test("route labels are templates that may ask for each other, but not in a circle", () => {
  const labels = { team: "{{ .GroupLabels.alertname }}-team", url: `http://wiki/{{ routeLabels "team" }}` };
  assert.deepEqual(
    [...templates.routeLabels(data(["a"], [], labels))],
    [
      ["team", "X-team"],
      ["url", "http://wiki/X-team"],
    ],
  );
  const circle = data(["a"], [], { a: `{{ routeLabels "b" }}`, b: `{{ routeLabels "a" }}` });
  assert.throws(() => templates.routeLabels(circle), /route label cycle detected: a -> b -> a/);
});
