import type { Registry } from "@narthex/client";
import type { HeadChunks } from "../head-chunks/index.ts";
import type { OutOfOrderMapper } from "../out-of-order/index.ts";
import { metricFunctions } from "./functions.ts";

/** Registers what there is to know of the files of the head's chunks. */
export function registerHeadChunkMetrics(
  registry: Registry,
  headChunks: HeadChunks,
  outOfOrder: OutOfOrderMapper,
): void {
  const { gauge, counter } = metricFunctions(registry);

  gauge(
    "prometheus_tsdb_head_chunks_storage_size_bytes",
    "Bytes of the head's chunks on disk.",
    () => headChunks.sizeBytes,
  );
  counter(
    "prometheus_tsdb_mmap_chunks_total",
    "Chunks that were written to files.",
    () => headChunks.mapper.chunksMapped,
  );
  counter(
    "narthex_tsdb_out_of_order_chunks_mapped_total",
    "Chunks of samples out of order that were written to files.",
    () => outOfOrder.chunksMapped,
  );
  counter(
    "prometheus_tsdb_mmap_chunk_corruptions_total",
    "Damaged places found in the files of head chunks.",
    () => headChunks.corruptions,
  );
  counter(
    "narthex_tsdb_head_chunk_writes_failed_total",
    "Writes of head chunks that failed.",
    () => headChunks.mapper.writesFailed + outOfOrder.writesFailed,
  );
  gauge(
    "narthex_tsdb_head_chunk_series_waiting",
    "Series with full chunks in memory that are not written yet.",
    () => headChunks.mapper.seriesWaiting,
  );
}
