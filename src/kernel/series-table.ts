import { assert } from "../base/index.ts";
import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { control, type SampleStatus, seriesRefMax, slot } from "./layout.ts";
import type { AppendOptions } from "./sample-batch.ts";
import type { Views } from "./views.ts";

/** One of `count` parts of all series, by the hash of their labels. */
export interface LabelShare {
  readonly index: number;
  readonly count: number;
  /** Symbols of the label names that do not count: name, type and unit of the metric; 0 where nobody has the label. */
  readonly describing: readonly [name: number, type: number, unit: number];
}

/**
 * Series slots by ref, 1 … seriesRefMax. Any thread may look a slot up; only the main thread creates and releases. The table does
 * not decide on refs: the head picks them (the next one, a freed one once no reader can know it, or the one a WAL names).
 */
export class SeriesTable {
  readonly #exports: KernelExports;
  readonly #views: Views;

  constructor(exports: KernelExports, views: Views) {
    this.#exports = exports;
    this.#views = views;
  }

  /** The highest ref ever created in this memory; 0 = none. */
  get highestRef(): number {
    return Atomics.load(this.#views.u32, control.seriesHighestRef >>> 2);
  }

  get count(): number {
    return Atomics.load(this.#views.u32, control.seriesCount >>> 2);
  }

  /** Chunks of all series, open ones included. */
  get chunkCount(): number {
    return Atomics.load(this.#views.u32, control.chunkCount >>> 2);
  }

  /**
   * Pointer to the slot of `ref`, or 0 if its page does not exist. A slot with labelsPtr 0 is free; refs that differ by the number of slots
   * share one, which says whose it is.
   */
  slot(ref: number): number {
    if (ref > seriesRefMax) return 0;
    const page = Atomics.load(
      this.#views.u32,
      (control.seriesDirectory >>> 2) + (Math.floor(ref / slot.perPage) % slot.pagesMax),
    );
    return page === 0 ? 0 : page + (ref % slot.perPage) * slot.bytes;
  }

  /** Pointer to the labels of `ref`, or 0 if there is no such series. */
  labelsPtr(ref: number): number {
    const ptr = this.slot(ref);
    if (ptr === 0) return 0;
    const labelsPtr = Atomics.load(this.#views.u32, (ptr + slot.labelsPtr) >>> 2);
    return Atomics.load(this.#views.u32, (ptr + slot.ref) >>> 2) === ref ? labelsPtr : 0;
  }

  /** Whether no series has the slot of `ref`, under whichever ref. */
  isFree(ref: number): boolean {
    const ptr = this.slot(ref);
    return ptr === 0 || Atomics.load(this.#views.u32, (ptr + slot.labelsPtr) >>> 2) === 0;
  }

  /** Fills the free slot of `ref` and returns its pointer; the labels are published last. Throws MemoryFullError. */
  create(ref: number, labelsPtr: number): number {
    assert(ref >= 1 && ref <= seriesRefMax, "series ref in range");
    const ptr = this.#exports.seriesCreate(ref, labelsPtr) >>> 0;
    if (ptr === 0) throw new MemoryFullError("series", slot.bytes * slot.perPage);
    return ptr;
  }

  /** Zeroes the slot and retires its chunks. The labels stay the caller's to retire. */
  release(ref: number): void {
    this.#exports.seriesRelease(ref);
  }

  /** Drops closed chunks that end before `minTimestampMs` (retired, not freed); returns how many. */
  truncate(ref: number, minTimestampMs: number): number {
    return this.#exports.seriesTruncate(ref, minTimestampMs);
  }

  /**
   * Appends one sample of which it is known since when it counts, as `SampleBatch.append` does with others. 0 is for those between them of which it is not known.
   */
  appendStarted(
    ref: number,
    timestampMs: number,
    valueBits: bigint,
    startTimestampMs: number,
    { chunkRangeMs, samplesPerChunk }: Required<AppendOptions>,
  ): SampleStatus {
    const sample = [ref, timestampMs, valueBits, startTimestampMs] as const;
    return this.#exports.appendStarted(...sample, chunkRangeMs, samplesPerChunk) as SampleStatus;
  }

  /** Closes the open chunk, so that its bytes are final; false if there is none. */
  closeChunk(ref: number): boolean {
    return this.#exports.seriesCloseChunk(ref) === 1;
  }

  /** Pointers to the chunks of `ref`, newest first. Readers call it inside an epoch. */
  chunkPtrs(ref: number): number[] {
    const { u32 } = this.#views;
    const slotPtr = this.slot(ref);
    const ptrs: number[] = [];
    if (slotPtr === 0) return ptrs;
    // The first word of a chunk is the pointer to the next older one.
    for (
      let ptr = Atomics.load(u32, (slotPtr + slot.chunkPtr) >>> 2);
      ptr !== 0;
      ptr = Atomics.load(u32, ptr >>> 2)
    )
      ptrs.push(ptr);
    return ptrs;
  }

  /**
   * Keeps, of `count` refs at `refsPtr`, those of series that exist, are in the share and have a chunk that reaches into the time range (without one: any).
   * Writes them to `refsOut` and the addresses of their labels to `labelsOut`, which have room for all; returns how many. Readers call it inside an epoch.
   */
  filter(
    refsPtr: number,
    count: number,
    share: LabelShare | undefined,
    range: { minTimestampMs: number; maxTimestampMs: number } | undefined,
    refsOut: number,
    labelsOut: number,
  ): number {
    const [name, type, unit] = share?.describing ?? [0, 0, 0];
    return this.#exports.filterSeries(
      refsPtr,
      count,
      share?.index ?? 0,
      share?.count ?? 1,
      name,
      type,
      unit,
      range?.minTimestampMs ?? 0,
      range?.maxTimestampMs ?? 0,
      range === undefined ? 1 : 0,
      refsOut,
      labelsOut,
    );
  }

  /** An upper bound of the samples in chunks that overlap [min, max]: the capacity that `decodeSeries` wants. */
  sampleCount(ref: number, minTimestampMs: number, maxTimestampMs: number): number {
    return this.#exports.seriesSampleCount(ref, minTimestampMs, maxTimestampMs);
  }
}
