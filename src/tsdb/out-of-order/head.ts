import { type Kernel, layout } from "../../kernel/index.ts";
import { withoutResets } from "../block/histograms.ts";
import { HistogramChunk, histogramEncoding, isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import { forEachPair, insertPair, removePair } from "../head/pair-table.ts";
import {
  closedChunk,
  keyOffset,
  openHeaderBytes,
  openRun,
  type OutOfOrderRun,
  outOfOrderRuns,
  rootIndex,
  sampleBytes,
  stateBytes,
  stateField,
  stateOf,
} from "./chunks.ts";

/** Samples that a list takes before it is closed, as upstream's default. */
export const openSamplesMax = 32;
/** More than a chunk of so many samples ever needs. */
const chunkBytesMax = 20 + 20 * openSamplesMax;

/** The samples that came out of order, by series. Main thread only; others read with `outOfOrderRuns`. */
export class OutOfOrderHead {
  readonly #kernel: Kernel;
  #generation = 1;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  has(ref: number): boolean {
    return stateOf(this.#kernel.views, ref) !== 0;
  }

  /** Series that have such samples. */
  refs(): number[] {
    const { u32 } = this.#kernel.views;
    const refs: number[] = [];
    forEachPair(u32, u32[rootIndex]!, (key) => refs.push(key - keyOffset));
    return refs;
  }

  /** Time of the oldest such sample; Infinity when there is none. */
  minTimeMs(): number {
    let minMs = Infinity;
    for (const ref of this.refs())
      for (const { minTimestampMs } of this.runs(ref)) minMs = Math.min(minMs, minTimestampMs);
    return minMs;
  }

  /** Everything of a series. */
  runs(ref: number): OutOfOrderRun[] {
    return outOfOrderRuns(this.#kernel.views, ref, -Infinity, Infinity);
  }

  /**
   * Takes a sample of a series, given the bits of its value as two words. False when the list that is open has one of that time already: then that stays. Throws
   * MemoryFullError.
   */
  insert(ref: number, timestampMs: number, low: number, high: number): boolean {
    const { arena, views } = this.#kernel;
    const { u32, f64 } = views;
    const state = this.#state(ref);
    const openIndex = (state + stateField.open) >>> 2;
    let open = u32[openIndex]!;
    if (open !== 0 && u32[open >>> 2]! >= openSamplesMax) {
      this.#close(state);
      open = 0;
    }
    const count = open === 0 ? 0 : u32[open >>> 2]!;
    const at = open === 0 ? 0 : position(f64, open, count, timestampMs);
    if (at < count && f64[(open + openHeaderBytes) / 8 + at] === timestampMs) return false;
    const fresh = arena.allocate(openHeaderBytes + sampleBytes * (count + 1), "out-of-order samples");
    u32[fresh >>> 2] = count + 1;
    const oldTimes = open + openHeaderBytes;
    const times = fresh + openHeaderBytes;
    copyAround(views.u8, oldTimes, times, count, at);
    copyAround(views.u8, oldTimes + 8 * count, times + 8 * (count + 1), count, at);
    f64[times / 8 + at] = timestampMs;
    const bits = (times + 8 * (count + 1)) / 4 + 2 * at;
    u32[bits] = low;
    u32[bits + 1] = high;
    Atomics.store(u32, openIndex, fresh);
    if (open !== 0) arena.retire(open, openHeaderBytes + sampleBytes * count);
    return true;
  }

  /** Takes a native histogram of a series. False when there is one of that time already. Throws MemoryFullError. */
  insertHistogram({ ref, timestampMs, histogram, kind }: HistogramEntry): boolean {
    const same = outOfOrderRuns(this.#kernel.views, ref, timestampMs, timestampMs);
    if (same.some(({ encoding }) => isHistogramEncoding(encoding))) return false;
    const encoding = histogramEncoding(kind);
    const chunk = new HistogramChunk(encoding);
    // Between which others it belongs is not known yet.
    chunk.append(timestampMs, withoutResets(histogram));
    const bytes = chunk.bytes();
    const run = { encoding, count: 1, minTimestampMs: timestampMs, maxTimestampMs: timestampMs };
    this.#publish(this.#state(ref), run, bytes);
    return true;
  }

  /** Closes all lists. What there is now is gone after `drop` with the number that this returns. Throws MemoryFullError. */
  closeAll(): number {
    const { views } = this.#kernel;
    for (const ref of this.refs()) {
      const state = stateOf(views, ref);
      if (views.u32[(state + stateField.open) >>> 2] !== 0) this.#close(state);
    }
    return this.#generation++;
  }

  /** Drops the chunks that were closed up to a generation. Throws MemoryFullError. */
  drop(generation: number): void {
    const { u32 } = this.#kernel.views;
    for (const ref of this.refs()) {
      const state = stateOf(this.#kernel.views, ref);
      let link = (state + stateField.closed) >>> 2;
      while (u32[link] !== 0 && u32[(u32[link]! + closedChunk.generation) >>> 2]! > generation)
        link = (u32[link]! + closedChunk.older) >>> 2;
      let chunk = u32[link]!;
      Atomics.store(u32, link, 0);
      while (chunk !== 0) {
        const older = u32[(chunk + closedChunk.older) >>> 2]!;
        this.#kernel.arena.retire(chunk, closedBytes(u32[(chunk + closedChunk.dataBytes) >>> 2]!));
        chunk = older;
      }
      const isEmpty =
        u32[(state + stateField.open) >>> 2] === 0 && u32[(state + stateField.closed) >>> 2] === 0;
      if (isEmpty) this.#forget(ref, state);
    }
    this.#kernel.arena.reclaim();
  }

  #state(ref: number): number {
    const { arena, views } = this.#kernel;
    const known = stateOf(views, ref);
    if (known !== 0) return known;
    const fresh = arena.allocateZeroed(stateBytes, "out-of-order series");
    Atomics.store(views.u32, insertPair(this.#kernel, rootIndex, ref + keyOffset), fresh);
    return fresh;
  }

  #forget(ref: number, state: number): void {
    const { arena, views } = this.#kernel;
    Atomics.store(views.u32, insertPair(this.#kernel, rootIndex, ref + keyOffset), 0);
    removePair(views.u32, views.u32[rootIndex]!, ref + keyOffset);
    arena.retire(state, stateBytes);
  }

  /** Turns the open list into a chunk, which is published before the list goes. */
  #close(state: number): void {
    const { arena, scratch, views } = this.#kernel;
    const { u8, u32 } = views;
    const openIndex = (state + stateField.open) >>> 2;
    const open = u32[openIndex]!;
    const run = openRun(views, open);
    const { count } = run;
    const mark = scratch.mark();
    try {
      const encoded = scratch.allocate(chunkBytesMax + layout.slackBytes);
      const columns = { tsPtr: open + openHeaderBytes, vsPtr: open + openHeaderBytes + 8 * count, count };
      const dataBytes = this.#kernel.encodeChunk(columns, encoded, chunkBytesMax);
      this.#publish(state, run, u8.subarray(encoded, encoded + dataBytes));
    } finally {
      scratch.release(mark);
    }
    Atomics.store(u32, openIndex, 0);
    arena.retire(open, openHeaderBytes + sampleBytes * count);
  }

  /** Puts a closed chunk before the others of the series. */
  #publish(state: number, run: Omit<OutOfOrderRun, "ptr" | "isOpen">, data: Uint8Array): void {
    const { arena, views } = this.#kernel;
    const { u8, u16, u32, f64 } = views;
    const closedIndex = (state + stateField.closed) >>> 2;
    const chunk = arena.allocate(closedBytes(data.length), "out-of-order chunk");
    u32[(chunk + closedChunk.older) >>> 2] = u32[closedIndex]!;
    u16[(chunk + closedChunk.count) >>> 1] = run.count;
    u8[chunk + closedChunk.encoding] = run.encoding;
    u32[(chunk + closedChunk.dataBytes) >>> 2] = data.length;
    u32[(chunk + closedChunk.generation) >>> 2] = this.#generation;
    f64[(chunk + closedChunk.minTimestampMs) / 8] = run.minTimestampMs;
    f64[(chunk + closedChunk.maxTimestampMs) / 8] = run.maxTimestampMs;
    u8.set(data, chunk + closedChunk.headerBytes);
    Atomics.store(u32, closedIndex, chunk);
  }
}

function closedBytes(dataBytes: number): number {
  return closedChunk.headerBytes + dataBytes + layout.slackBytes;
}

/** Where a sample of that time is in an open list, or would go. */
function position(f64: Float64Array, open: number, count: number, timestampMs: number): number {
  const times = (open + openHeaderBytes) / 8;
  let at = count;
  while (at > 0 && f64[times + at - 1]! >= timestampMs) at--;
  return at;
}

/** Copies `count` words of 8 bytes, leaving a gap of one at `at`. */
function copyAround(u8: Uint8Array, from: number, to: number, count: number, at: number): void {
  u8.copyWithin(to, from, from + 8 * at);
  u8.copyWithin(to + 8 * (at + 1), from + 8 * at, from + 8 * count);
}
