import { Registry } from "@narthex/client";

export type ScrapeMetrics = ReturnType<typeof createScrapeMetrics>;

const durationBuckets = [0.01, 0.1, 1, 10];
const quantiles = [0.01, 0.05, 0.5, 0.9, 0.99];

/** Upstream's `prometheus_target_*` metrics. */
export function createScrapeMetrics(registry: Registry = new Registry()) {
  const counter = (name: string, help: string) => registry.counter({ name, help });
  const jobCounter = (name: string, help: string) =>
    registry.counter({ name, help, labelNames: ["scrape_job"] });
  const jobGauge = (name: string, help: string) => registry.gauge({ name, help, labelNames: ["scrape_job"] });
  return {
    pools: counter("prometheus_target_scrape_pools_total", "Scrape pools that were created."),
    poolsFailed: counter(
      "prometheus_target_scrape_pools_failed_total",
      "Scrape pools that could not be created.",
    ),
    poolReloads: counter(
      "prometheus_target_scrape_pool_reloads_total",
      "Scrape pools that got a new configuration.",
    ),
    poolReloadsFailed: counter(
      "prometheus_target_scrape_pool_reloads_failed_total",
      "Scrape pools that could not take a new configuration.",
    ),
    reloadLength: registry.summary({
      name: "prometheus_target_reload_length_seconds",
      help: "How long a scrape pool took to take a new configuration.",
      labelNames: ["interval"],
      quantiles,
    }),
    syncs: jobCounter(
      "prometheus_target_scrape_pool_sync_total",
      "Times that a scrape pool was given its targets.",
    ),
    syncLength: registry.summary({
      name: "prometheus_target_sync_length_seconds",
      help: "How long a scrape pool took to take its targets.",
      labelNames: ["scrape_job"],
      quantiles,
    }),
    syncLengthHistogram: registry.histogram({
      name: "prometheus_target_sync_length_histogram_seconds",
      help: "How long a scrape pool took to take its targets.",
      labelNames: ["scrape_job"],
      buckets: durationBuckets,
    }),
    syncFailed: jobCounter("prometheus_target_sync_failed_total", "Targets that were refused."),
    targets: jobGauge("prometheus_target_scrape_pool_targets", "Targets of a scrape pool."),
    targetLimit: jobGauge(
      "prometheus_target_scrape_pool_target_limit",
      "Most targets that a scrape pool may have.",
    ),
    exceededTargetLimit: counter(
      "prometheus_target_scrape_pool_exceeded_target_limit_total",
      "Times that a scrape pool had more targets than allowed.",
    ),
    exceededLabelLimits: counter(
      "prometheus_target_scrape_pool_exceeded_label_limits_total",
      "Scrapes that were rejected for a label limit.",
    ),
    exceededBodySizeLimit: counter(
      "prometheus_target_scrapes_exceeded_body_size_limit_total",
      "Scrapes that were rejected for the size of their body.",
    ),
    exceededSampleLimit: counter(
      "prometheus_target_scrapes_exceeded_sample_limit_total",
      "Scrapes that were rejected for the number of their samples.",
    ),
    exceededBucketLimit: counter(
      "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
      "Scrapes that were rejected for the number of buckets of a native histogram.",
    ),
    duplicates: counter(
      "prometheus_target_scrapes_sample_duplicate_timestamp_total",
      "Samples that were rejected because their series has another value at the same time.",
    ),
    outOfOrder: counter(
      "prometheus_target_scrapes_sample_out_of_order_total",
      "Samples that were rejected because their series has a newer one.",
    ),
    outOfBounds: counter(
      "prometheus_target_scrapes_sample_out_of_bounds_total",
      "Samples that were rejected because their time is too far in the past or the future.",
    ),
    exemplarsOutOfOrder: counter(
      "prometheus_target_scrapes_exemplar_out_of_order_total",
      "Exemplars that were rejected because their series has a newer one.",
    ),
    cacheFlushes: counter(
      "prometheus_target_scrapes_cache_flush_forced_total",
      "Times that what is known of a target was forgotten because it was too much.",
    ),
    duration: registry.histogram({
      name: "prometheus_target_scrape_duration_seconds",
      help: "Time from the start of a scrape to the end of its commit.",
      buckets: durationBuckets,
    }),
    seriesRefused: counter(
      "narthex_target_scrapes_series_refused_total",
      "New series that were not taken because the storage is full.",
    ),
    metadataEntries: jobGauge(
      "prometheus_target_metadata_cache_entries",
      "Metric families that metadata is known of.",
    ),
    metadataBytes: jobGauge("prometheus_target_metadata_cache_bytes", "Size of the known metadata."),
    intervalLength: registry.summary({
      name: "prometheus_target_interval_length_seconds",
      help: "Time between the starts of scrapes.",
      labelNames: ["interval"],
      quantiles,
    }),
    intervalLengthHistogram: registry.histogram({
      name: "prometheus_target_interval_length_histogram_seconds",
      help: "Time between the starts of scrapes.",
      labelNames: ["interval"],
      buckets: durationBuckets,
    }),
  };
}

/** A job is no more: its series go. */
export function forgetJob(metrics: ScrapeMetrics, jobName: string): void {
  const ofJobs = [
    metrics.targets,
    metrics.targetLimit,
    metrics.syncs,
    metrics.syncLength,
    metrics.syncLengthHistogram,
    metrics.syncFailed,
    metrics.metadataEntries,
    metrics.metadataBytes,
  ];
  for (const metric of ofJobs) metric.remove({ scrape_job: jobName });
}
