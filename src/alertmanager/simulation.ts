/** For tests: the way from the provider to the receivers on a simulated clock and an in-memory disk. */
import { Registry } from "@narthex/client";
import { type Disk, type Logger, silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import { type Alert, createAlert } from "./alert.ts";
import { AlertProvider } from "./alert-provider.ts";
import { type Cluster, singleNode } from "./cluster.ts";
import { parseConfig } from "./config/config.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Inhibitor } from "./inhibitor.ts";
import { MatcherParser } from "./matcher/index.ts";
import { createMetrics } from "./metrics.ts";
import { NotificationLog } from "./notification-log.ts";
import { Integration } from "./notify/integration.ts";
import type { NotificationContext } from "./notify/notifier.ts";
import { Pipeline } from "./notify/pipeline.ts";
import { NotificationTemplates } from "./notify/templates.ts";
import { Route } from "./route.ts";
import { Silences } from "./silence/silences.ts";
import { TimeIntervals } from "./time-interval.ts";

/** A disk of a few files that are written as a whole. */
export function memoryDisk(files = new Map<string, Uint8Array>()): Disk {
  return {
    ...systemDisk,
    stat: (path) => {
      const file = files.get(path);
      return file && { sizeBytes: file.length, isDirectory: false, modifiedMs: 0 };
    },
    readFile: (path) => files.get(path)!,
    writeFileAtomic: (path, bytes) => void files.set(path, Buffer.from(bytes as Uint8Array)),
    rename: (from, to) => {
      files.set(to, files.get(from)!);
      files.delete(from);
    },
    makeDirectory: () => {},
    list: () => [],
  };
}

export interface Notification {
  /** Seconds since the start. */
  readonly second: number;
  readonly receiver: string;
  readonly reason: string;
  readonly group: string;
  /** `name` of each alert, with `-` in front when it has ended. */
  readonly alerts: string;
}

/** How a simulated receiver answers; throws to fail. */
export type Respond = (context: NotificationContext, alerts: readonly Alert[]) => void;

export interface SimulationOptions {
  readonly config: string;
  readonly startMs?: number;
  readonly files?: Map<string, Uint8Array>;
  readonly respond?: Respond;
  readonly cluster?: Cluster;
  readonly sendResolved?: boolean;
  readonly logger?: Logger;
  readonly startDelayMs?: number;
}

/** All receivers of the configuration take notifications from one simulated integration each. */
export function simulate(options: SimulationOptions) {
  const startMs = options.startMs ?? Date.UTC(2026, 0, 1);
  const clock = new SimulatedClock(startMs);
  const disk = memoryDisk(options.files);
  const logger = options.logger ?? silentLogger;
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const cluster = options.cluster ?? singleNode;
  const parser = new MatcherParser("utf8-strict", silentLogger);
  const config = parseConfig(options.config, "am.yml", parser);
  const stores = {
    clock,
    disk,
    logger,
    cluster,
    retentionMs: 120 * 3_600_000,
    maintenanceIntervalMs: 900_000,
  };
  const provider = new AlertProvider({
    clock,
    logger,
    metrics,
    gcIntervalMs: 1_800_000,
    perAlertnameLimit: 0,
  });
  const silences = new Silences({
    ...stores,
    metrics,
    parser,
    path: "silences",
    silencesMax: 0,
    silenceBytesMax: 0,
    logChanges: false,
  });
  const log = new NotificationLog({ ...stores, metrics: metrics.nflog, path: "nflog" });
  const inhibitor = new Inhibitor(config.inhibitRules, provider, clock);
  const sent: Notification[] = [];
  const receivers = new Map(
    config.receivers.map(({ name, labels }) => {
      const notifier = {
        notify: (context: NotificationContext, alerts: readonly Alert[]) => {
          options.respond?.(context, alerts);
          sent.push(describe(context, alerts, startMs));
          return Promise.resolve(undefined);
        },
        close: () => Promise.resolve(),
      };
      const key = { receiver: name, integration: "simulated", index: 0 };
      const sendResolved = options.sendResolved ?? true;
      const integration = new Integration({
        key,
        sendResolved,
        notifier,
        clock,
        logger,
        metrics,
        random: () => 0.5,
      });
      return [name, { name, labels, integrations: [integration] }];
    }),
  );
  const pipeline = new Pipeline({
    clock,
    logger,
    metrics,
    cluster,
    peerTimeoutMs: 15_000,
    receivers,
    inhibitor,
    silences,
    timeIntervals: new TimeIntervals(config.timeIntervals),
    log,
    templates: new NotificationTemplates([], "http://am", disk, () => clock.nowMs()),
  });
  const dispatcher = new Dispatcher({
    clock,
    logger,
    metrics,
    route: new Route(config.route),
    alerts: provider,
    startMs: startMs + (options.startDelayMs ?? 0),
    extraFlushMs: () => 0,
    flush: (group, alerts, timeMs, signal) => pipeline.notify(group, alerts, timeMs, signal),
    forget: (group) => pipeline.forget(group),
    groupsMax: 0,
  });
  return {
    clock,
    registry,
    silences,
    log,
    dispatcher,
    pipeline,
    provider,
    parser,
    sent,
    /** Fires an alert, or ends it when `lastsS` is 0, and keeps it firing for `lastsS` seconds. */
    put(labels: Record<string, string>, lastsS = 3600): void {
      const nowMs = clock.nowMs();
      const endsAtMs = nowMs + lastsS * 1000;
      const startsAtMs = lastsS === 0 ? nowMs - 1000 : nowMs;
      const source = { labels: Labels.from(labels), startsAtMs, endsAtMs };
      provider.put([createAlert(source, nowMs, 300_000, () => true)]);
    },
    /** What was sent since the last call, one line each. */
    take(): string[] {
      return sent
        .splice(0)
        .map(
          ({ second, receiver, reason, group, alerts }) =>
            `${second}s ${receiver} ${group} ${reason}: ${alerts}`,
        );
    },
    async close(): Promise<void> {
      await dispatcher.close();
      inhibitor.close();
      provider.close();
      silences.close();
      log.close();
    },
  };
}

function describe(context: NotificationContext, alerts: readonly Alert[], startMs: number): Notification {
  const names = alerts.map(
    (alert) => (alert.endsAtMs === undefined ? "" : "-") + alert.labels.get("alertname"),
  );
  return {
    second: (context.timeMs - startMs) / 1000,
    receiver: context.receiver,
    reason: context.reason,
    group: [...context.groupLabels.values()].join("/"),
    alerts: names.join(" "),
  };
}
