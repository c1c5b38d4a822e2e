import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import { decodeHistogramChunk, isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import { findPair } from "../head/pair-table.ts";

/**
 * Samples that came out of order, in the shared memory: for each series that has some, { u32 open, u32 closed }. What is open is
 * { u32 count, u32 0, f64 ms × count, u64 bits × count }, in the order of time, replaced with each sample. What is closed are chunks that may
 * overlap one another, newest first: of floats, or of one native histogram each.
 */
export const rootIndex = layout.headWord.outOfOrder >>> 2;
/** Keys of a pair table below are taken. */
export const keyOffset = 1;
export const stateBytes = 16;
export const stateField = { open: 0, closed: 4 } as const;
export const openHeaderBytes = 8;
export const sampleBytes = 16;
export const closedChunk = {
  headerBytes: 32,
  /** u32 → the chunk that was closed before; 0 = none. */
  older: 0,
  /** u16. */
  count: 4,
  /** u8: of the chunk, as in blocks. */
  encoding: 6,
  /** u32. */
  dataBytes: 8,
  /** u32: grows with each compaction. */
  generation: 12,
  /** f64. */
  minTimestampMs: 16,
  maxTimestampMs: 24,
} as const;

/** Some samples of a series: an open list or a closed chunk. */
export interface OutOfOrderRun {
  readonly ptr: number;
  readonly isOpen: boolean;
  /** Of a closed chunk; an open list has floats, too. */
  readonly encoding: number;
  readonly count: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/** Pointer to what there is of a series; 0 when it has no sample that came out of order. */
export function stateOf({ u32 }: Views, ref: number): number {
  const table = Atomics.load(u32, rootIndex);
  const at = table === 0 ? 0 : findPair(u32, table, ref + keyOffset);
  return at === 0 ? 0 : Atomics.load(u32, at);
}

/** The runs of a series that reach into the time range, on any thread within an epoch. */
export function outOfOrderRuns(
  views: Views,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
): OutOfOrderRun[] {
  const state = stateOf(views, ref);
  if (state === 0) return [];
  const { u8, u16, u32, f64 } = views;
  const runs: OutOfOrderRun[] = [];
  const add = (run: OutOfOrderRun): void => {
    if (run.maxTimestampMs >= minTimestampMs && run.minTimestampMs <= maxTimestampMs) runs.push(run);
  };
  // The open list first: when it is closed meanwhile it is in both rather than in neither.
  const open = Atomics.load(u32, (state + stateField.open) >>> 2);
  if (open !== 0) add(openRun(views, open));
  for (
    let ptr = Atomics.load(u32, (state + stateField.closed) >>> 2);
    ptr !== 0;
    ptr = Atomics.load(u32, (ptr + closedChunk.older) >>> 2)
  )
    add({
      ptr,
      isOpen: false,
      encoding: u8[ptr + closedChunk.encoding]!,
      count: u16[(ptr + closedChunk.count) >>> 1]!,
      minTimestampMs: f64[(ptr + closedChunk.minTimestampMs) / 8]!,
      maxTimestampMs: f64[(ptr + closedChunk.maxTimestampMs) / 8]!,
    });
  return runs;
}

export function openRun({ u32, f64 }: Views, ptr: number): OutOfOrderRun {
  const count = u32[ptr >>> 2]!;
  const times = (ptr + openHeaderBytes) / 8;
  return {
    ptr,
    isOpen: true,
    encoding: layout.chunkEncodingXor,
    count,
    minTimestampMs: f64[times]!,
    maxTimestampMs: f64[times + count - 1]!,
  };
}

/** Copies the samples of a run of floats to columns that have room for them. Throws ChunkDamagedError. */
export function readRun(kernel: Kernel, run: OutOfOrderRun, timestamps: number, values: number): void {
  const { u8, u32 } = kernel.views;
  const { ptr, count } = run;
  if (run.isOpen) {
    const start = ptr + openHeaderBytes;
    u8.copyWithin(timestamps, start, start + 8 * count);
    u8.copyWithin(values, start + 8 * count, start + sampleBytes * count);
    return;
  }
  const dataBytes = u32[(ptr + closedChunk.dataBytes) >>> 2]!;
  kernel.decodeChunk(ptr + closedChunk.headerBytes, dataBytes, count, timestamps, values, count);
}

/** The native histograms of a run; none when it has floats. Throws ChunkDamagedError. */
export function readHistogramRun(
  { u8, u32 }: Views,
  { ptr, encoding, count }: OutOfOrderRun,
): StoredHistogram[] {
  if (!isHistogramEncoding(encoding)) return [];
  const start = ptr + closedChunk.headerBytes;
  const bytes = u8.slice(start, start + u32[(ptr + closedChunk.dataBytes) >>> 2]!);
  return [...decodeHistogramChunk(encoding, bytes, count)];
}
