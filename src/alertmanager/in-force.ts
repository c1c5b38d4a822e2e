/** What one configuration puts in force: read and checked first, then put to work, and ended when another takes its place. */
import type { Clock, Disk, Logger } from "../base/index.ts";
import type { Labels } from "../model/index.ts";
import type { Alert } from "./alert.ts";
import type { AlertProvider } from "./alert-provider.ts";
import type { Cluster } from "./cluster.ts";
import { type Config, parseConfig } from "./config/config.ts";
import { Dispatcher, type Group } from "./dispatcher.ts";
import type { AlertmanagerSettings } from "./flags.ts";
import { Inhibitor } from "./inhibitor.ts";
import type { MatcherParser } from "./matcher/index.ts";
import type { Metrics } from "./metrics.ts";
import type { NotificationLog } from "./notification-log.ts";
import { notificationData } from "./notify/data.ts";
import { Pipeline } from "./notify/pipeline.ts";
import { NotificationTemplates } from "./notify/templates.ts";
import { closeReceivers, createReceivers, type Receiver } from "./receivers.ts";
import { Route } from "./route.ts";
import type { Silences } from "./silence/silences.ts";
import { TimeIntervals } from "./time-interval.ts";

/** What outlives configurations; none of it is theirs. */
export interface Surroundings {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly parser: MatcherParser;
  readonly settings: AlertmanagerSettings;
  readonly externalUrl: string;
  /** Sent with HTTP requests. */
  readonly userAgent: string;
}

/** The stores and neighbours that a configuration works on. */
export interface Stores {
  readonly alerts: AlertProvider;
  readonly silences: Silences;
  readonly log: NotificationLog;
  readonly cluster: Cluster;
  /** No group is flushed before. */
  readonly startMs: number;
}

/** The fallible part of putting a configuration in force: nothing of it touches what is in force now. */
export interface Prepared {
  readonly config: Config;
  readonly route: Route;
  readonly templates: NotificationTemplates;
  readonly receivers: ReadonlyMap<string, Receiver>;
}

/** Reads a configuration. Throws `bad_data` when it or a template is bad. */
export function prepareConfig(source: { text: string; file: string }, surroundings: Surroundings): Prepared {
  const { clock, disk, externalUrl, logger, parser } = surroundings;
  const config = parseConfig(source.text, source.file, parser);
  for (const section of config.ignoredSections) {
    logger.warn("this section of the configuration has no effect yet", { section });
  }
  const templates = new NotificationTemplates(config.templates, externalUrl, disk, () => clock.nowMs());
  const route = new Route(config.route);
  return {
    config,
    route,
    templates,
    receivers: createReceivers(config, route, { ...surroundings, templates }),
  };
}

/** A configuration at work. Close it before making another. */
export class InForce {
  readonly config: Config;
  readonly #prepared: Prepared;
  readonly #clock: Clock;
  readonly #inhibitor: Inhibitor;
  readonly #pipeline: Pipeline;
  readonly #dispatcher: Dispatcher;

  constructor(prepared: Prepared, surroundings: Surroundings, stores: Stores) {
    const { config, route, templates, receivers } = prepared;
    const { clock, metrics, settings } = surroundings;
    const { alerts, silences, log, cluster, startMs } = stores;
    const logger = surroundings.logger.with({ component: "dispatcher" });
    this.config = config;
    this.#prepared = prepared;
    this.#clock = clock;
    const inhibitor = new Inhibitor(config.inhibitRules, alerts, clock);
    const pipeline = new Pipeline({
      clock,
      logger,
      metrics,
      cluster,
      peerTimeoutMs: settings.peerTimeoutMs,
      receivers,
      inhibitor,
      silences,
      timeIntervals: new TimeIntervals(config.timeIntervals),
      log,
      templates,
    });
    this.#inhibitor = inhibitor;
    this.#pipeline = pipeline;
    this.#dispatcher = new Dispatcher({
      clock,
      logger,
      metrics,
      route,
      alerts,
      startMs,
      extraFlushMs: () => cluster.position() * settings.peerTimeoutMs,
      flush: (group, told, timeMs, signal) => pipeline.notify(group, told, timeMs, signal),
      forget: (group) => pipeline.forget(group),
      groupsMax: 0,
    });
    warnOfIntervals(route, settings, surroundings.logger);
    const integrations = [...receivers.values()].map((receiver) => receiver.integrations.length);
    metrics.receivers.set(receivers.size);
    metrics.integrations.set(integrations.reduce((sum, count) => sum + count, 0));
    metrics.inhibitionRules.set(config.inhibitRules.length);
  }

  groups(): { group: Group; alerts: Alert[] }[] {
    return this.#dispatcher.groups();
  }

  /** Names of the time intervals that hold the group back. */
  mutedBy(group: Group): readonly string[] {
    return this.#pipeline.mutedBy(group);
  }

  /** Fingerprint of the alert that inhibits one with these labels. */
  inhibiting(labels: Labels): string | undefined {
    return this.#inhibitor.inhibiting(labels);
  }

  /** Names of the receivers to which an alert with these labels is routed. */
  receiversOf(labels: Labels): readonly string[] {
    return this.#prepared.route.match(labels).map(({ options }) => options.receiver);
  }

  /** The group's route labels, expanded; none when one of them does not expand. */
  routeLabels(group: Group, alerts: readonly Alert[]): ReadonlyMap<string, string> {
    const { labels, receiver } = group.route.options;
    if (labels.size === 0) return labels;
    const { templates } = this.#prepared;
    const source = {
      receiver,
      groupLabels: new Map(group.labels),
      routeLabels: labels,
      reason: "unknown" as const,
      timeMs: this.#clock.nowMs(),
    };
    try {
      return templates.routeLabels(notificationData(source, alerts, templates.externalUrl));
    } catch {
      return new Map();
    }
  }

  /** Takes no more alerts, and ends notifications under way. */
  async close(): Promise<void> {
    this.#inhibitor.close();
    await this.#dispatcher.close();
    await closeReceivers(this.#prepared.receivers);
  }
}

function warnOfIntervals(root: Route, { retentionMs }: AlertmanagerSettings, logger: Logger): void {
  for (const { options, key } of root.walk()) {
    const { repeatIntervalMs, groupIntervalMs } = options;
    if (repeatIntervalMs > retentionMs) {
      logger.warn(
        "repeat_interval is greater than the data retention period: notifications will repeat earlier",
        { route: key },
      );
    }
    if (repeatIntervalMs < groupIntervalMs) {
      logger.warn(
        "repeat_interval is less than group_interval: notifications will not repeat until the next group_interval",
        { route: key },
      );
    }
  }
}
