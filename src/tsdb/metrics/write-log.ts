import type { Registry } from "@narthex/client";
import type { WalCompression } from "../wal/compression.ts";
import type { WalCounters, WalWriter } from "../wal/writer.ts";
import { metricFunctions } from "./functions.ts";

/** A log as it is written and truncated: the WAL or the write-behind log. */
export interface WriteLogSource {
  readonly truncations: number;
  readonly truncationsFailed: number;
  /** Undefined while it is not open. */
  readonly writer: WalWriter | undefined;
  /** Throws the disk's error. */
  readonly sizeBytes: number;
}

/** Registers what upstream tells of both logs, under the log's name there: `wal` or `out_of_order_wbl`. */
export function registerWriteLogMetrics(
  registry: Registry,
  name: "wal" | "out_of_order_wbl",
  log: WriteLogSource,
  compression: WalCompression,
): void {
  const { gauge, counter } = metricFunctions(registry);
  const title = name === "wal" ? "WAL" : "WBL";
  const prefix = `prometheus_tsdb_${name}`;
  const own = `narthex_tsdb_${name}`;
  const read = (what: keyof WalCounters) => (): number => log.writer?.counters[what] ?? 0;

  counter(`${prefix}_truncations_total`, `${title} truncations.`, () => log.truncations);
  counter(
    `${prefix}_truncations_failed_total`,
    `${title} truncations that failed.`,
    () => log.truncationsFailed,
  );
  counter(`${prefix}_writes_failed_total`, `${title} writes that failed.`, read("writesFailed"));
  counter(`${prefix}_page_flushes_total`, `Writes to the ${title}.`, read("flushes"));
  counter(`${prefix}_completed_pages_total`, `${title} pages filled.`, read("pagesCompleted"));
  counter(
    `${prefix}_record_part_writes_total`,
    `Parts of records put together for the ${title}.`,
    read("parts"),
  );
  counter(
    `${prefix}_record_parts_bytes_written_total`,
    `Bytes of the parts of records put together for the ${title}, headers included.`,
    read("partBytes"),
  );
  counter(`${own}_written_bytes_total`, `Bytes written to the ${title}.`, read("bytesWritten"));
  counter(`${own}_records_total`, `Records written to the ${title}.`, read("recordsWritten"));
  counter(`${own}_fsyncs_failed_total`, `${title} syncs that failed.`, read("syncsFailed"));
  gauge(`${own}_paused`, `1 while the ${title} cannot be written and what goes to it is refused.`, () =>
    log.writer?.isPaused ? 1 : 0,
  );
  gauge(
    `${prefix}_segment_current`,
    `Number of the ${title} segment that is written to.`,
    () => log.writer?.segment ?? 0,
  );
  gauge(`${prefix}_storage_size_bytes`, `Bytes of the ${title} on disk.`, () => log.sizeBytes);

  const saved = registry.counter({
    name: `${prefix}_record_bytes_saved_total`,
    help: `Bytes that compression left out of records of the ${title}.`,
    labelNames: ["compression"],
  });
  const syncs = registry.summary({
    name: `${prefix}_fsync_duration_seconds`,
    help: `Time of ${title} syncs.`,
  });
  registry.collector(() => {
    if (compression !== "none") saved.labels({ compression }).value = read("bytesSaved")();
    const child = syncs.labels({});
    child.sum = read("syncSecondsSum")();
    child.count = read("syncs")();
  });
}
