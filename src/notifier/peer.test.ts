import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, systemClock, systemDisk } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import { Place } from "../codec/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";
import { alertingConfig } from "./config.ts";
import { Notifier } from "./manager.ts";

const binary = process.env["ALERTMANAGER_BIN"] ?? "/usr/bin/prometheus-alertmanager";
const skip = existsSync(binary) ? false : `no ${binary}`;
const startMsMax = 20_000;

/** Starts the real Alertmanager on a free port, which it tells in its log. */
async function startAlertmanager(directory: string): Promise<{ process: ChildProcess; address: string }> {
  const configPath = join(directory, "alertmanager.yml");
  writeFileSync(
    configPath,
    "route: {receiver: none, group_by: [job], group_wait: 10ms}\nreceivers: [{name: none}]\n",
  );
  const child = spawn(
    binary,
    [
      `--config.file=${configPath}`,
      `--storage.path=${directory}`,
      "--web.listen-address=127.0.0.1:0",
      "--cluster.listen-address=",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  return new Promise((resolve, reject) => {
    let log = "";
    const timer = setTimeout(() => reject(new Error(`Alertmanager did not start:\n${log}`)), startMsMax);
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      const match = /[Ll]istening.*address=(127\.0\.0\.1:[1-9]\d*)/.exec(log);
      if (!match) return;
      clearTimeout(timer);
      resolve({ process: child, address: match[1]! });
    });
    child.on("exit", () => reject(new Error(`Alertmanager ended:\n${log}`)));
  });
}

test("Debian's Alertmanager receives and groups our alerts", { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "narthex-notifier-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { process: child, address } = await startAlertmanager(directory);
  t.after(() => child.kill());
  const notifier = new Notifier({
    clock: systemClock,
    disk: systemDisk,
    logger: silentLogger,
    registry: new Registry(),
    userAgent: "Narthex/test",
  });
  const yaml = "alertmanagers: [{static_configs: [{targets: [x]}]}]";
  notifier.applyConfig(alertingConfig.decode(Place.parse(yaml, "c.yml")), Labels.from({ cluster: "eu" }));
  notifier.updateTargets(0, [
    { source: "test", targets: [Labels.from({ __address__: address })], labels: Labels.empty },
  ]);
  const nowMs = Date.now();
  const alert = (name: string, job: string, endsInMs: number): OutgoingAlert => ({
    labels: Labels.from({ alertname: name, job }),
    annotations: Labels.from({ summary: `ünïcode "${name}"` }),
    startsAtMs: nowMs - 60_000,
    endsAtMs: nowMs + endsInMs,
    generatorUrl: "http://prom.example/graph?g0.expr=up",
  });
  notifier.send([
    alert("Down", "a", 300_000),
    alert("Slow", "a", 300_000),
    alert("Down", "b", 300_000),
    alert("Gone", "c", -1),
  ]);
  await notifier.stop();

  interface Group {
    labels: Record<string, string>;
    alerts: { labels: Record<string, string>; annotations: Record<string, string>; generatorURL: string }[];
  }
  const until = Date.now() + startMsMax;
  let groups: Group[] = [];
  while (groups.length < 2 && Date.now() < until) {
    const response = await fetch(`http://${address}/api/v2/alerts/groups`);
    groups = (await response.json()) as Group[];
  }
  const summary = groups
    .map(
      ({ labels, alerts }) =>
        `${labels["job"]}: ${alerts
          .map((one) => one.labels["alertname"])
          .sort()
          .join(" ")}`,
    )
    .sort();
  assert.deepEqual(summary, ["a: Down Slow", "b: Down"]);
  const [received] = groups.find(({ labels }) => labels["job"] === "b")!.alerts;
  assert.deepEqual(received!.labels, { alertname: "Down", cluster: "eu", job: "b" });
  assert.equal(received!.annotations["summary"], 'ünïcode "Down"');
  assert.equal(received!.generatorURL, "http://prom.example/graph?g0.expr=up");
});
