import type { Counter, Gauge, Registry } from "@narthex/client";
import type { QueryStats } from "./stats.ts";

/** Parts of a query's time, as upstream names them, and where its stats have them. */
const slices = {
  queue_time: "execQueueTime",
  prepare_time: "queryPreparationTime",
  inner_eval: "innerEvalTime",
  result_sort: "resultSortTime",
} as const;

/** The engine's metrics, under upstream's names. */
export class QueryMetrics {
  readonly logEnabled: Gauge;
  readonly logFailures: Counter;
  readonly #samples: Counter;
  readonly #samplesRead: Counter;
  readonly #observers: ((stats: QueryStats) => void)[];

  constructor(registry: Registry, concurrencyMax: number, countActive: () => number) {
    const gauge = { name: "prometheus_engine_queries", help: "Queries that run or wait." };
    registry.gaugeFunction(gauge, countActive);
    registry
      .gauge({ name: "prometheus_engine_queries_concurrent_max", help: "Most queries that run at once." })
      .set(concurrencyMax);
    this.logEnabled = registry.gauge({
      name: "prometheus_engine_query_log_enabled",
      help: "Whether queries are logged.",
    });
    this.logFailures = registry.counter({
      name: "prometheus_engine_query_log_failures_total",
      help: "Queries that could not be logged.",
    });
    this.#samples = registry.counter({
      name: "prometheus_engine_query_samples_total",
      help: "Samples that queries evaluated; unless queries are logged or ask for stats, those that they loaded.",
    });
    this.#samplesRead = registry.counter({
      name: "prometheus_engine_query_samples_read_total",
      help: "Samples that queries read.",
    });
    const summary = registry.summary({
      name: "prometheus_engine_query_duration_seconds",
      help: "How long the parts of queries took.",
      labelNames: ["slice"],
      quantiles: [0.5, 0.9, 0.99],
    });
    const histogram = registry.histogram({
      name: "prometheus_engine_query_duration_histogram_seconds",
      help: "How long the parts of queries took.",
      labelNames: ["slice"],
      buckets: [0.01, 0.1, 1, 10],
    });
    this.#observers = Object.entries(slices).map(([slice, timing]) => {
      const [summarized, counted] = [summary.labels({ slice }), histogram.labels({ slice })];
      return ({ timings }) => {
        summarized.observe(timings[timing]);
        counted.observe(timings[timing]);
      };
    });
  }

  observe(stats: QueryStats): void {
    for (const observe of this.#observers) observe(stats);
    this.#samples.inc(stats.samples.totalQueryableSamples);
    this.#samplesRead.inc(stats.samples.samplesRead);
  }
}
