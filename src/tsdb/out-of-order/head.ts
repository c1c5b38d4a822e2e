import { type HeadChunkPlace, headChunkPlaceOf, type Kernel, layout } from "../../kernel/index.ts";
import type { SampleEntry } from "../head/entry-batch.ts";
import { forEachPair, insertPair, removePair } from "../head/pair-table.ts";
import {
  chunkBlockBytes,
  chunkPtrs,
  chunkRun,
  isInFile,
  isMarked,
  keyOffset,
  memoryDataBytes,
  type OutOfOrderRun,
  outOfOrderRuns,
  rootIndex,
  setMarked,
  stateBytes,
  stateField,
  stateOf,
} from "./chunks.ts";
import { type EncodedChunk, encodeList } from "./encode.ts";
import { openCount, openTimes, position, retireList, retireWhole, withEntry } from "./open-list.ts";

const { chunk: field } = layout;

/** Samples that a list takes before it is closed, as upstream's default. */
export const openSamplesMax = 32;

/**
 * The samples that came out of order, by series: at most `openSamplesMax` in a list, the others in chunks. Main thread only; others read with `outOfOrderRuns`. What needs
 * memory throws MemoryFullError, with nothing changed.
 */
export class OutOfOrderHead {
  readonly #kernel: Kernel;

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

  /** The lowest number of a file that has a chunk; Infinity when none has. */
  firstFile(): number {
    const { views } = this.#kernel;
    let first = Infinity;
    for (const ref of this.refs())
      for (const ptr of this.#chunkPtrs(ref))
        if (isInFile(views, ptr)) first = Math.min(first, headChunkPlaceOf(views, ptr).file);
    return first;
  }

  /** Everything of a series, newest first. */
  runs(ref: number): OutOfOrderRun[] {
    return outOfOrderRuns(this.#kernel.views, ref, -Infinity, Infinity);
  }

  /** How many samples the list of a series takes before it has to be closed; 0 when it is full. */
  room(ref: number): number {
    const open = this.#open(ref);
    return open === 0 ? openSamplesMax : openSamplesMax - openCount(this.#kernel.views, open);
  }

  /** Whether the list of a series has a sample of that time. */
  hasOpen(ref: number, timestampMs: number): boolean {
    const open = this.#open(ref);
    if (open === 0) return false;
    const { views } = this.#kernel;
    return openTimes(views, open)[position(views, open, timestampMs)] === timestampMs;
  }

  /** Takes a sample of a series; closes its list before when it is full. False when the list has one of that time already: then that stays. */
  insert(entry: SampleEntry): boolean {
    if (this.room(entry.ref) === 0) this.close(entry.ref);
    const state = this.#state(entry.ref);
    const openIndex = (state + stateField.open) >>> 2;
    const { u32 } = this.#kernel.views;
    const open = u32[openIndex]!;
    const fresh = withEntry(this.#kernel, open, entry);
    if (fresh === undefined) return false;
    Atomics.store(u32, openIndex, fresh);
    if (open !== 0) retireList(this.#kernel, open);
    return true;
  }

  /** Turns the list of a series into chunks, which are published before it goes. */
  close(ref: number): void {
    const open = this.#open(ref);
    if (open === 0) return;
    const state = this.#state(ref);
    const closed = (state + stateField.closed) >>> 2;
    const { u32 } = this.#kernel.views;
    const before = u32[closed]!;
    try {
      for (const chunk of encodeList(this.#kernel, open))
        Atomics.store(u32, closed, this.#allocate(chunk, u32[closed]!));
    } catch (error) {
      const whole = u32[closed]!;
      Atomics.store(u32, closed, before);
      this.#retireChain(whole, before);
      throw error;
    }
    this.forgetOpen(ref);
  }

  /** Drops the list of a series: its samples are elsewhere. */
  forgetOpen(ref: number): void {
    const state = stateOf(this.#kernel.views, ref);
    const open = this.#open(ref);
    if (open === 0) return;
    Atomics.store(this.#kernel.views.u32, (state + stateField.open) >>> 2, 0);
    retireWhole(this.#kernel, open);
  }

  /** Chunks of a series whose data is in memory and that are not being compacted, oldest first. */
  inMemory(ref: number): number[] {
    const { views } = this.#kernel;
    const state = stateOf(views, ref);
    if (state === 0) return [];
    return [...chunkPtrs(views.u32, state + stateField.closed)]
      .filter((ptr) => !isInFile(views, ptr))
      .toReversed();
  }

  /**
   * Chunks of a series that are not being compacted and that the log has no marker of, oldest first; undefined when some of what the series has is in memory, so that it must not
   * have any.
   */
  unmarked(ref: number): number[] | undefined {
    const { views } = this.#kernel;
    const state = stateOf(views, ref);
    if (state === 0) return undefined;
    const ptrs = [...chunkPtrs(views.u32, state + stateField.closed)].toReversed();
    if (this.#open(ref) !== 0 || ptrs.some((ptr) => !isInFile(views, ptr))) return undefined;
    return ptrs.filter((ptr) => !isMarked(views, ptr));
  }

  /** The data of a chunk in memory leaves it: its record is in a file. */
  moveToFile(ref: number, ptr: number, place: HeadChunkPlace, recordBytes: number): void {
    const { arena, headChunks, views } = this.#kernel;
    const { u32 } = views;
    const run = { ...chunkRun(views, ptr), bytes: recordBytes };
    let link = (stateOf(views, ref) + stateField.closed) >>> 2;
    while (u32[link] !== ptr) link = (u32[link]! + field.older) >>> 2;
    const older = u32[(ptr + field.older) >>> 2]!;
    Atomics.store(u32, link, headChunks.createStub(older, run, run.count, place));
    arena.retire(ptr, chunkBlockBytes(memoryDataBytes(views, ptr)));
  }

  /** Gives a series the head of a chunk in a file that the log has a marker of. */
  attach(ref: number, stub: number): void {
    const { u32 } = this.#kernel.views;
    setMarked(this.#kernel.views, stub);
    const closed = (this.#state(ref) + stateField.closed) >>> 2;
    u32[(stub + field.older) >>> 2] = u32[closed]!;
    Atomics.store(u32, closed, stub);
  }

  /** The chunks of a series are being moved to blocks: `dropCompacted` drops them. */
  beginCompaction(ref: number): void {
    const { u32 } = this.#kernel.views;
    const state = stateOf(this.#kernel.views, ref);
    const closed = (state + stateField.closed) >>> 2;
    const compacting = (state + stateField.compacting) >>> 2;
    if (state === 0 || u32[closed] === 0) return;
    // What an earlier compaction could not move goes with the others.
    const oldest = [...chunkPtrs(u32, state + stateField.closed)].at(-1)!;
    Atomics.store(u32, (oldest + field.older) >>> 2, u32[compacting]!);
    Atomics.store(u32, compacting, u32[closed]!);
    Atomics.store(u32, closed, 0);
  }

  /** Drops the chunks of a series that are in blocks. */
  dropCompacted(ref: number): void {
    const { u32 } = this.#kernel.views;
    const state = stateOf(this.#kernel.views, ref);
    if (state === 0) return;
    const chain = u32[(state + stateField.compacting) >>> 2]!;
    Atomics.store(u32, (state + stateField.compacting) >>> 2, 0);
    this.#retireChain(chain, 0);
    if (u32[(state + stateField.open) >>> 2] === 0 && u32[(state + stateField.closed) >>> 2] === 0)
      this.#forget(ref, state);
  }

  #open(ref: number): number {
    const state = stateOf(this.#kernel.views, ref);
    return state === 0 ? 0 : this.#kernel.views.u32[(state + stateField.open) >>> 2]!;
  }

  *#chunkPtrs(ref: number): Generator<number> {
    const { views } = this.#kernel;
    const state = stateOf(views, ref);
    if (state === 0) return;
    yield* chunkPtrs(views.u32, state + stateField.closed);
    yield* chunkPtrs(views.u32, state + stateField.compacting);
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

  /** A chunk before `older`, not published yet. */
  #allocate(chunk: EncodedChunk, older: number): number {
    const { arena, views } = this.#kernel;
    const { u8, u16, u32, i64 } = views;
    const { bytes, count, encoding, minTimestampMs, maxTimestampMs } = chunk;
    const ptr = arena.allocate(chunkBlockBytes(bytes.length), "out-of-order chunk");
    u32[(ptr + field.older) >>> 2] = older;
    u16[(ptr + field.count) >>> 1] = count;
    u8[ptr + field.encoding] = encoding;
    u8[ptr + field.flags] = layout.chunkFlagClosed;
    i64[(ptr + field.minTimestampMs) / 8] = BigInt(minTimestampMs);
    i64[(ptr + field.maxTimestampMs) / 8] = BigInt(maxTimestampMs);
    u32[(ptr + field.capacity) >>> 2] = bytes.length;
    u32[(ptr + field.dataBytes) >>> 2] = bytes.length;
    u8.set(bytes, ptr + field.headerBytes);
    return ptr;
  }

  /** Retires the chunks of a chain from `first` until before `end`. */
  #retireChain(first: number, end: number): void {
    const { arena, views } = this.#kernel;
    for (let ptr = first; ptr !== end;) {
      const older = views.u32[(ptr + field.older) >>> 2]!;
      const dataBytes = isInFile(views, ptr) ? undefined : memoryDataBytes(views, ptr);
      arena.retire(ptr, dataBytes === undefined ? field.headerBytes : chunkBlockBytes(dataBytes));
      ptr = older;
    }
  }
}
