import type { Registry } from "@narthex/client";
import type { Maintenance } from "../maintenance/maintenance.ts";
import type { MemoryPressure } from "../maintenance/memory-pressure.ts";
import { metricFunctions } from "./functions.ts";
import { registerWrittenChunks } from "./written-chunks.ts";

/** Registers what there is to know of retention, compaction and stale series. */
export function registerMaintenanceMetrics(
  registry: Registry,
  { retention, staleSeries, compactor, keeper }: Maintenance,
  pressure: MemoryPressure,
): void {
  const { gauge, counter } = metricFunctions(registry);

  gauge(
    "prometheus_tsdb_retention_limit_seconds",
    "How long samples are kept.",
    () => retention.retention.timeMs / 1000,
  );
  gauge(
    "prometheus_tsdb_retention_limit_bytes",
    "How many bytes are kept; 0 sets no bound.",
    () => retention.retention.sizeBytes,
  );
  gauge(
    "prometheus_tsdb_retention_limit_percentage",
    "Which share of the filesystem is kept; 0 sets no bound.",
    () => retention.retention.percentage,
  );
  counter(
    "prometheus_tsdb_time_retentions_total",
    "Times that blocks were deleted for their age.",
    () => retention.timeRetentions,
  );
  counter(
    "prometheus_tsdb_size_retentions_total",
    "Times that blocks were deleted for what all take together.",
    () => retention.sizeRetentions,
  );
  gauge(
    "prometheus_tsdb_head_stale_series",
    "Series in the head that had ended when they were last counted, within a minute.",
    () => staleSeries.staleCount,
  );
  counter(
    "prometheus_tsdb_stale_series_compactions_triggered_total",
    "Times that stale series were moved to blocks.",
    () => staleSeries.triggered,
  );
  counter(
    "prometheus_tsdb_stale_series_compactions_failed_total",
    "Times that stale series could not be moved to blocks.",
    () => staleSeries.failed,
  );
  counter(
    "prometheus_tsdb_compactions_triggered_total",
    "Times that it was looked whether there is something to compact.",
    () => compactor.compactionsTriggered,
  );
  counter(
    "prometheus_tsdb_compactions_total",
    "Blocks written from the head, and compactions of blocks.",
    () => compactor.compactions,
  );
  counter(
    "prometheus_tsdb_vertical_compactions_total",
    "Compactions of blocks that overlapped.",
    () => compactor.verticalCompactions,
  );
  counter(
    "prometheus_tsdb_compactions_failed_total",
    "Compactions of blocks that failed.",
    () => compactor.compactionsFailed,
  );
  counter(
    "narthex_tsdb_pressure_truncations_total",
    "Head truncations because the shared memory ran full.",
    () => pressure.truncations,
  );

  const tellOfChunks = registerWrittenChunks(registry);
  if (keeper !== undefined) keeper.onChunks = tellOfChunks;
  const staleMoves = registry.histogram({
    name: "prometheus_tsdb_stale_series_compaction_duration_seconds",
    help: "Time that moving stale series to blocks took.",
    buckets: Array.from({ length: 14 }, (_, power) => 2 ** power),
  });
  staleSeries.onMoved = (seconds) => staleMoves.observe(seconds);
}
