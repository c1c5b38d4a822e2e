import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { pageBytes, sampleStatus, slackBytes } from "./layout.ts";
import type { Views } from "./views.ts";

/** Upstream's limits on a head chunk. */
export interface AppendOptions {
  /** No chunk crosses a multiple of this. Default 2 h. */
  readonly chunkRangeMs?: number;
  /** Samples a chunk is meant to have. Default 120. */
  readonly samplesPerChunk?: number;
}

export interface TimeBounds {
  /** Samples before are out of bounds. */
  readonly minValidTimeMs: number;
  /** Samples after are too far in the future. */
  readonly maxValidTimeMs: number;
}

const chunkRangeMsDefault = 7_200_000;
const samplesPerChunkDefault = 120;
/** A sample of the WAL record: two varints of at most 10 bytes and the value; the record begins with 17 bytes. */
const recordSampleBytesMax = 28;
const recordHeaderBytes = 17;

/** Where the columns of a batch are in the shared memory, and for how many samples. */
export interface SampleColumns {
  readonly timestampsPtr: number;
  readonly valuesPtr: number;
  readonly refsPtr: number;
  readonly statusPtr: number;
  readonly capacity: number;
}

/** How samples of a log are read. */
export interface SampleReading {
  /** Samples before are left out. */
  readonly minTimeMs: number;
  /** Of samples up to then, those are left out whose series has a later one. */
  readonly storedUntilMs: number;
  /** A u32 for each of `count` refs of the log from `first` on: the ref that is to stand for it, or 0. */
  readonly aliases?: { readonly ptr: number; readonly first: number; readonly count: number };
}

const readAll: SampleReading = { minTimeMs: -Infinity, storedUntilMs: -Infinity };

/**
 * Samples on their way into the head, as columns in one span; written by `LineTable.resume` or `push`. The commit is
 * `check` → `encodeRecord` and the WAL write → `append`. Owned by who made it, who must `close` it; reusable after `clear`.
 */
export class SampleBatch {
  readonly #exports: KernelExports;
  readonly #views: Views;
  readonly #free: () => void;
  readonly capacity: number;
  readonly timestampsPtr: number;
  readonly valuesPtr: number;
  readonly refsPtr: number;
  readonly statusPtr: number;
  /** Milliseconds since the epoch, integers. */
  readonly timestamps: Float64Array<SharedArrayBuffer>;
  readonly values: Float64Array<SharedArrayBuffer>;
  /** The same memory as `values`, for NaN payloads such as the stale marker. */
  readonly valueBits: BigUint64Array<SharedArrayBuffer>;
  readonly refs: Uint32Array<SharedArrayBuffer>;
  /** A `SampleStatus` per sample, set by `check` and `append`. */
  readonly status: Uint8Array<SharedArrayBuffer>;
  count = 0;

  /** Over columns that somebody else has; `free` gives them back. */
  constructor(
    exports: KernelExports,
    views: Views,
    { timestampsPtr, valuesPtr, refsPtr, statusPtr, capacity }: SampleColumns,
    free: () => void = () => {},
  ) {
    this.#exports = exports;
    this.#views = views;
    this.#free = free;
    this.capacity = capacity;
    this.timestampsPtr = timestampsPtr;
    this.valuesPtr = valuesPtr;
    this.refsPtr = refsPtr;
    this.statusPtr = statusPtr;
    const { buffer } = views.u8;
    this.timestamps = new Float64Array(buffer, timestampsPtr, capacity);
    this.values = new Float64Array(buffer, valuesPtr, capacity);
    this.valueBits = new BigUint64Array(buffer, valuesPtr, capacity);
    this.refs = new Uint32Array(buffer, refsPtr, capacity);
    this.status = new Uint8Array(buffer, statusPtr, capacity);
  }

  /** A batch with columns of its own. Throws MemoryFullError. */
  static allocate(exports: KernelExports, views: Views, readerSlot: number, samples: number): SampleBatch {
    const capacity = Math.ceil(samples / 16) * 16;
    const bytes = Math.ceil((capacity * 21 + slackBytes) / pageBytes) * pageBytes;
    const ptr = exports.allocateSpan(bytes, readerSlot) >>> 0;
    if (ptr === 0) throw new MemoryFullError("sample batch", bytes);
    const columns = {
      timestampsPtr: ptr,
      valuesPtr: ptr + capacity * 8,
      refsPtr: ptr + capacity * 16,
      statusPtr: ptr + capacity * 20,
      capacity,
    };
    return new SampleBatch(exports, views, columns, () => exports.freeSpan(ptr, bytes, readerSlot));
  }

  /** Where its columns are. */
  get columns(): SampleColumns {
    const { timestampsPtr, valuesPtr, refsPtr, statusPtr, capacity } = this;
    return { timestampsPtr, valuesPtr, refsPtr, statusPtr, capacity };
  }

  /** The samples from index `start` on, at most `count`, as a batch; to be used as long as this one. */
  part(start: number, count: number): SampleBatch {
    const capacity = Math.min(count, this.count - start);
    const columns = {
      timestampsPtr: this.timestampsPtr + start * 8,
      valuesPtr: this.valuesPtr + start * 8,
      refsPtr: this.refsPtr + start * 4,
      statusPtr: this.statusPtr + start,
      capacity,
    };
    const part = new SampleBatch(this.#exports, this.#views, columns);
    part.count = capacity;
    return part;
  }

  /** Adds a sample; false if the batch is full. */
  push(ref: number, timestampMs: number, value: number): boolean {
    const index = this.count;
    if (index === this.capacity) return false;
    this.refs[index] = ref;
    this.timestamps[index] = timestampMs;
    this.values[index] = value;
    this.status[index] = sampleStatus.ok;
    this.count = index + 1;
    return true;
  }

  /** As `push`, with the value's bits: for stale markers. */
  pushBits(ref: number, timestampMs: number, valueBits: bigint): boolean {
    if (!this.push(ref, timestampMs, 0)) return false;
    this.valueBits[this.count - 1] = valueBits;
    return true;
  }

  clear(): void {
    this.count = 0;
  }

  /** Sets each sample's status against its series' newest sample and the bounds; returns how many are ok. Stores nothing. */
  check(bounds: TimeBounds): number {
    return this.#exports.checkBatch(
      this.refsPtr,
      this.timestampsPtr,
      this.valuesPtr,
      this.statusPtr,
      this.count,
      bounds.minValidTimeMs,
      bounds.maxValidTimeMs,
    );
  }

  /** Enough room for `encodeRecord`, in bytes. */
  get recordBytesMax(): number {
    return recordHeaderBytes + this.count * recordSampleBytesMax;
  }

  /** Writes the ok samples as upstream's WAL samples record (type 2); returns its bytes, 0 when none is ok or `capacity` is too small. */
  encodeRecord(outPtr: number, capacity: number): number {
    return this.#exports.encodeSamplesRecord(
      this.refsPtr,
      this.timestampsPtr,
      this.valuesPtr,
      this.statusPtr,
      this.count,
      outPtr,
      capacity,
    );
  }

  /**
   * Fills the batch from a WAL samples record (refs as the record has them, status ok); returns the samples read. Throws RangeError
   * with the reason if the record is damaged or a ref exceeds 32 bits, and when the batch is too small (see `recordSamplesMax`).
   */
  decodeRecord(recordPtr: number, recordBytes: number): number {
    this.count = 0;
    const read = this.addRecord(recordPtr, recordBytes);
    if (read < 0) throw new RangeError(recordErrors[-read] ?? "damaged samples record");
    this.status.fill(sampleStatus.ok, 0, read);
    return read;
  }

  /** An upper bound of the samples in a record of so many bytes. */
  static recordSamplesMax(recordBytes: number): number {
    return Math.ceil(recordBytes / 10);
  }

  /** As `decodeRecord`, behind the samples there are. Returns the samples taken; a negative number tells that none was because of damage or large refs. */
  addRecord(
    recordPtr: number,
    recordBytes: number,
    { minTimeMs, storedUntilMs, aliases }: SampleReading = readAll,
  ): number {
    const at = this.count;
    const taken = this.#exports.decodeSamplesRecord(
      recordPtr,
      recordBytes,
      this.refsPtr + 4 * at,
      this.timestampsPtr + 8 * at,
      this.valuesPtr + 8 * at,
      this.capacity - at,
      minTimeMs,
      storedUntilMs,
      aliases?.ptr ?? 0,
      aliases?.first ?? 0,
      aliases?.count ?? 0,
    );
    this.count = at + Math.max(taken, 0);
    return taken;
  }

  /**
   * Puts the samples into `sorted`, which is as large, in the order of their refs; those of a ref stay in their order. Needs `positions`, u32 for as many numbers as
   * the refs spread over; false, and nothing done, when those are too few.
   */
  orderBySeries(sorted: SampleBatch, positions: { readonly ptr: number; readonly count: number }): boolean {
    const isDone = this.#exports.orderBySeries(
      this.refsPtr,
      this.timestampsPtr,
      this.valuesPtr,
      this.count,
      sorted.refsPtr,
      sorted.timestampsPtr,
      sorted.valuesPtr,
      positions.ptr,
      positions.count,
    );
    if (isDone === 1) sorted.count = this.count;
    return isDone === 1;
  }

  /**
   * Appends the ok samples to their series' chunks, checking order again (a series may occur twice in a batch: what no longer fits
   * gets its status). On exhaustion of memory the remaining ok ones get `memoryFull`. Returns the samples appended.
   */
  append(options: AppendOptions = {}): number {
    return this.#exports.appendBatch(
      this.refsPtr,
      this.timestampsPtr,
      this.valuesPtr,
      this.statusPtr,
      this.count,
      options.chunkRangeMs ?? chunkRangeMsDefault,
      options.samplesPerChunk ?? samplesPerChunkDefault,
    );
  }

  close(): void {
    this.#free();
  }
}

const recordErrors: Record<number, string> = {
  1: "samples record is truncated",
  2: "samples record has a type other than 2",
  3: "samples record names a series ref beyond 32 bits",
  4: "samples record has more samples than the batch has room for",
};
