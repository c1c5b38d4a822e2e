/** One integration of a receiver: sends with patience, and counts what happens. */
import { type Clock, errorMessage, type Logger, sleep } from "../../base/index.ts";
import { type Alert, isResolvedAt } from "../alert.ts";
import { type FailureReason, failureReasons, type Metrics } from "../metrics.ts";
import type { ReceiverData, ReceiverKey } from "../notification-log.ts";
import { type NotificationContext, type Notifier, NotifyError } from "./notifier.ts";

const firstWaitMs = 500;
const waitGrowth = 1.5;
const waitMsMax = 60_000;
/** Each wait is stretched or shortened by up to this share, so that many do not come back at once. */
const jitter = 0.5;

export interface IntegrationOptions {
  readonly key: ReceiverKey;
  readonly sendResolved: boolean;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A number in [0, 1); replaced by tests. */
  readonly random?: () => number;
}

export class Integration {
  readonly key: ReceiverKey;
  readonly sendResolved: boolean;
  readonly #options: IntegrationOptions;

  constructor(options: IntegrationOptions) {
    this.key = options.key;
    this.sendResolved = options.sendResolved;
    this.#options = options;
    const { metrics } = options;
    const { integration } = this.key;
    for (const family of [
      metrics.notifications,
      metrics.notificationRequests,
      metrics.notificationRequestsFailed,
    ]) {
      family.labels({ integration });
    }
    metrics.notificationLatency.labels({ integration });
    for (const reason of failureReasons) metrics.notificationsFailed.labels({ integration, reason });
  }

  /**
   * Sends until it has worked, cannot work, or the context's signal aborts. Returns what the notifier keeps for the group; undefined
   * when there was nothing this integration wants to hear.
   */
  async send(context: NotificationContext, alerts: readonly Alert[]): Promise<ReceiverData | undefined> {
    const firing = alerts.filter((alert) => !isResolvedAt(alert, context.timeMs));
    if (!this.sendResolved && firing.length === 0) return undefined;
    const wanted = this.sendResolved ? alerts : firing;
    const { metrics } = this.#options;
    metrics.notifications.labels({ integration: this.key.integration }).inc();
    try {
      return await this.#sendPatiently(context, wanted);
    } catch (error) {
      const reason = error instanceof NotifyError ? error.reason : "other";
      metrics.notificationsFailed.labels({ integration: this.key.integration, reason }).inc();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#options.notifier.close();
  }

  async #sendPatiently(
    context: NotificationContext,
    alerts: readonly Alert[],
  ): Promise<ReceiverData | undefined> {
    const { clock, logger, random = Math.random } = this.#options;
    let waitMs = firstWaitMs;
    let failure: NotifyError | undefined;
    for (let attempt = 1; ; attempt++) {
      if (context.signal.aborted) throw this.#givenUp(attempt - 1, failure, context.signal);
      try {
        const data = await this.#attempt(context, alerts);
        if (attempt > 1) logger.info("Notify success", { attempts: attempt });
        return data;
      } catch (error) {
        if (!(error instanceof NotifyError) || !error.retry) throw this.#unrecoverable(attempt, error);
        // The first failure is told at once, the rest with the end.
        if (attempt === 1)
          logger.warn("Notify attempt failed, will retry later", { attempts: attempt, err: error });
        failure = error;
      }
      await sleep(clock, waitMs * (1 + jitter * (2 * random() - 1)), context.signal);
      waitMs = Math.min(waitMs * waitGrowth, waitMsMax);
    }
  }

  async #attempt(context: NotificationContext, alerts: readonly Alert[]): Promise<ReceiverData | undefined> {
    const { clock, metrics, notifier } = this.#options;
    const { integration } = this.key;
    const startMs = clock.monotonicMs();
    metrics.notificationRequests.labels({ integration }).inc();
    try {
      return await notifier.notify(context, alerts);
    } catch (error) {
      metrics.notificationRequestsFailed.labels({ integration }).inc();
      throw error;
    } finally {
      metrics.notificationLatency.labels({ integration }).observe((clock.monotonicMs() - startMs) / 1000);
    }
  }

  #name(): string {
    const { receiver, integration, index } = this.key;
    return `${receiver}/${integration}[${index}]`;
  }

  #givenUp(attempts: number, failure: NotifyError | undefined, signal: AbortSignal): NotifyError {
    const deadline = signal.reason === deadlineReached;
    const own: FailureReason = deadline ? "contextDeadlineExceeded" : "contextCanceled";
    const reason = failure !== undefined && failure.reason !== "other" ? failure.reason : own;
    const cause = failure?.message ?? (deadline ? "context deadline exceeded" : "context canceled");
    return new NotifyError(
      `${this.#name()}: notify retry canceled after ${attempts} attempts: ${cause}`,
      false,
      reason,
    );
  }

  #unrecoverable(attempts: number, error: unknown): NotifyError {
    const reason = error instanceof NotifyError ? error.reason : "other";
    const message = `${this.#name()}: notify retry canceled due to unrecoverable error after ${attempts} attempts: ${errorMessage(error)}`;
    return new NotifyError(message, false, reason, { cause: error });
  }
}

/** The reason with which a flush's signal aborts when its time is up. */
export const deadlineReached = "deadline reached";
