import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import { type Interval, joinIntervals } from "../block/tombstones.ts";
import { findPair, forEachPair, insertPair, removePair } from "./pair-table.ts";

const rootIndex = layout.headWord.tombstones >>> 2;
/** Keys of a pair table below are taken. */
const keyOffset = 1;
/** { u32 count, u32 0, (f64 minMs, f64 maxMs) × count }, in order, neither touching nor overlapping. */
const headerBytes = 8;
const intervalBytes = 16;

/** What is deleted of a series. */
export interface Stone {
  readonly ref: number;
  readonly interval: Interval;
}

/** What is deleted of the head's series, in the shared memory. Main thread only; others read with `deletedIntervals`. */
export class HeadTombstones {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Deletes an interval of a series, joining it with those it touches. Throws MemoryFullError. */
  add({ ref, interval }: Stone): void {
    this.#replace(ref, joinIntervals([...(deletedIntervals(this.#kernel.views, ref) ?? []), interval]));
  }

  /** All there are, by series. */
  stones(): Stone[] {
    return this.#refs().flatMap((ref) =>
      deletedIntervals(this.#kernel.views, ref)!.map((interval) => ({ ref, interval })),
    );
  }

  /** Forgets intervals that end before `minTimeMs`, and those of series that are gone. Throws MemoryFullError. */
  truncate(minTimeMs: number, hasSeries: (ref: number) => boolean): void {
    for (const ref of this.#refs()) {
      const intervals = deletedIntervals(this.#kernel.views, ref)!;
      const kept = hasSeries(ref)
        ? intervals.filter(({ maxTimestampMs }) => maxTimestampMs >= minTimeMs)
        : [];
      if (kept.length < intervals.length) this.#replace(ref, kept);
    }
  }

  #refs(): number[] {
    const { u32 } = this.#kernel.views;
    const refs: number[] = [];
    forEachPair(u32, u32[rootIndex]!, (key) => refs.push(key - keyOffset));
    return refs;
  }

  #replace(ref: number, intervals: readonly Interval[]): void {
    const { arena, views } = this.#kernel;
    const { u32 } = views;
    const fresh = intervals.length > 0 ? this.#write(intervals) : 0;
    const at = insertPair(this.#kernel, rootIndex, ref + keyOffset);
    const old = u32[at]!;
    Atomics.store(u32, at, fresh);
    if (old !== 0) arena.retire(old, headerBytes + intervalBytes * u32[old >>> 2]!);
    if (fresh === 0) removePair(u32, u32[rootIndex]!, ref + keyOffset);
  }

  #write(intervals: readonly Interval[]): number {
    const { arena, views } = this.#kernel;
    const ptr = arena.allocate(headerBytes + intervalBytes * intervals.length, "tombstones");
    views.u32[ptr >>> 2] = intervals.length;
    intervals.forEach(({ minTimestampMs, maxTimestampMs }, i) => {
      const at = (ptr + headerBytes + intervalBytes * i) / 8;
      views.f64[at] = minTimestampMs;
      views.f64[at + 1] = maxTimestampMs;
    });
    return ptr;
  }
}

/** What is deleted of a series of the head, on any thread within an epoch; undefined when nothing is. */
export function deletedIntervals({ u32, f64 }: Views, ref: number): Interval[] | undefined {
  const table = Atomics.load(u32, rootIndex);
  const at = table === 0 ? 0 : findPair(u32, table, ref + keyOffset);
  const ptr = at === 0 ? 0 : Atomics.load(u32, at);
  if (ptr === 0) return undefined;
  return Array.from({ length: u32[ptr >>> 2]! }, (_, i) => {
    const start = (ptr + headerBytes + intervalBytes * i) / 8;
    return { minTimestampMs: f64[start]!, maxTimestampMs: f64[start + 1]! };
  });
}
