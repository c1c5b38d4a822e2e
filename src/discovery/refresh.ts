import { type Clock, errorMessage, type Logger, sleep } from "../base/index.ts";
import { Labels, LabelsBuilder } from "../model/index.ts";
import type { Discoverer } from "./discoverer.ts";
import type { DiscoveryMetrics } from "./metrics.ts";
import type { TargetGroup } from "./target-group.ts";

export interface RefreshOptions {
  /** For metrics. */
  mechanism: string;
  config: string;
  intervalMs: number;
  clock: Clock;
  logger: Logger;
  metrics: DiscoveryMetrics;
}

/**
 * Asks again and again. `refresh` answers with all groups there are; what it no longer names is published as gone, and when it throws,
 * what was known stays.
 */
export function createRefreshingDiscoverer(
  options: RefreshOptions,
  refresh: (signal: AbortSignal) => Promise<TargetGroup[]>,
): Discoverer {
  const { mechanism, config, intervalMs, clock, logger, metrics } = options;
  const labels = { mechanism, config };
  return {
    async run(publish, signal) {
      let known = new Set<string>();
      while (!signal.aborted) {
        const startMs = clock.monotonicMs();
        try {
          const groups = await refresh(signal);
          if (signal.aborted) return;
          const found = new Set(groups.map(({ source }) => source));
          const gone = [...known].filter((source) => !found.has(source));
          publish([...groups, ...gone.map((source) => ({ source, targets: [], labels: Labels.empty }))]);
          known = found;
        } catch (error) {
          if (signal.aborted) return;
          metrics.refreshFailures.labels(labels).inc();
          logger.error("Unable to refresh target groups", { err: errorMessage(error) });
        }
        metrics.refreshDuration.labels(labels).observe((clock.monotonicMs() - startMs) / 1000);
        await sleep(clock, intervalMs, signal);
      }
    },
  };
}

/** Labels with one more. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return new LabelsBuilder(labels).set(name, value).labels();
}
