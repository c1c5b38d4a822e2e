import type { Logger } from "../base/index.ts";
import { type Labels, type Matcher, metricNameLabel } from "../model/index.ts";
import type { AlertingRule } from "./alerting-rule.ts";

/** The newest sample of a series. */
export interface LastSample {
  labels: Labels;
  timestampMs: number;
  value: number;
  /** The series had ended. */
  isStale: boolean;
}

/** The newest sample, stale markers included, of every matching series within a time range; both ends in milliseconds, inclusive. */
export type LastSamplesFunction = (
  matchers: readonly Matcher[],
  minTimestampMs: number,
  maxTimestampMs: number,
) => Promise<readonly LastSample[]>;

export interface RestoreOptions {
  lastSamples: LastSamplesFunction;
  /** Alerts that were active before a longer outage begin anew. */
  outageToleranceMs: number;
  /** A restored alert fires no sooner than this after the restart, so that its condition can be seen to end. */
  forGracePeriodMs: number;
  logger: Logger;
}

/** Gives the rule's alerts the time back that they were pending before a restart. Never fails: what cannot be read begins anew. */
export async function restoreForState(
  rule: AlertingRule,
  nowMs: number,
  options: RestoreOptions,
): Promise<void> {
  if (rule.forMs < options.forGracePeriodMs) {
    // Waiting for its own `for` brings it to fire sooner than the grace period would.
    rule.restore(() => undefined);
    return;
  }
  const before = new Map<string, LastSample>();
  try {
    const minMs = nowMs - options.outageToleranceMs;
    for (const last of await options.lastSamples(rule.forStateMatchers(), minMs, nowMs)) {
      before.set(last.labels.without(metricNameLabel).key(), last);
    }
  } catch (error) {
    options.logger.error("Failed to restore 'for' state", { alertname: rule.name, err: error });
  }
  rule.restore((alert) => activeSince(before.get(alert.labels.key()), rule.forMs, nowMs, options));
}

function activeSince(
  last: LastSample | undefined,
  forMs: number,
  nowMs: number,
  { forGracePeriodMs }: RestoreOptions,
): number | undefined {
  if (!last || last.isStale) return undefined;
  // The series holds whole seconds, and so does upstream's idea of when the server went down.
  const downAtMs = Math.floor(last.timestampMs / 1000) * 1000;
  const activeAtMs = Math.trunc(last.value) * 1000;
  if (!Number.isFinite(activeAtMs)) return undefined;
  const remainingMs = forMs - (downAtMs - activeAtMs);
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < forGracePeriodMs) return nowMs + forGracePeriodMs - forMs;
  return activeAtMs + (nowMs - downAtMs);
}
