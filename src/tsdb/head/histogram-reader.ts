import { type Kernel, layout } from "../../kernel/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import { decodeHistogramChunk, isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import { chunkTimeMs } from "./chunk-time.ts";

const { chunk: field } = layout;

/**
 * Whether a head series has native histograms at or after `minTimestampMs`. Nearly all have none, and to see this costs less than
 * looking for them.
 */
export function hasHistograms({ series, views }: Kernel, ref: number, minTimestampMs: number): boolean {
  const { u32, u8 } = views;
  const slot = series.slot(ref);
  if (slot === 0) return false;
  let chunk = Atomics.load(u32, (slot + layout.slot.chunkPtr) >>> 2);
  while (chunk !== 0 && chunkTimeMs(u32, chunk, "maxTimestampMs") >= minTimestampMs) {
    if (isHistogramEncoding(u8[chunk + field.encoding]!)) return true;
    chunk = Atomics.load(u32, (chunk + field.older) >>> 2);
  }
  return false;
}

/**
 * The native histograms of a head series in [minTimestampMs, maxTimestampMs], oldest first, on any thread within an epoch. The writer may
 * append meanwhile: what was counted when the chunk was found is read. `dataOfFileChunk` has the data of a chunk that is in a file, undefined when it
 * is to be left out. Throws ChunkDamagedError.
 */
export function readHeadHistograms(
  { series, views }: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dataOfFileChunk: (chunk: number) => Uint8Array | undefined,
): StoredHistogram[] {
  const { i64, u16, u32, u8 } = views;
  const runs: StoredHistogram[][] = [];
  if (series.labelsPtr(ref) === 0) return [];
  for (const ptr of series.chunkPtrs(ref)) {
    const encoding = u8[ptr + field.encoding]!;
    const count = Atomics.load(u16, (ptr + field.count) >>> 1);
    if (Number(Atomics.load(i64, (ptr + field.maxTimestampMs) / 8)) < minTimestampMs) break;
    if (!isHistogramEncoding(encoding)) continue;
    if (Number(i64[(ptr + field.minTimestampMs) / 8]) > maxTimestampMs) continue;
    const start = ptr + field.headerBytes;
    const isInFile = (u8[ptr + field.flags]! & layout.chunkFlagInFile) !== 0;
    const bytes = isInFile
      ? dataOfFileChunk(ptr)
      : u8.slice(start, start + u32[(ptr + field.capacity) >>> 2]!);
    if (bytes !== undefined) runs.push([...decodeHistogramChunk(encoding, bytes, count)]);
  }
  return runs
    .toReversed()
    .flat()
    .filter(({ timestampMs }) => timestampMs >= minTimestampMs && timestampMs <= maxTimestampMs);
}
