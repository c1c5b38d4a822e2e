import { type Clock, errorMessage } from "../../base/index.ts";
import type { QueryRequest } from "./messages.ts";
import type { QueryMetrics } from "./metrics.ts";
import type { QueryLog, QueryOrigin } from "./query-log.ts";
import { type QueryStats, failedStats } from "./stats.ts";

/** Counts and logs queries when they have ended, however they have. */
export class QueryAccounts {
  readonly #metrics: QueryMetrics;
  readonly #log: QueryLog;
  readonly #clock: Clock;

  constructor(metrics: QueryMetrics, log: QueryLog, clock: Clock) {
    this.#metrics = metrics;
    this.#log = log;
    this.#clock = clock;
  }

  answered(request: QueryRequest, stats: QueryStats, origin?: () => QueryOrigin): void {
    this.#metrics.observe(stats);
    if (this.#log.isOpen) this.#write(request, stats, origin);
  }

  failed(request: QueryRequest, totalMs: number, error: unknown, origin?: () => QueryOrigin): void {
    const stats = failedStats(totalMs, request.options.queuedMs);
    this.#metrics.observe(stats);
    if (this.#log.isOpen) this.#write(request, stats, origin, errorMessage(error));
  }

  #write(request: QueryRequest, stats: QueryStats, origin?: () => QueryOrigin, error?: string): void {
    const { text } = request;
    const times =
      request.kind === "range"
        ? { startMs: request.startMs, endMs: request.endMs, stepMs: request.stepMs }
        : { startMs: request.timestampMs, endMs: request.timestampMs, stepMs: 0 };
    const failure = error !== undefined && { error };
    this.#log.write({ text, ...times, stats, ...failure, origin: origin?.() }, this.#clock.nowMs());
  }
}
