import type { Registry } from "@narthex/client";
import type { AppendCounters, AppendTotals } from "./head/appender.ts";
import type { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import type { Head } from "./head/head.ts";
import type { RetentionPolicy } from "./maintenance/retention-policy.ts";
import type { StaleSeriesCompaction } from "./maintenance/stale-series-compaction.ts";
import type { ChunkMapper } from "./head-chunks/index.ts";
import type { WalWriter } from "./wal/writer.ts";

/** What the storage counts beside what its parts count themselves. */
export class TsdbCounters {
  walCorruptions = 0;
  tornTails = 0;
  truncations = 0;
  truncationsFailed = 0;
  walTruncations = 0;
  walTruncationsFailed = 0;
  checkpointsCreated = 0;
  checkpointsFailed = 0;
  pressureTruncations = 0;
  chunksRemoved = 0;
  headChunkCorruptions = 0;
  replaySeconds = 0;
  /** What the replay found that names a series the log does not, by kind. */
  unknownRefs: Readonly<Record<string, number>> = {};
  compactions = 0;
  verticalCompactions = 0;
  compactionsTriggered = 0;
  checkpointsDeleted = 0;
  appendersCreated = 0;
  compactionsFailed = 0;
  /** As upstream: 0 when a lock was left behind, 1 after a clean stop. */
  cleanStart = 1;
}

export interface MetricSources {
  head: Head;
  wal: () => WalWriter | undefined;
  appends: AppendTotals;
  exemplars: ExemplarStorage;
  counters: TsdbCounters;
  retention: RetentionPolicy;
  staleSeries: StaleSeriesCompaction;
  walBytes: () => number;
  mapper: ChunkMapper;
  headChunkBytes: () => number;
  activeAppenders: () => number;
}

/** Registers the storage's metrics under upstream's names; the values are read when they are gathered. */
export function registerTsdbMetrics(registry: Registry, sources: MetricSources): void {
  const { head, appends, counters, wal } = sources;
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.gaugeFunction({ name, help }, read);
  const counter = (name: string, help: string, read: () => number): void =>
    registry.counterFunction({ name, help }, read);
  const { arena } = head.kernel;

  gauge("prometheus_tsdb_head_series", "Series in the head.", () => head.seriesCount);
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
  gauge(
    "prometheus_tsdb_retention_limit_seconds",
    "How long samples are kept.",
    () => sources.retention.retention.timeMs / 1000,
  );
  gauge(
    "prometheus_tsdb_retention_limit_bytes",
    "How many bytes are kept; 0 sets no bound.",
    () => sources.retention.retention.sizeBytes,
  );
  gauge(
    "prometheus_tsdb_retention_limit_percentage",
    "Which share of the filesystem is kept; 0 sets no bound.",
    () => sources.retention.retention.percentage,
  );
  counter(
    "prometheus_tsdb_time_retentions_total",
    "Times that blocks were deleted for their age.",
    () => sources.retention.timeRetentions,
  );
  counter(
    "prometheus_tsdb_size_retentions_total",
    "Times that blocks were deleted for what all take together.",
    () => sources.retention.sizeRetentions,
  );
  gauge(
    "prometheus_tsdb_clean_start",
    "0 when a lock was left behind by the last run, 1 after a clean stop.",
    () => counters.cleanStart,
  );
  const { staleSeries } = sources;
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
  counter("prometheus_tsdb_head_series_created_total", "Series created.", () => head.seriesCreated);
  counter("prometheus_tsdb_head_series_removed_total", "Series removed.", () => head.seriesRemoved);
  counter(
    "prometheus_tsdb_head_series_not_found_total",
    "Samples for refs without a series.",
    () => appends.float.unknownSeries + appends.histogram.unknownSeries,
  );
  counter(
    "prometheus_tsdb_head_chunks_removed_total",
    "Chunks removed from the head.",
    () => counters.chunksRemoved,
  );
  gauge(
    "prometheus_tsdb_head_chunks_storage_size_bytes",
    "Bytes of the head's chunks on disk.",
    sources.headChunkBytes,
  );
  counter(
    "prometheus_tsdb_mmap_chunks_total",
    "Chunks that were written to files.",
    () => sources.mapper.chunksMapped,
  );
  counter(
    "prometheus_tsdb_mmap_chunk_corruptions_total",
    "Damaged places found in the files of head chunks.",
    () => counters.headChunkCorruptions,
  );
  counter(
    "narthex_tsdb_head_chunk_writes_failed_total",
    "Writes of head chunks that failed.",
    () => sources.mapper.writesFailed,
  );
  gauge(
    "narthex_tsdb_head_chunk_series_waiting",
    "Series with full chunks in memory that are not written yet.",
    () => sources.mapper.seriesWaiting,
  );
  counter("prometheus_tsdb_head_truncations_total", "Head truncations.", () => counters.truncations);
  counter(
    "prometheus_tsdb_head_truncations_failed_total",
    "Head truncations that failed.",
    () => counters.truncationsFailed,
  );
  counter(
    "prometheus_tsdb_checkpoint_creations_total",
    "Checkpoints begun.",
    () => counters.checkpointsCreated,
  );
  counter(
    "prometheus_tsdb_checkpoint_creations_failed_total",
    "Checkpoints that failed.",
    () => counters.checkpointsFailed,
  );
  counter(
    "prometheus_tsdb_checkpoint_deletions_total",
    "Checkpoints deleted after a newer one was written.",
    () => counters.checkpointsDeleted,
  );
  counter(
    "prometheus_tsdb_head_chunks_created_total",
    "Chunks created in the head.",
    () => head.kernel.series.chunkCount + counters.chunksRemoved,
  );
  gauge("prometheus_tsdb_head_active_appenders", "Appenders that hold samples.", sources.activeAppenders);
  counter(
    "prometheus_tsdb_head_appenders_created_total",
    "Appenders created.",
    () => counters.appendersCreated,
  );
  counter(
    "prometheus_tsdb_compactions_triggered_total",
    "Times that it was looked whether there is something to compact.",
    () => counters.compactionsTriggered,
  );
  counter(
    "prometheus_tsdb_vertical_compactions_total",
    "Compactions of blocks that overlapped.",
    () => counters.verticalCompactions,
  );
  counter(
    "prometheus_tsdb_compactions_total",
    "Blocks written from the head, and compactions of blocks.",
    () => counters.compactions,
  );
  counter(
    "prometheus_tsdb_compactions_failed_total",
    "Compactions of blocks that failed.",
    () => counters.compactionsFailed,
  );
  counter("prometheus_tsdb_wal_truncations_total", "WAL truncations.", () => counters.walTruncations);
  counter(
    "prometheus_tsdb_wal_truncations_failed_total",
    "WAL truncations that failed.",
    () => counters.walTruncationsFailed,
  );
  counter(
    "prometheus_tsdb_wal_corruptions_total",
    "Damaged places found in the WAL.",
    () => counters.walCorruptions,
  );
  gauge(
    "prometheus_tsdb_data_replay_duration_seconds",
    "Time the replay at start-up took.",
    () => counters.replaySeconds,
  );
  const unknownRefs = registry.counter({
    name: "prometheus_tsdb_wal_replay_unknown_refs_total",
    help: "What was replayed and names a series that the WAL does not.",
    labelNames: ["type"],
  });
  counter(
    "prometheus_tsdb_wal_writes_failed_total",
    "WAL writes that failed.",
    () => wal()?.counters.writesFailed ?? 0,
  );
  counter("prometheus_tsdb_wal_page_flushes_total", "Writes to the WAL.", () => wal()?.counters.flushes ?? 0);
  counter(
    "prometheus_tsdb_wal_completed_pages_total",
    "WAL pages filled.",
    () => wal()?.counters.pagesCompleted ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_record_part_writes_total",
    "Parts of records put together for the WAL.",
    () => wal()?.counters.parts ?? 0,
  );
  counter(
    "prometheus_tsdb_wal_record_parts_bytes_written_total",
    "Bytes of the parts of records put together for the WAL, headers included.",
    () => wal()?.counters.partBytes ?? 0,
  );
  counter(
    "narthex_tsdb_wal_written_bytes_total",
    "Bytes written to the WAL.",
    () => wal()?.counters.bytesWritten ?? 0,
  );
  counter(
    "narthex_tsdb_wal_records_total",
    "Records written to the WAL.",
    () => wal()?.counters.recordsWritten ?? 0,
  );
  counter(
    "narthex_tsdb_wal_fsyncs_failed_total",
    "WAL syncs that failed.",
    () => wal()?.counters.syncsFailed ?? 0,
  );
  counter(
    "narthex_tsdb_wal_torn_tails_total",
    "Torn ends of WAL segments that were cut.",
    () => counters.tornTails,
  );
  gauge("narthex_tsdb_wal_paused", "1 while the WAL cannot be written and ingestion pauses.", () =>
    wal()?.isPaused ? 1 : 0,
  );
  gauge(
    "prometheus_tsdb_wal_segment_current",
    "Number of the WAL segment that is written to.",
    () => wal()?.segment ?? 0,
  );
  gauge("prometheus_tsdb_wal_storage_size_bytes", "Bytes of the WAL on disk.", sources.walBytes);
  counter(
    "narthex_tsdb_pressure_truncations_total",
    "Head truncations because the shared memory ran full.",
    () => counters.pressureTruncations,
  );
  counter(
    "narthex_tsdb_memory_full_samples_total",
    "Samples refused because the shared memory was full.",
    () => appends.float.memoryFull + appends.histogram.memoryFull,
  );
  gauge(
    "narthex_shared_memory_limit_bytes",
    "Size of the shared memory.",
    () => head.kernel.usage().limitBytes,
  );
  gauge("narthex_shared_memory_used_bytes", "Shared memory in use.", () => head.kernel.usage().usedBytes);
  gauge("narthex_head_arena_used_bytes", "Bytes of the head's structures.", () => arena.usage().usedBytes);
  gauge(
    "narthex_head_arena_retired_bytes",
    "Bytes that wait for readers to leave.",
    () => arena.usage().retiredBytes,
  );

  const { exemplars } = sources;
  counter(
    "prometheus_tsdb_exemplar_exemplars_appended_total",
    "Exemplars appended.",
    () => exemplars.appended,
  );
  counter(
    "prometheus_tsdb_exemplar_out_of_order_exemplars_total",
    "Exemplars refused as older than their series' newest.",
    () => exemplars.outOfOrder,
  );
  gauge("prometheus_tsdb_exemplar_exemplars_in_storage", "Exemplars kept.", () => exemplars.count);
  gauge(
    "prometheus_tsdb_exemplar_series_with_exemplars_in_storage",
    "Series with exemplars that are kept.",
    () => exemplars.seriesCount,
  );
  gauge(
    "prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds",
    "Time of the exemplar that has been kept longest.",
    () => exemplars.firstTimestampMs / 1000,
  );
  gauge("prometheus_tsdb_exemplar_max_exemplars", "Exemplars that can be kept.", () => exemplars.capacity);

  const byType = (name: string, help: string, read: (counters: AppendCounters) => number): (() => void) => {
    const family = registry.counter({ name, help, labelNames: ["type"] });
    return () => {
      for (const type of ["float", "histogram"] as const) family.labels({ type }).value = read(appends[type]);
    };
  };
  const samples = [
    byType("prometheus_tsdb_head_samples_appended_total", "Samples appended.", ({ appended }) => appended),
    byType(
      "prometheus_tsdb_out_of_order_samples_total",
      "Samples refused as older than their series' newest.",
      ({ outOfOrder }) => outOfOrder,
    ),
    byType(
      "prometheus_tsdb_head_out_of_order_samples_appended_total",
      "Samples appended that came out of order.",
      ({ late }) => late,
    ),
    byType(
      "prometheus_tsdb_too_old_samples_total",
      "Samples refused as too old even to come out of order.",
      ({ tooOld }) => tooOld,
    ),
    byType(
      "prometheus_tsdb_out_of_bound_samples_total",
      "Samples refused as too old or too far in the future.",
      ({ outOfBounds, tooFarInFuture }) => outOfBounds + tooFarInFuture,
    ),
    byType(
      "narthex_tsdb_duplicate_samples_total",
      "Samples refused as another value for a known time.",
      ({ duplicate }) => duplicate,
    ),
  ];
  const syncs = registry.summary({
    name: "prometheus_tsdb_wal_fsync_duration_seconds",
    help: "Time of WAL syncs.",
  });
  const staleMoves = registry.summary({
    name: "prometheus_tsdb_stale_series_compaction_duration_seconds",
    help: "Time that moving stale series to blocks took.",
  });
  registry.collector(() => {
    for (const update of samples) update();
    for (const [type, count] of Object.entries(counters.unknownRefs))
      if (count > 0) unknownRefs.labels({ type }).value = count;
    const moved = staleMoves.labels({});
    moved.sum = staleSeries.secondsSum;
    moved.count = staleSeries.completed;
    const child = syncs.labels({});
    child.sum = wal()?.counters.syncSecondsSum ?? 0;
    child.count = wal()?.counters.syncs ?? 0;
  });
}

/** Registers upstream's histogram of how late samples come, and returns what feeds it. */
export function outOfOrderDelta(registry: Registry): (seconds: number) => void {
  const histogram = registry.histogram({
    name: "prometheus_tsdb_sample_ooo_delta",
    help: "By how much samples that came out of order were older than the newest, in seconds.",
    buckets: [600, 1800, 3600, 7200, 10_800, 21_600, 43_200],
  });
  return (seconds) => histogram.observe(seconds);
}

/** An empty head has no times; upstream shows 0. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
