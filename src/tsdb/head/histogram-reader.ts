import type { Kernel } from "../../kernel/index.ts";
import type { HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import type { HistogramEncoding } from "../chunk/histogram-encoding.ts";
import { readHistogramChunk } from "../chunk/histogram-reader.ts";
import { encodedChunks, type FileChunkData } from "./encoded-chunks.ts";

/**
 * The native histograms of a head series in [minTimestampMs, maxTimestampMs], oldest first, on any thread within an epoch. Throws
 * ChunkDamagedError.
 */
export function readHeadHistograms(
  kernel: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dataOfFileChunk: FileChunkData,
  need?: HistogramNeed,
): StoredHistogram[] {
  return encodedChunks(kernel, ref, minTimestampMs, maxTimestampMs, dataOfFileChunk)
    .flatMap(({ encoding, bytes, count }) =>
      readHistogramChunk(kernel, encoding as HistogramEncoding, bytes, count, need),
    )
    .filter(({ timestampMs }) => timestampMs >= minTimestampMs && timestampMs <= maxTimestampMs);
}
