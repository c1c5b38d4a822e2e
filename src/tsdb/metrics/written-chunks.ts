import type { Registry } from "@narthex/client";
import { type WrittenChunks, writtenChunkBounds } from "../block/written-chunks.ts";

/** Registers what chunks are like when they are first written to a block; returns who is to be told of those that were. */
export function registerWrittenChunks(registry: Registry): (chunks: WrittenChunks) => void {
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    registry.histogram({ name: `prometheus_tsdb_compaction_chunk_${name}`, help, buckets });
  const { rangesMs, samples, bytes } = writtenChunkBounds;
  // Milliseconds, whatever the name says: upstream's are.
  const ranges = histogram(
    "range_seconds",
    "Time, in milliseconds, between a chunk's first and last sample.",
    rangesMs,
  );
  const counts = histogram("samples", "Samples of a chunk.", samples);
  const sizes = histogram("size_bytes", "Bytes of a chunk.", bytes);
  return (chunks) => {
    ranges.observeCounted(chunks.rangesMs.counts, chunks.rangesMs.sum);
    counts.observeCounted(chunks.samples.counts, chunks.samples.sum);
    sizes.observeCounted(chunks.bytes.counts, chunks.bytes.sum);
  };
}
