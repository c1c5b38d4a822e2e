import type { Registry } from "@narthex/client";
import type { Wal } from "../wal/wal.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what there is to know of the WAL as it is written and truncated. */
export function registerWalMetrics(registry: Registry, wal: Wal): void {
  const { gauge, counter } = metricFunctions(registry);

  counter("prometheus_tsdb_wal_truncations_total", "WAL truncations.", () => wal.truncations);
  counter(
    "prometheus_tsdb_wal_truncations_failed_total",
    "WAL truncations that failed.",
    () => wal.truncationsFailed,
  );
  counter("prometheus_tsdb_checkpoint_creations_total", "Checkpoints begun.", () => wal.truncations);
  counter(
    "prometheus_tsdb_checkpoint_creations_failed_total",
    "Checkpoints that failed.",
    () => wal.truncationsFailed,
  );
  counter(
    "prometheus_tsdb_checkpoint_deletions_total",
    "Checkpoints deleted after a newer one was written.",
    () => wal.checkpointsDeleted,
  );
  counter(
    "prometheus_tsdb_wal_writes_failed_total",
    "WAL writes that failed.",
    () => wal.writer?.counters.writesFailed ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_page_flushes_total",
    "Writes to the WAL.",
    () => wal.writer?.counters.flushes ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_completed_pages_total",
    "WAL pages filled.",
    () => wal.writer?.counters.pagesCompleted ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_record_part_writes_total",
    "Parts of records put together for the WAL.",
    () => wal.writer?.counters.parts ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_record_parts_bytes_written_total",
    "Bytes of the parts of records put together for the WAL, headers included.",
    () => wal.writer?.counters.partBytes ?? 0,
  );
  counter(
    "narthex_tsdb_wal_written_bytes_total",
    "Bytes written to the WAL.",
    () => wal.writer?.counters.bytesWritten ?? 0,
  );
  counter(
    "narthex_tsdb_wal_records_total",
    "Records written to the WAL.",
    () => wal.writer?.counters.recordsWritten ?? 0,
  );
  counter(
    "narthex_tsdb_wal_fsyncs_failed_total",
    "WAL syncs that failed.",
    () => wal.writer?.counters.syncsFailed ?? 0,
  );
  gauge("narthex_tsdb_wal_paused", "1 while the WAL cannot be written and ingestion pauses.", () =>
    wal.writer?.isPaused ? 1 : 0,
  );
  gauge(
    "prometheus_tsdb_wal_segment_current",
    "Number of the WAL segment that is written to.",
    () => wal.writer?.segment ?? 0,
  );
  gauge("prometheus_tsdb_wal_storage_size_bytes", "Bytes of the WAL on disk.", () => wal.sizeBytes);

  const syncs = registry.summary({
    name: "prometheus_tsdb_wal_fsync_duration_seconds",
    help: "Time of WAL syncs.",
  });
  registry.collector(() => {
    const child = syncs.labels({});
    child.sum = wal.writer?.counters.syncSecondsSum ?? 0;
    child.count = wal.writer?.counters.syncs ?? 0;
  });
}
