import type { Registry } from "@narthex/client";
import type { HeadAppendable } from "../head/appendable.ts";
import type { BatchPool } from "../head/batch-pool.ts";
import type { Head } from "../head/head.ts";
import type { HeadTruncation } from "../maintenance/head-truncation.ts";
import { metricFunctions } from "./functions.ts";

export interface HeadMetricSources {
  readonly head: Head;
  readonly appendable: HeadAppendable;
  readonly pool: BatchPool;
  readonly truncation: HeadTruncation;
}

/** Registers what there is to know of the head's series, chunks and appenders. */
export function registerHeadMetrics(registry: Registry, sources: HeadMetricSources): void {
  const { head, appendable, pool, truncation } = sources;
  const { totals } = appendable;
  const { gauge, counter } = metricFunctions(registry);

  gauge("prometheus_tsdb_head_series", "Series in the head.", () => head.seriesCount);
  gauge(
    "prometheus_tsdb_head_native_histogram_series",
    "Series in the head whose newest sample is a native histogram.",
    () => head.histograms.count().series,
  );
  gauge(
    "prometheus_tsdb_head_native_histogram_buckets",
    "Buckets of these newest samples.",
    () => head.histograms.count().buckets,
  );
  gauge("prometheus_tsdb_head_chunks", "Chunks in the head.", () => head.kernel.series.chunkCount);
  gauge("prometheus_tsdb_head_min_time", "Time of the head's oldest sample, milliseconds.", () =>
    finite(head.minTimeMs),
  );
  gauge("prometheus_tsdb_head_max_time", "Time of the head's newest sample, milliseconds.", () =>
    finite(head.maxTimeMs),
  );
  gauge("prometheus_tsdb_head_min_time_seconds", "Time of the head's oldest sample.", () =>
    Math.floor(finite(head.minTimeMs) / 1000),
  );
  gauge("prometheus_tsdb_head_max_time_seconds", "Time of the head's newest sample.", () =>
    Math.floor(finite(head.maxTimeMs) / 1000),
  );
  // The oldest of all data is the head's while there are no blocks.
  gauge("prometheus_tsdb_lowest_timestamp", "Time of the oldest sample stored, milliseconds.", () =>
    finite(head.minTimeMs),
  );
  gauge("prometheus_tsdb_lowest_timestamp_seconds", "Time of the oldest sample stored.", () =>
    Math.floor(finite(head.minTimeMs) / 1000),
  );
  counter("prometheus_tsdb_head_series_created_total", "Series created.", () => head.seriesCreated);
  counter("prometheus_tsdb_head_series_removed_total", "Series removed.", () => head.seriesRemoved);
  counter(
    "prometheus_tsdb_head_series_not_found_total",
    "Samples for refs without a series.",
    () => totals.float.unknownSeries + totals.histogram.unknownSeries,
  );
  counter(
    "prometheus_tsdb_head_chunks_created_total",
    "Chunks created in the head.",
    () => head.kernel.series.chunkCount + truncation.chunksRemoved,
  );
  counter(
    "prometheus_tsdb_head_chunks_removed_total",
    "Chunks removed from the head.",
    () => truncation.chunksRemoved,
  );
  counter("prometheus_tsdb_head_truncations_total", "Head truncations.", () => truncation.truncations);
  counter(
    "prometheus_tsdb_head_truncations_failed_total",
    "Head truncations that failed.",
    () => truncation.truncationsFailed,
  );
  gauge("prometheus_tsdb_head_active_appenders", "Appenders that hold samples.", () => pool.lent);
  counter(
    "prometheus_tsdb_head_appenders_created_total",
    "Appenders created.",
    () => appendable.appendersCreated,
  );
}

/** An empty head has no times; upstream shows 0. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
