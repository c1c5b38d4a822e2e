import { layout, type Views } from "../../kernel/index.ts";
import { chunkTimeMs } from "../head/chunk-time.ts";
import { findPair } from "../head/pair-table.ts";
import { openCount, openTimes } from "./open-list.ts";

const { chunk: field } = layout;

/**
 * Samples that came out of order, in the shared memory: for each series that has some, pointers to an open list, to the chunks made of those that were full, and to
 * the chunks that are being moved to blocks. Chunks may overlap one another, newest first, and have the heads that those in order have, whose data is behind them or in a file.
 */
export const rootIndex = layout.headWord.outOfOrder >>> 2;
/** Keys of a pair table below are taken. */
export const keyOffset = 1;
export const stateBytes = 16;
/** u32 each. */
export const stateField = { open: 0, closed: 4, compacting: 8 } as const;

/** Some samples of a series: an open list, whose samples may be of any kind, or a chunk. */
export interface OutOfOrderRun {
  readonly ptr: number;
  /** Of a chunk, as in blocks; `openEncoding` of a list. */
  readonly encoding: number;
  readonly count: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

export const openEncoding = 0;

/** Pointer to what there is of a series; 0 when it has no sample that came out of order. */
export function stateOf({ u32 }: Views, ref: number): number {
  const table = Atomics.load(u32, rootIndex);
  const at = table === 0 ? 0 : findPair(u32, table, ref + keyOffset);
  return at === 0 ? 0 : Atomics.load(u32, at);
}

/** The runs of a series that reach into the time range, newest first, on any thread within an epoch. One may be told twice. */
export function outOfOrderRuns(
  views: Views,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
): OutOfOrderRun[] {
  const state = stateOf(views, ref);
  if (state === 0) return [];
  const { u32 } = views;
  const runs: OutOfOrderRun[] = [];
  const add = (run: OutOfOrderRun): void => {
    if (run.maxTimestampMs >= minTimestampMs && run.minTimestampMs <= maxTimestampMs) runs.push(run);
  };
  // The way that samples go: what is moved on meanwhile is found twice rather than not at all.
  const open = Atomics.load(u32, (state + stateField.open) >>> 2);
  if (open !== 0) add(openRun(views, open));
  for (const chain of [stateField.closed, stateField.compacting])
    for (const ptr of chunkPtrs(u32, state + chain)) add(chunkRun(views, ptr));
  return runs;
}

/** The chunks of a chain, newest first, from the word that leads to the first on. */
export function* chunkPtrs(u32: Uint32Array, head: number): Generator<number> {
  for (let ptr = Atomics.load(u32, head >>> 2); ptr !== 0; ptr = Atomics.load(u32, (ptr + field.older) >>> 2))
    yield ptr;
}

export function chunkRun({ u8, u16, u32 }: Views, ptr: number): OutOfOrderRun {
  return {
    ptr,
    encoding: u8[ptr + field.encoding]!,
    count: u16[(ptr + field.count) >>> 1]!,
    minTimestampMs: chunkTimeMs(u32, ptr, "minTimestampMs"),
    maxTimestampMs: chunkTimeMs(u32, ptr, "maxTimestampMs"),
  };
}

function openRun(views: Views, ptr: number): OutOfOrderRun {
  const count = openCount(views, ptr);
  const times = openTimes(views, ptr);
  return { ptr, encoding: openEncoding, count, minTimestampMs: times[0]!, maxTimestampMs: times[count - 1]! };
}

export function isInFile({ u8 }: Views, ptr: number): boolean {
  return (u8[ptr + field.flags]! & layout.chunkFlagInFile) !== 0;
}

/** Set in the flags of a chunk in a file that the log has a marker of. */
const flagMarked = 4;

export function isMarked({ u8 }: Views, ptr: number): boolean {
  return (u8[ptr + field.flags]! & flagMarked) !== 0;
}

/** Notes that the log has a marker of a chunk. Writer. */
export function setMarked({ u8 }: Views, ptr: number): void {
  u8[ptr + field.flags]! |= flagMarked;
}

/** Bytes of the data of a chunk in memory. */
export function memoryDataBytes({ u32 }: Views, ptr: number): number {
  return u32[(ptr + field.dataBytes) >>> 2]!;
}

/** The data of a chunk in memory; a copy. */
export function chunkData(views: Views, ptr: number): Uint8Array {
  const start = ptr + field.headerBytes;
  return views.u8.slice(start, start + memoryDataBytes(views, ptr));
}

/** Bytes that a chunk's head and data take. */
export function chunkBlockBytes(dataBytes: number): number {
  return field.headerBytes + dataBytes + layout.slackBytes;
}
