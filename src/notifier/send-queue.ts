import { type Clock, errorMessage, type Logger } from "../base/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";
import type { Deliver } from "./delivery.ts";
import type { NotifierMetrics } from "./metrics.ts";

export interface SendQueueOptions {
  /** Alerts that may wait; of more, the oldest are dropped. */
  alertsMax: number;
  /** Alerts in one delivery. */
  batchAlertsMax: number;
  clock: Clock;
  logger: Logger;
  metrics: NotifierMetrics;
}

/**
 * The alerts on their way to one Alertmanager, delivered batch by batch. What fails is not sent again: the rule that fired sends a
 * fresher state soon enough.
 */
export class SendQueue {
  readonly url: string;
  readonly #options: SendQueueOptions;
  readonly #logger: Logger;
  readonly #deliver: Deliver;
  #waiting: OutgoingAlert[] = [];
  #sending: Promise<void> | undefined;
  #isStopped = false;

  constructor(url: string, deliver: Deliver, options: SendQueueOptions) {
    this.url = url;
    this.#deliver = deliver;
    this.#options = options;
    this.#logger = options.logger.with({ alertmanager: url });
    options.metrics.announce(url);
  }

  add(alerts: readonly OutgoingAlert[]): void {
    if (this.#isStopped || alerts.length === 0) return;
    const { alertsMax } = this.#options;
    const surplus = Math.max(0, this.#waiting.length + alerts.length - alertsMax);
    if (surplus > 0) {
      this.#logger.warn("Alert notification queue full, dropping alerts", { count: surplus });
      this.#drop(surplus);
    }
    this.#waiting = [...this.#waiting, ...alerts].slice(surplus);
    this.#showLength();
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isStopped) await this.#sendBatch();
    this.#sending = undefined;
  }

  /** False when the alerts could not be delivered and are given up. */
  async #sendBatch(): Promise<boolean> {
    const { batchAlertsMax, clock, metrics } = this.#options;
    const alertmanager = this.url;
    const batch = this.#waiting.splice(0, batchAlertsMax);
    this.#showLength();
    const startMs = clock.monotonicMs();
    try {
      await this.#deliver(batch);
    } catch (error) {
      this.#logger.error("Error sending alerts", { count: batch.length, err: errorMessage(error) });
      metrics.errors.labels({ alertmanager }).inc(batch.length);
      this.#drop(batch.length);
      return false;
    }
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.latency.labels({ alertmanager }).observe(seconds);
    metrics.latencyHistogram.labels({ alertmanager }).observe(seconds);
    metrics.sent.labels({ alertmanager }).inc(batch.length);
    return true;
  }

  #drop(count: number): void {
    this.#options.metrics.dropped.labels({ alertmanager: this.url }).inc(count);
  }

  #showLength(): void {
    this.#options.metrics.queueLength.labels({ alertmanager: this.url }).set(this.#waiting.length);
  }

  /**
   * Takes no more alerts, delivers what waits unless `drain` is false or the Alertmanager does not answer, and forgets its metrics.
   * Resolves when nothing is on its way.
   */
  async stop(drain: boolean): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    let isDelivering = drain;
    while (isDelivering && this.#waiting.length > 0) isDelivering = await this.#sendBatch();
    const rest = this.#waiting.splice(0).length;
    if (rest > 0) {
      this.#logger.warn("Alert notification queue not drained, dropping alerts", { count: rest });
      this.#drop(rest);
    }
    this.#options.metrics.forget(this.url);
  }
}
