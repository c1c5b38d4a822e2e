/** For tests: a notification of one firing and one ended alert, and servers that record what they are told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { silentLogger, systemClock, systemDisk } from "../../base/index.ts";
import { createHttpClient, type HttpClientConfig } from "../../http/index.ts";
import { Labels } from "../../model/index.ts";
import type { Alert } from "../alert.ts";
import { createAlert } from "../alert.ts";
import { parseConfig } from "../config/config.ts";
import { MatcherParser } from "../matcher/index.ts";
import type { NotificationContext } from "../notify/notifier.ts";
import { NotificationTemplates } from "../notify/templates.ts";
import { type Deliver, HttpNotifier } from "./delivery.ts";
import { deliverTo } from "./index.ts";

export const startMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

export function alert(
  labels: Record<string, string>,
  annotations: Record<string, string>,
  resolved = false,
): Alert {
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

/** One that fires and one that has ended. */
export const alerts = [
  alert({ alertname: "X", severity: "page", instance: "a" }, { summary: "<b>down</b>", runbook: "r" }),
  alert({ alertname: "X", severity: "page", instance: "b" }, { summary: "up", runbook: "r" }, true),
];

export function context(signal = new AbortController().signal): NotificationContext {
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

export const templates = new NotificationTemplates([], "http://am:9093", systemDisk, () => startMs);

/** The first integration of a receiver written as YAML. */
export function configOf(yaml: string): object {
  const text = `route: {receiver: r}\nreceivers: [{name: r, ${yaml}}]`;
  const config = parseConfig(text, "am.yml", new MatcherParser("fallback", silentLogger));
  return config.receivers[0]!.integrations[0]!.config;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  /** As JSON where it is that. */
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
}

/** A server that records requests, and answers as `answer` says. */
export async function hook(
  t: TestContext,
  answer: (request: Received) => Answer = () => ({}),
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const isJson = request.headers["content-type"] === "application/json";
      const { method, url, headers } = request;
      const one = {
        method: method!,
        url: url!,
        headers,
        body: isJson ? (JSON.parse(text) as unknown) : text,
      };
      received.push(one);
      const { status = 200, json, text: said = "the answer" } = answer(one);
      response.writeHead(status, { "content-type": json === undefined ? "text/plain" : "application/json" });
      response.end(json === undefined ? said : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** The notifier of the first integration of a receiver written as YAML; `create` for what tests replace. */
export function httpNotifier(
  t: TestContext,
  type: string,
  yaml: string,
  create: (config: object) => Deliver = (config) => deliverTo(type, config),
): HttpNotifier {
  const config = configOf(`${type}_configs: [${yaml}]`) as { httpConfig: HttpClientConfig };
  const client = createHttpClient(config.httpConfig, { userAgent: "Alertmanager/1" });
  const parts = { clock: systemClock, templates, client, disk: systemDisk, logger: silentLogger };
  const notifier = new HttpNotifier(create(config), parts);
  t.after(() => notifier.close());
  return notifier;
}

export function temporaryFile(t: TestContext, content: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), "narthex-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, "file");
  writeFileSync(file, content);
  return file;
}
