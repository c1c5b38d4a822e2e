import type { Arena } from "./arena.ts";
import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import type { Views } from "./views.ts";

/** What `SeriesWriter.next` stopped for. */
export const seriesEvent = {
  /** The record is read. */
  end: 0,
  /** The entry's series exists, as `ref`. */
  found: 1,
  /** It did not, and does now, as `ref`, which is its number in the log. */
  created: 2,
  /** There is none, and none was created: because that was not asked for, or because its number cannot be its ref. Next: `add` with another, or go on. */
  absent: 3,
  /** Its labels are not sorted by name: who asks must read them. */
  unsorted: 4,
  malformed: 6,
  /** Room for `add` was not to be had: MemoryFullError. */
  full: 7,
  /** Nothing in particular, after many series: to look whether there is still memory for more. */
  pause: 8,
} as const;
export type SeriesEvent = (typeof seriesEvent)[keyof typeof seriesEvent];

/** The kernel's word for more labels than the state has room for, which `next` makes. */
const tooManyLabels = 5;

/** Offsets of the state that the kernel works on (see kernel/series-writer.ts). */
export const seriesWriterState = {
  bytes: 64,
  /** u32: array of labels, { u32 name, u32 value, u32 × 4 of the kernel's own }, and how many fit it. */
  labelsPtr: 0,
  labelsCapacity: 4,
  /** u32: so many labels hold what the kernel found of an earlier series. */
  knownLabels: 8,
  labelsCount: 16,
  hash: 20,
  /** u32: the record's bytes that are not read yet, and its end. */
  recordPtr: 24,
  recordEnd: 28,
  /** u32: where the entry begins that was read last. */
  entryPtr: 32,
  /** u32: bit 0 = creates nothing, bit 1 = tells of every series. */
  mode: 36,
  /** u32: no series is created while so many exist. */
  seriesMax: 40,
  /** u32: series created since `open`, and the highest ref of those. */
  created: 44,
  highestRef: 48,
  ref: 52,
  /** f64. */
  logRef: 56,
  labelBytes: 24,
} as const;

const state = seriesWriterState;
const labelWords = state.labelBytes / 4;
const capacityMin = 64;

export interface SeriesRecordMode {
  /** Creates series that do not exist under their numbers in the log. */
  readonly creates: boolean;
  /** Stops at every series, not only at those that need a decision. */
  readonly isEach: boolean;
  readonly seriesMax: number;
}

/**
 * Finds and creates series by symbols of their labels, and reads the series records of a log. One per shared memory, main thread only: symbols, directory of
 * labels and posting lists are as src/tsdb/head describes them.
 */
export class SeriesWriter {
  readonly #exports: KernelExports;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #arena: Arena;
  readonly #ptr: number;

  /** Throws MemoryFullError. */
  constructor(exports: KernelExports, views: Views, arena: Arena) {
    this.#exports = exports;
    this.#u32 = views.u32;
    this.#f64 = views.f64;
    this.#arena = arena;
    this.#ptr = arena.allocateZeroed(state.bytes, "series writer");
    this.#makeRoom(capacityMin);
  }

  /** Begins a label set of `count` labels: `setSymbol` must follow for each of its 2 × `count` symbols. Throws MemoryFullError. */
  begin(count: number): void {
    this.#makeRoom(count);
    this.#set(state.labelsCount, count);
  }

  /** Symbol `i` of a label set: name, value, name, … sorted by name. */
  setSymbol(i: number, symbol: number): void {
    const label = (this.#get(state.labelsPtr) >>> 2) + labelWords * (i >>> 1);
    this.#u32[label + (i & 1)] = symbol;
    // What the kernel found of the label there before: of a name, or of a value.
    this.#u32[label + ((i & 1) === 0 ? 2 : 4)] = 0;
  }

  /** The ref of the series with the present labels, or 0. */
  find(): number {
    return this.#exports.seriesFind(this.#ptr) >>> 0;
  }

  /** Creates the series that was not found, under a ref that is free. Throws MemoryFullError; then nothing but empty lists is left behind. */
  add(ref: number): void {
    if (this.#exports.seriesAdd(this.#ptr, ref) === 0) throw new MemoryFullError("series", 0);
  }

  /** Makes a series impossible to find, whose labels have this hash. */
  remove(hash: number, ref: number): void {
    this.#exports.unindexSeries(hash, ref);
  }

  /** Begins a series record of `bytes` at `ptr`, type byte included: `next` reads it. */
  open(ptr: number, bytes: number): void {
    this.#set(state.recordPtr, ptr + 1);
    this.#set(state.recordEnd, ptr + bytes);
    this.#set(state.created, 0);
    this.#set(state.highestRef, 0);
    // Symbols may have been freed since.
    this.#set(state.knownLabels, 0);
  }

  /** Reads on until there is something to tell. Throws MemoryFullError. */
  next({ creates, isEach, seriesMax }: SeriesRecordMode): SeriesEvent {
    this.#set(state.mode, (creates ? 0 : 1) | (isEach ? 2 : 0));
    this.#set(state.seriesMax, seriesMax);
    for (;;) {
      const event = this.#exports.readSeriesRecord(this.#ptr);
      if (event === seriesEvent.full) throw new MemoryFullError("series", 0);
      if (event !== tooManyLabels) return event as SeriesEvent;
      this.#makeRoom(this.#get(state.labelsCount));
    }
  }

  /** The number in the log of the entry that was read last. */
  get logRef(): number {
    return this.#f64[(this.#ptr + state.logRef) / 8]!;
  }

  /** The series of the entry that was read last, 0 when it is missing. */
  get ref(): number {
    return this.#get(state.ref);
  }

  /** Where the entry that was read last lies, from its number to its last label. */
  get entry(): { start: number; end: number } {
    return { start: this.#get(state.entryPtr), end: this.#get(state.recordPtr) };
  }

  /** Series created since `open` without being told of, or told of, and the highest ref of those. */
  get created(): { count: number; highestRef: number } {
    return { count: this.#get(state.created), highestRef: this.#get(state.highestRef) };
  }

  #makeRoom(count: number): void {
    const before = this.#get(state.labelsCapacity);
    if (count <= before) return;
    const capacity = Math.max(count, 2 * before);
    const ptr = this.#arena.allocateZeroed(capacity * state.labelBytes, "series writer");
    this.#arena.free(this.#get(state.labelsPtr), before * state.labelBytes);
    this.#set(state.labelsPtr, ptr);
    this.#set(state.labelsCapacity, capacity);
    this.#set(state.knownLabels, 0);
  }

  #get(offset: number): number {
    return this.#u32[(this.#ptr + offset) >>> 2]!;
  }

  #set(offset: number, value: number): void {
    this.#u32[(this.#ptr + offset) >>> 2] = value;
  }
}
