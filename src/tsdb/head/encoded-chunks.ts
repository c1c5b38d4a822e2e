import { type Kernel, layout } from "../../kernel/index.ts";
import { chunkTimeMs } from "./chunk-time.ts";

const { chunk: field } = layout;

/** Has the data of a chunk that is in a file, undefined when it is to be left out. */
export type FileChunkData = (chunk: number) => Uint8Array | undefined;

/** A chunk that TypeScript decodes, with the number of samples that were counted when it was found. */
export interface EncodedData {
  readonly encoding: number;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Whether a head series has chunks of such an encoding at or after `minTimestampMs`. To see that costs less than looking for them. */
export function hasChunksOf(
  { series, views }: Kernel,
  ref: number,
  minTimestampMs: number,
  isWanted: (encoding: number) => boolean,
): boolean {
  const { u32, u8 } = views;
  const slot = series.slot(ref);
  if (slot === 0) return false;
  let chunk = Atomics.load(u32, (slot + layout.slot.chunkPtr) >>> 2);
  while (chunk !== 0 && chunkTimeMs(u32, chunk, "maxTimestampMs") >= minTimestampMs) {
    if (isWanted(u8[chunk + field.encoding]!)) return true;
    chunk = Atomics.load(u32, (chunk + field.older) >>> 2);
  }
  return false;
}

/** Whether TypeScript decodes such chunks: those of histograms. */
export function isEncoded(encoding: number): boolean {
  return !layout.isFloatEncoding(encoding);
}

/**
 * The chunks of a head series that TypeScript decodes and that overlap [minTimestampMs, maxTimestampMs], oldest first, on any thread within an epoch. The writer
 * may append meanwhile: only what is counted may be read.
 */
export function encodedChunks(
  { series, views }: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dataOfFileChunk: FileChunkData,
): EncodedData[] {
  const { i64, u16, u32, u8 } = views;
  const chunks: EncodedData[] = [];
  if (series.labelsPtr(ref) === 0) return [];
  for (const ptr of series.chunkPtrs(ref)) {
    const encoding = u8[ptr + field.encoding]!;
    const count = Atomics.load(u16, (ptr + field.count) >>> 1);
    if (Number(Atomics.load(i64, (ptr + field.maxTimestampMs) / 8)) < minTimestampMs) break;
    if (!isEncoded(encoding)) continue;
    if (Number(i64[(ptr + field.minTimestampMs) / 8]) > maxTimestampMs) continue;
    const start = ptr + field.headerBytes;
    const isInFile = (u8[ptr + field.flags]! & layout.chunkFlagInFile) !== 0;
    const bytes = isInFile
      ? dataOfFileChunk(ptr)
      : u8.slice(start, start + u32[(ptr + field.capacity) >>> 2]!);
    if (bytes !== undefined) chunks.push({ encoding, bytes, count });
  }
  return chunks.toReversed();
}
