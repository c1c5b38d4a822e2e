import type { Registry } from "@narthex/client";
import type { Clock, Disk, Logger } from "../base/index.ts";
import type { TargetGroup } from "../discovery/index.ts";
import { createHttpClient, type DialMetrics } from "../http/index.ts";
import { fingerprint, Labels } from "../model/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";
import { AlertmanagerSet } from "./alertmanager-set.ts";
import type { AlertingConfig, AlertmanagerConfig } from "./config.ts";
import type { Deliver } from "./delivery.ts";
import { NotifierMetrics } from "./metrics.ts";
import { relabelAlerts } from "./relabel.ts";
import { SendQueue, type SendQueueOptions } from "./send-queue.ts";

export interface NotifierOptions {
  clock: Clock;
  disk: Disk;
  logger: Logger;
  registry: Registry;
  userAgent: string;
  /** Counts connections to Alertmanagers. */
  dials?: DialMetrics;
  /** `--alertmanager.notification-queue-capacity`, for each Alertmanager. */
  queueAlertsMax?: number;
  /** `--alertmanager.notification-batch-size`. */
  batchAlertsMax?: number;
  /** `--alertmanager.drain-notification-queue-on-shutdown`. */
  drainOnShutdown?: boolean;
  /** An Alertmanager in this process, which gets everything whatever the configuration says; `url` names it. */
  local?: { url: string; deliver: Deliver };
}

const defaults = { queueAlertsMax: 10_000, batchAlertsMax: 256, drainOnShutdown: true };

/** Sends the alerts of the rules to every Alertmanager there is. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #queueOptions: SendQueueOptions;
  readonly #drain: boolean;
  readonly #local: SendQueue | undefined;
  #config: AlertingConfig = { alertRelabelConfigs: [], alertmanagers: [] };
  #externalLabels = Labels.empty;
  #sets: AlertmanagerSet[] = [];
  #isStopped = false;
  /** Sets that were replaced and still deliver. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#drain = options.drainOnShutdown ?? defaults.drainOnShutdown;
    const logger = options.logger.with({ component: "notifier" });
    const metrics = new NotifierMetrics(options.registry, () => this.activeAlertmanagers.length);
    const alertsMax = options.queueAlertsMax ?? defaults.queueAlertsMax;
    metrics.queueCapacity.set(alertsMax);
    const batchAlertsMax = options.batchAlertsMax ?? defaults.batchAlertsMax;
    this.#queueOptions = { alertsMax, batchAlertsMax, clock: options.clock, logger, metrics };
    if (options.local)
      this.#local = new SendQueue(options.local.url, options.local.deliver, this.#queueOptions);
  }

  /** URLs that alerts are posted to. */
  get activeAlertmanagers(): string[] {
    return [...(this.#local ? [this.#local.url] : []), ...this.#sets.flatMap((set) => set.active)];
  }

  /** URLs that relabelling took away. */
  get droppedAlertmanagers(): string[] {
    return this.#sets.flatMap((set) => set.dropped);
  }

  /**
   * Sets the `alerting` section, checked already. Parts that did not change go on undisturbed; the others wait for `updateTargets`, and what
   * they replace delivers what it has.
   */
  applyConfig(config: AlertingConfig, externalLabels: Labels): void {
    if (this.#isStopped) return;
    const old = this.#sets;
    this.#config = config;
    this.#externalLabels = externalLabels;
    this.#sets = config.alertmanagers.map((each) => {
      const wanted = fingerprint(each);
      const same = old.findIndex((set) => fingerprint(set.config) === wanted);
      return same < 0 ? this.#createSet(each) : old.splice(same, 1)[0]!;
    });
    for (const set of old) this.#close(set);
  }

  #createSet(config: AlertmanagerConfig): AlertmanagerSet {
    const { disk, clock, dials, userAgent } = this.#options;
    if (config.sigv4 !== undefined) {
      this.#queueOptions.logger.error(
        "sigv4 is not supported: requests to these Alertmanagers are not signed",
      );
    }
    const dialer = dials?.dialer("alertmanager");
    const client = createHttpClient(config.httpClient, { userAgent, disk, clock, ...(dialer && { dialer }) });
    return new AlertmanagerSet(config, client, this.#queueOptions);
  }

  #close(set: AlertmanagerSet): void {
    this.#track(set.close(this.#drain));
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#closing.delete(tracked));
    this.#closing.add(tracked);
  }

  /** What discovery found for the part of `alertmanagers` with this index: all groups, not only what changed. */
  updateTargets(index: number, groups: readonly TargetGroup[]): void {
    const set = this.#sets[index];
    if (set && !this.#isStopped) this.#track(set.update(groups, this.#drain));
  }

  /** Queues the alerts for every Alertmanager. Never waits, never throws. */
  send(alerts: readonly OutgoingAlert[]): void {
    if (this.#isStopped) return;
    const relabeled = relabelAlerts(alerts, this.#config.alertRelabelConfigs, this.#externalLabels);
    this.#local?.add(relabeled);
    for (const set of this.#sets) set.send(relabeled);
  }

  /** Takes no more alerts; resolves when what waited has been sent or given up. */
  async stop(): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      for (const set of this.#sets) this.#close(set);
      if (this.#local) this.#track(this.#local.stop(this.#drain));
    }
    await Promise.all(this.#closing);
  }
}
