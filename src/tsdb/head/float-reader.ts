import { type Kernel, staleMarkerBits } from "../../kernel/index.ts";
import type { SampleColumns } from "../../storage/index.ts";
import { decodeXor2Chunk, type Xor2Sample, xor2Encoding } from "../chunk/xor2.ts";
import { encodedChunks, encodedCountMax, type FileChunkData } from "./encoded-chunks.ts";
import { mergeRun } from "./merge-run.ts";

const isXor2 = (encoding: number): boolean => encoding === xor2Encoding;

/** An upper bound of the floats with start timestamps of a head series that lie in the time range. */
export function startedFloatCountMax(
  kernel: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
): number {
  return encodedCountMax(kernel, ref, minTimestampMs, maxTimestampMs, isXor2);
}

/**
 * The floats of the XOR2 chunks of a head series in [minTimestampMs, maxTimestampMs], oldest first, on any thread within an epoch. Throws
 * ChunkDamagedError.
 */
export function readStartedFloats(
  kernel: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dataOfFileChunk: FileChunkData,
): Xor2Sample[] {
  return encodedChunks(kernel, ref, minTimestampMs, maxTimestampMs, isXor2, dataOfFileChunk)
    .flatMap(({ bytes, count }) => [...decodeXor2Chunk(bytes, count)])
    .filter(({ timestampMs }) => timestampMs >= minTimestampMs && timestampMs <= maxTimestampMs);
}

/** Merges the floats into the `count` samples that the columns have; returns how many there are then. Throws `internal` when the columns are too small. */
export function mergeStartedFloats(
  kernel: Kernel,
  floats: readonly Xor2Sample[],
  columns: SampleColumns,
  count: number,
): number {
  if (floats.length === 0) return count;
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  try {
    const timestamps = scratch.allocate(8 * floats.length);
    const values = scratch.allocate(8 * floats.length);
    floats.forEach(({ timestampMs, value, isStale }, i) => {
      views.f64[timestamps / 8 + i] = timestampMs;
      if (isStale) views.u64[values / 8 + i] = staleMarkerBits;
      else views.f64[values / 8 + i] = value;
    });
    return mergeRun(kernel, { timestamps, values, count: floats.length }, columns, count);
  } finally {
    scratch.release(mark);
  }
}
