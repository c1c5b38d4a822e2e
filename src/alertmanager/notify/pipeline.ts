/**
 * The stages between a flushed group and its receiver: wait for the cluster, leave out what is inhibited, hold back what is outside the
 * route's times, leave out what is silenced; then for each integration by itself: wait for the other nodes, ask the log whether there
 * is news, send, note it in the log. A stage that leaves nothing ends the way successfully.
 */
import { type Clock, errorMessage, type Logger, sleep } from "../../base/index.ts";
import type { Alert } from "../alert.ts";
import type { Cluster } from "../cluster.ts";
import type { Group } from "../dispatcher.ts";
import type { Inhibitor } from "../inhibitor.ts";
import type { Metrics, SuppressReason } from "../metrics.ts";
import type { NotificationLog } from "../notification-log.ts";
import type { Receiver } from "../receivers.ts";
import type { Silences } from "../silence/silences.ts";
import type { TimeIntervals } from "../time-interval.ts";
import { hashAlerts, notificationReason } from "./deduplicate.ts";
import { type DataSource, notificationData } from "./data.ts";
import type { Integration } from "./integration.ts";
import type { NotificationTemplates } from "./templates.ts";

export interface PipelineOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly cluster: Cluster;
  /** How long each node waits for those before it. */
  readonly peerTimeoutMs: number;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly inhibitor: Inhibitor;
  readonly silences: Silences;
  readonly timeIntervals: TimeIntervals;
  readonly log: NotificationLog;
  readonly templates: NotificationTemplates;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  /** Names of the time intervals that hold a group back, by route id and group key. */
  readonly #muted = new Map<string, readonly string[]>();

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /**
   * Takes the group's alerts, ended ones included, through all stages. `timeMs` is when the flush was due and counts as now. Throws
   * when an integration failed; those that did not have been noted.
   */
  async notify(group: Group, alerts: readonly Alert[], timeMs: number, signal: AbortSignal): Promise<void> {
    await this.#options.cluster.ready(signal);
    const { inhibitor, silences } = this.#options;
    const receiver = this.#options.receivers.get(group.route.options.receiver);
    const audible = this.#without(
      alerts,
      "inhibition",
      (alert) => inhibitor.inhibiting(alert.labels) !== undefined,
    );
    if (audible.length === 0 || receiver === undefined || this.#outsideTimes(group, audible, timeMs)) return;
    const left = this.#without(
      audible,
      "silence",
      (alert) => silences.muting(alert.labels, receiver.labels).length > 0,
    );
    if (left.length === 0) return;
    const outcomes = await Promise.allSettled(
      receiver.integrations.map((integration) =>
        this.#toIntegration(group, integration, left, timeMs, signal),
      ),
    );
    const errors = outcomes
      .filter((outcome) => outcome.status === "rejected")
      .map(({ reason }) => reason as unknown);
    if (errors.length > 0) throw new Error(errors.map(errorMessage).join("; "), { cause: errors[0] });
  }

  /** The time intervals because of which the group's last flush was held back. */
  mutedBy(group: Group): readonly string[] {
    return this.#muted.get(group.id) ?? [];
  }

  /** The group is gone. */
  forget(group: Group): void {
    this.#muted.delete(group.id);
  }

  #without(
    alerts: readonly Alert[],
    reason: SuppressReason,
    isMuted: (alert: Alert) => boolean,
  ): readonly Alert[] {
    const left = alerts.filter((alert) => !isMuted(alert));
    this.#suppressed(alerts.length - left.length, reason);
    return left;
  }

  #suppressed(count: number, reason: SuppressReason): void {
    if (count > 0) this.#options.metrics.notificationsSuppressed.labels({ reason }).inc(count);
  }

  /** Whether the route is muted at this time, or active only at others; then the whole group waits. */
  #outsideTimes(group: Group, alerts: readonly Alert[], timeMs: number): boolean {
    const { activeTimeIntervals, muteTimeIntervals } = group.route.options;
    const { timeIntervals, logger } = this.#options;
    const hold = (names: readonly string[], reason: SuppressReason): boolean => {
      this.#muted.set(group.id, names);
      this.#suppressed(alerts.length, reason);
      logger.debug("Notifications will not be sent at this time", { aggrGroup: group.key, reason });
      return true;
    };
    if (activeTimeIntervals.length > 0) {
      const active = timeIntervals.containing(activeTimeIntervals, timeMs);
      if (active.length === 0) return hold(activeTimeIntervals, "active_time_interval");
    }
    const muted = timeIntervals.containing(muteTimeIntervals, timeMs);
    if (muted.length > 0) return hold(muted, "mute_time_interval");
    this.#muted.delete(group.id);
    return false;
  }

  async #toIntegration(
    group: Group,
    integration: Integration,
    alerts: readonly Alert[],
    timeMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, cluster, log, peerTimeoutMs } = this.#options;
    const waitMs = cluster.position() * peerTimeoutMs;
    if (waitMs > 0) await sleep(clock, waitMs, signal);
    const { receiver, repeatIntervalMs } = group.route.options;
    const last = log.get(group.key, integration.key);
    const hashes = hashAlerts(alerts, timeMs);
    const reason = notificationReason(last, hashes, integration.sendResolved, repeatIntervalMs, timeMs);
    if (reason === "none") return;
    const groupLabels = new Map(group.labels);
    const source = { receiver, groupLabels, routeLabels: group.route.options.labels, reason, timeMs };
    const routeLabels = this.#routeLabels(source, alerts);
    const previousData = last?.data ?? new Map();
    const context = { ...source, routeLabels, groupKey: group.key, signal, previousData };
    const data = (await integration.send(context, alerts)) ?? previousData;
    log.put(
      { groupKey: group.key, receiver: integration.key, timestampMs: timeMs, ...hashes, data },
      2 * repeatIntervalMs,
    );
  }

  /** A label that does not expand costs itself, not the notification. */
  #routeLabels(source: DataSource, alerts: readonly Alert[]): ReadonlyMap<string, string> {
    if (source.routeLabels.size === 0) return source.routeLabels;
    const { templates, logger } = this.#options;
    const data = notificationData(source, alerts, templates.externalUrl);
    try {
      return templates.routeLabels(data);
    } catch (error) {
      logger.error("failed to render route labels", { err: errorMessage(error) });
      return new Map();
    }
  }
}
