/** Sorts alerts into groups by route and labels, and flushes each group at its times. */
import { type Clock, errorMessage, type Logger, type Timer } from "../base/index.ts";
import type { Labels } from "../model/index.ts";
import { type Alert, compareAlerts, isResolvedAt } from "./alert.ts";
import type { AlertProvider } from "./alert-provider.ts";
import type { Metrics } from "./metrics.ts";
import { deadlineReached } from "./notify/integration.ts";
import type { Route } from "./route.ts";

/** Alerts that are notified together: those of one route whose grouping labels are equal. */
export interface Group {
  readonly route: Route;
  readonly labels: Labels;
  /** Names the group in the notification log. */
  readonly key: string;
  /** Names the group among all; two routes may share a key. */
  readonly id: string;
}

export type Flush = (
  group: Group,
  alerts: readonly Alert[],
  timeMs: number,
  signal: AbortSignal,
) => Promise<void>;

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly route: Route;
  readonly alerts: AlertProvider;
  /** No group is flushed before. */
  readonly startMs: number;
  /** How long a flush may take beside the group's interval: the time other nodes of the cluster are waited for. */
  readonly extraFlushMs: () => number;
  readonly flush: Flush;
  /** Called when a group has become empty and is gone. */
  readonly forget: (group: Group) => void;
  /** How many groups there may be; 0 for any number. */
  readonly groupsMax: number;
}

/** A flush has at least so long. */
const flushMsMin = 10_000;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #groups = new Map<string, ActiveGroup>();
  readonly #unsubscribe: () => void;

  /** Takes every alert that the provider has and will get. Close it before making another. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#unsubscribe = options.alerts.subscribe("dispatcher", (alert) => this.#dispatch(alert));
  }

  /** The groups with their alerts, by group labels, then receiver. */
  groups(): { group: Group; alerts: Alert[] }[] {
    return [...this.#groups.values()].map((active) => ({ group: active, alerts: active.alerts() }));
  }

  /** Ends flushes under way and waits for them. */
  async close(): Promise<void> {
    this.#unsubscribe();
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    await Promise.all(groups.map((group) => group.close()));
    this.#options.metrics.aggregationGroups.set(0);
  }

  #dispatch(alert: Alert): void {
    const { clock, metrics, route } = this.#options;
    const startMs = clock.monotonicMs();
    for (const matched of route.match(alert.labels)) this.#toGroup(alert, matched);
    metrics.alertProcessingDuration.observe((clock.monotonicMs() - startMs) / 1000);
  }

  #toGroup(alert: Alert, route: Route): void {
    const { groupsMax, logger, metrics } = this.#options;
    const labels = route.groupLabels(alert.labels);
    const id = `${route.id}\xff${labels.key()}`;
    const known = this.#groups.get(id);
    if (known !== undefined) return known.add(alert);
    if (groupsMax > 0 && this.#groups.size >= groupsMax) {
      metrics.aggregationGroupLimitReached.inc();
      logger.error("Failed to create aggregation group: limit reached", {
        groups: this.#groups.size,
        limit: groupsMax,
      });
      return;
    }
    const group = new ActiveGroup(route, labels, id, alert, this.#options, () => {
      this.#groups.delete(id);
      metrics.aggregationGroups.set(this.#groups.size);
    });
    this.#groups.set(id, group);
    metrics.aggregationGroups.set(this.#groups.size);
  }
}

class ActiveGroup implements Group {
  readonly route: Route;
  readonly labels: Labels;
  readonly key: string;
  readonly id: string;
  readonly #options: DispatcherOptions;
  readonly #gone: () => void;
  readonly #alerts = new Map<string, Alert>();
  #timer: Timer;
  #running: Promise<void> | undefined;
  /** Ends the flush under way. */
  #abort = new AbortController();
  #closed = false;
  /** A flush came due while another was under way. */
  #due = false;

  constructor(
    route: Route,
    labels: Labels,
    id: string,
    first: Alert,
    options: DispatcherOptions,
    gone: () => void,
  ) {
    this.route = route;
    this.labels = labels;
    this.key = route.groupKey(labels);
    this.id = id;
    this.#options = options;
    this.#gone = gone;
    this.#alerts.set(first.fingerprint, first);
    const nowMs = options.clock.nowMs();
    const { groupWaitMs } = route.options;
    // An alert that has waited already (before a restart, say) does not wait again.
    const waitMs = first.startsAtMs + groupWaitMs < nowMs ? 0 : groupWaitMs;
    this.#timer = this.#arm(Math.max(waitMs, options.startMs - nowMs));
  }

  add(alert: Alert): void {
    this.#alerts.set(alert.fingerprint, alert);
  }

  alerts(): Alert[] {
    return [...this.#alerts.values()];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    this.#abort.abort("closing");
    await this.#running;
  }

  #arm(delayMs: number): Timer {
    return this.#options.clock.after(delayMs, () => {
      this.#timer = this.#arm(this.route.options.groupIntervalMs);
      if (this.#running === undefined) this.#running = this.#flushWhileDue();
      else this.#due = true;
    });
  }

  async #flushWhileDue(): Promise<void> {
    do {
      this.#due = false;
      await this.#flush();
    } while (this.#due && !this.#closed);
    this.#running = undefined;
    if (this.#alerts.size > 0 || this.#closed) return;
    this.#timer.cancel();
    this.#options.forget(this);
    this.#gone();
  }

  async #flush(): Promise<void> {
    const { clock, logger, flush, extraFlushMs } = this.#options;
    const timeMs = clock.nowMs();
    const snapshot = this.alerts().sort(compareAlerts);
    // A firing alert's end is only when it would time out; nobody is to be told of that.
    const told = snapshot.map((alert) =>
      isResolvedAt(alert, timeMs) ? alert : { ...alert, endsAtMs: undefined },
    );
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const limitMs = Math.max(this.route.options.groupIntervalMs, flushMsMin) + extraFlushMs();
    const timer = clock.after(limitMs, () => this.#abort.abort(deadlineReached));
    try {
      await flush(this, told, timeMs, signal);
      this.#dropResolved(snapshot, timeMs);
    } catch (error) {
      const fields = { aggrGroup: this.key, num_alerts: snapshot.length, err: errorMessage(error) };
      if (this.#closed) logger.debug("Notify for alerts failed", fields);
      else logger.error("Notify for alerts failed", fields);
    } finally {
      timer.cancel();
    }
  }

  /** Forgets the ended alerts that have been told of, unless they have changed since. */
  #dropResolved(told: readonly Alert[], timeMs: number): void {
    for (const alert of told) {
      if (isResolvedAt(alert, timeMs) && this.#alerts.get(alert.fingerprint) === alert) {
        this.#alerts.delete(alert.fingerprint);
      }
    }
  }
}
