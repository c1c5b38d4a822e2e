/** One running Alertmanager: what lives as long as the program, and what each configuration puts in force. */
import { createHash } from "node:crypto";
import path from "node:path";
import type { Registry } from "@narthex/client";
import type { Hono } from "hono";
import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../base/index.ts";
import type { Labels } from "../model/index.ts";
import { type Alert, createAlert, isResolvedAt, type PostableAlert } from "./alert.ts";
import { AlertProvider } from "./alert-provider.ts";
import { createApp } from "./api/app.ts";
import type { Backend, BuildInfo } from "./api/backend.ts";
import { type Cluster, singleNode } from "./cluster.ts";
import type { ReceiverConfig } from "./config/receiver.ts";
import type { Group } from "./dispatcher.ts";
import { type AlertmanagerSettings, defaultSettings } from "./flags.ts";
import { InForce, prepareConfig, type Prepared, type Surroundings } from "./in-force.ts";
import { MatcherParser } from "./matcher/index.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { NotificationLog } from "./notification-log.ts";
import { Silences } from "./silence/silences.ts";

/** A configuration's text and where it is from. */
export interface ConfigSource {
  readonly text: string;
  /** Named in errors; relative file names in the text start at its directory. */
  readonly file: string;
}

export interface AlertmanagerOptions {
  /** Gives the configuration: at the start, and again for each reload. */
  readonly loadConfig: () => ConfigSource;
  readonly clock: Clock;
  readonly disk: Disk;
  /** Directory of `silences` and `nflog`; made if absent. */
  readonly storagePath: string;
  /** As it stands in links, without a slash at the end. */
  readonly externalUrl: string;
  /** Under which the routes stand: "" or "/prefix". */
  readonly routePrefix?: string;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly build: BuildInfo;
  readonly settings?: Partial<AlertmanagerSettings>;
  readonly cluster?: Cluster;
}

export interface Alertmanager {
  /** API, health, reload and metrics. */
  readonly app: Hono;
  /** What POST /api/v2/alerts does. Throws `bad_data` with what is wrong with some alerts, after it has stored the others. */
  putAlerts(alerts: readonly PostableAlert[]): void;
  /** Puts the configuration in force as it now stands. When it is bad, throws `bad_data`, and the old one goes on. */
  reload(): Promise<void>;
  /** Ends notifications under way and writes what is kept. */
  close(): Promise<void>;
}

/** Starts an Alertmanager. Throws `bad_data` when the configuration is bad. */
export function createAlertmanager(options: AlertmanagerOptions): Alertmanager {
  return new RunningAlertmanager(options);
}

class RunningAlertmanager implements Alertmanager, Backend {
  readonly app: Hono;
  readonly parser: MatcherParser;
  readonly silences: Silences;
  readonly cluster: Cluster;
  readonly build: BuildInfo;
  readonly startMs: number;
  readonly #options: AlertmanagerOptions;
  readonly #settings: AlertmanagerSettings;
  readonly #metrics: Metrics;
  readonly #provider: AlertProvider;
  readonly #log: NotificationLog;
  readonly #stopCollecting: () => void;
  readonly #surroundings: Surroundings;
  #inForce: InForce;
  /** The reload under way, so that they come one after the other. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: AlertmanagerOptions) {
    this.#options = options;
    this.#settings = { ...defaultSettings, ...options.settings };
    this.cluster = options.cluster ?? singleNode;
    this.build = options.build;
    this.startMs = options.clock.nowMs();
    this.parser = new MatcherParser(this.#settings.matcherMode, options.logger);
    this.#metrics = createMetrics(options.registry);
    // A bad configuration at the start is found before anything is opened.
    this.#surroundings = {
      ...options,
      metrics: this.#metrics,
      parser: this.parser,
      settings: this.#settings,
      userAgent: `Alertmanager/${this.build.version}`,
    };
    const prepared = prepareConfig(options.loadConfig(), this.#surroundings);
    options.disk.makeDirectory(options.storagePath);
    this.silences = this.#openSilences();
    this.#log = this.#openLog();
    this.#provider = new AlertProvider({
      clock: options.clock,
      logger: options.logger.with({ component: "provider" }),
      metrics: this.#metrics,
      gcIntervalMs: this.#settings.alertGcIntervalMs,
      perAlertnameLimit: this.#settings.alertsPerAlertnameMax,
    });
    this.#inForce = this.#enforce(prepared);
    this.#stopCollecting = options.registry.collector(() => this.#collect());
    this.#describeBuild();
    options.logger.info("Completed loading of configuration file");
    this.app = createApp({
      backend: this,
      registry: options.registry,
      metrics: this.#metrics,
      logger: options.logger,
      routePrefix: options.routePrefix ?? "",
      getConcurrencyMax: this.#settings.getConcurrencyMax,
    });
  }

  putAlerts(alerts: readonly PostableAlert[]): void {
    this.receive(alerts);
  }

  reload(): Promise<void> {
    const next = this.#reloading.then(() => this.#reload());
    this.#reloading = next.catch(() => {});
    return next;
  }

  async close(): Promise<void> {
    await this.#reloading;
    this.#stopCollecting();
    await this.#inForce.close();
    this.#provider.close();
    this.silences.close();
    this.#log.close();
  }

  // What the API asks for.

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  receive(alerts: readonly PostableAlert[]): void {
    const nowMs = this.nowMs();
    const { resolveTimeoutMs } = this.#inForce.config.global;
    const errors: string[] = [];
    const valid = alerts.flatMap((source) => {
      try {
        const alert = createAlert(source, nowMs, resolveTimeoutMs, (name) => this.parser.isLabelName(name));
        const status = isResolvedAt(alert, nowMs) ? "resolved" : "firing";
        this.#metrics.alertsReceived.labels({ status, version: "v2" }).inc();
        return [alert];
      } catch (error) {
        if (!(error instanceof NarthexError)) throw error;
        this.#metrics.alertsInvalid.labels({ version: "v2" }).inc();
        errors.push(error.message);
        return [];
      }
    });
    this.#provider.put(valid);
    if (errors.length > 0) throw new NarthexError("bad_data", errors.join("\n"));
  }

  alerts() {
    return this.#provider.list();
  }

  groups() {
    return this.#inForce.groups();
  }

  groupMutedBy(group: Group): readonly string[] {
    return this.#inForce.mutedBy(group);
  }

  groupRouteLabels(group: Group, alerts: readonly Alert[]): ReadonlyMap<string, string> {
    return this.#inForce.routeLabels(group, alerts);
  }

  inhibiting(labels: Labels): string | undefined {
    return this.#inForce.inhibiting(labels);
  }

  receivers(): readonly ReceiverConfig[] {
    return this.#inForce.config.receivers;
  }

  receiverLabels(name: string): ReadonlyMap<string, string> | undefined {
    return this.#inForce.config.receivers.find((receiver) => receiver.name === name)?.labels;
  }

  receiversOf(labels: Labels): readonly string[] {
    return this.#inForce.receiversOf(labels);
  }

  configYaml(): string {
    return this.#inForce.config.yaml;
  }

  // Configuration.

  async #reload(): Promise<void> {
    const { loadConfig, logger } = this.#options;
    let prepared: Prepared;
    try {
      prepared = prepareConfig(loadConfig(), this.#surroundings);
    } catch (error) {
      this.#metrics.configLastReloadSuccessful.set(0);
      logger.error("Loading configuration file failed: the previous one stays in force", {
        err: errorMessage(error),
      });
      throw error;
    }
    await this.#inForce.close();
    this.#inForce = this.#enforce(prepared);
    logger.info("Completed loading of configuration file");
  }

  #enforce(prepared: Prepared): InForce {
    const inForce = new InForce(prepared, this.#surroundings, {
      alerts: this.#provider,
      silences: this.silences,
      log: this.#log,
      cluster: this.cluster,
      startMs: this.startMs + this.#settings.startDelayMs,
    });
    const metrics = this.#metrics;
    metrics.configLastReloadSuccessful.set(1);
    metrics.configLastReloadSuccess.set(Math.floor(this.nowMs() / 1000));
    // 48 bits, which a sample holds exactly.
    metrics.configHash.set(createHash("md5").update(prepared.config.yaml).digest().readUIntLE(0, 6));
    return inForce;
  }

  // What lives as long as the program.

  #openSilences(): Silences {
    const { clock, disk, logger, storagePath } = this.#options;
    const settings = this.#settings;
    return new Silences({
      clock,
      disk,
      logger: logger.with({ component: "silences" }),
      metrics: this.#metrics,
      cluster: this.cluster,
      parser: this.parser,
      path: path.join(storagePath, "silences"),
      retentionMs: settings.retentionMs,
      maintenanceIntervalMs: settings.maintenanceIntervalMs,
      silencesMax: settings.silencesMax,
      silenceBytesMax: settings.silenceBytesMax,
      logChanges: settings.logSilences,
    });
  }

  #openLog(): NotificationLog {
    const { clock, disk, logger, storagePath } = this.#options;
    return new NotificationLog({
      clock,
      disk,
      logger: logger.with({ component: "nflog" }),
      metrics: this.#metrics.nflog,
      cluster: this.cluster,
      path: path.join(storagePath, "nflog"),
      retentionMs: this.#settings.retentionMs,
      maintenanceIntervalMs: this.#settings.maintenanceIntervalMs,
    });
  }

  #collect(): void {
    const metrics = this.#metrics;
    for (const [state, count] of Object.entries(this.silences.counts()))
      metrics.silences.labels({ state }).set(count);
    const nowMs = this.nowMs();
    const counts = { active: 0, suppressed: 0, unprocessed: 0 };
    for (const alert of this.#provider.list()) {
      if (isResolvedAt(alert, nowMs)) continue;
      const muted =
        this.inhibiting(alert.labels) !== undefined || this.silences.muting(alert.labels).length > 0;
      counts[muted ? "suppressed" : "active"]++;
    }
    for (const [state, count] of Object.entries(counts)) metrics.alerts.labels({ state }).set(count);
  }

  #describeBuild(): void {
    const { version, revision, branch, goVersion } = this.build;
    this.#metrics.buildInfo.labels({ version, revision, branch, goversion: goVersion }).set(1);
    this.#metrics.clusterEnabled.set(this.cluster.status() === "disabled" ? 0 : 1);
    for (const reason of ["silence", "inhibition", "mute_time_interval", "active_time_interval"]) {
      this.#metrics.notificationsSuppressed.labels({ reason });
    }
    for (const status of ["firing", "resolved"])
      this.#metrics.alertsReceived.labels({ status, version: "v2" });
    this.#metrics.alertsInvalid.labels({ version: "v2" });
    this.#metrics.concurrencyLimitExceeded.labels({ method: "get" });
  }
}
