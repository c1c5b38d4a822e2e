/** Keeps all alerts that were sent, in memory, and passes each change on to those who listen. */
import type { Clock, Logger, Timer } from "../base/index.ts";
import { type Alert, alertNameLabel, isResolvedAt, mergeAlerts, overlaps } from "./alert.ts";
import type { Metrics } from "./metrics.ts";

export type AlertListener = (alert: Alert) => void;

export interface AlertProviderOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often resolved alerts are forgotten. */
  readonly gcIntervalMs: number;
  /** How many alerts of one alertname are kept; 0 for any number. */
  readonly perAlertnameLimit: number;
}

export class AlertProvider {
  readonly #options: AlertProviderOptions;
  readonly #alerts = new Map<string, Alert>();
  /** Fingerprints by alertname; kept only while there is a limit on them. */
  readonly #byAlertname = new Map<string, Set<string>>();
  readonly #listeners = new Map<string, AlertListener>();
  #timer: Timer | undefined;

  constructor(options: AlertProviderOptions) {
    this.#options = options;
    options.metrics.alertsPerAlertLimit.set(options.perAlertnameLimit);
    this.#scheduleGc();
  }

  /** Stores alerts, each merged with what is known of it, and tells the listeners. */
  put(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const old = this.#alerts.get(alert.fingerprint);
      const merged =
        old !== undefined && overlaps(alert, old) ? mergeAlerts(old, alert, this.#nowMs()) : alert;
      if (old === undefined && !this.#admit(alert)) continue;
      this.#alerts.set(merged.fingerprint, merged);
      for (const [name, listener] of this.#listeners) {
        listener(merged);
        this.#options.metrics.subscriberChannelWrites.labels({ subscriber: name }).inc();
      }
    }
  }

  get(fingerprint: string): Alert | undefined {
    return this.#alerts.get(fingerprint);
  }

  list(): IterableIterator<Alert> {
    return this.#alerts.values();
  }

  /** Calls `listener` with every alert that is there, then with every change, until the returned function is called. */
  subscribe(name: string, listener: AlertListener): () => void {
    for (const alert of this.#alerts.values()) listener(alert);
    this.#listeners.set(name, listener);
    return () => {
      if (this.#listeners.get(name) === listener) this.#listeners.delete(name);
    };
  }

  /** How many alerts are firing and how many resolved. */
  counts(): { active: number; resolved: number } {
    const nowMs = this.#nowMs();
    let resolved = 0;
    for (const alert of this.#alerts.values()) if (isResolvedAt(alert, nowMs)) resolved++;
    return { active: this.#alerts.size - resolved, resolved };
  }

  close(): void {
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  /** False, with a warning, when the limit of the alert's name is reached and none of that name has ended. */
  #admit(alert: Alert): boolean {
    const limit = this.#options.perAlertnameLimit;
    if (limit === 0) return true;
    const name = alert.labels.get(alertNameLabel);
    const known = this.#byAlertname.get(name) ?? new Set();
    if (known.size >= limit) {
      const nowMs = this.#nowMs();
      const ended = [...known].find((fingerprint) => isResolvedAt(this.#alerts.get(fingerprint)!, nowMs));
      if (ended === undefined) {
        this.#options.metrics.alertsLimited.inc();
        this.#options.logger.warn("alert dropped: limit of alerts per alertname reached", {
          alertname: name,
          limit,
        });
        return false;
      }
      this.#forget(this.#alerts.get(ended)!);
    }
    known.add(alert.fingerprint);
    this.#byAlertname.set(name, known);
    return true;
  }

  #forget(alert: Alert): void {
    this.#alerts.delete(alert.fingerprint);
    const name = alert.labels.get(alertNameLabel);
    const known = this.#byAlertname.get(name);
    known?.delete(alert.fingerprint);
    if (known?.size === 0) this.#byAlertname.delete(name);
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  #scheduleGc(): void {
    this.#timer = this.#options.clock.after(this.#options.gcIntervalMs, () => {
      const nowMs = this.#nowMs();
      for (const alert of this.#alerts.values()) if (isResolvedAt(alert, nowMs)) this.#forget(alert);
      this.#scheduleGc();
    });
  }
}
