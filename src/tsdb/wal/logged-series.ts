import { type Disk, NarthexError } from "../../base/index.ts";
import type { Head } from "../head/head.ts";
import type { SegmentReadAhead } from "./read-ahead.ts";
import { SegmentReader } from "./reader.ts";
import { recordType } from "./record.ts";
import { keptRefMax, RefNumbering } from "./ref-numbering.ts";
import type { Segment } from "./segment.ts";
import { readSeriesRecord } from "./series-record.ts";

/** The event loop gets its turn after so much work. */
const sliceMs = 20;

/** Series that were created from a log before its samples are read. */
export interface LoggedSeries {
  readonly numbering: RefNumbering;
  readonly count: number;
  /** Whether each ref of the log means one series throughout, which is in the head: under that ref, or under the other one that `numbering` knows. */
  readonly isSettled: boolean;
}

/**
 * Creates the series of a log in an empty head, under the refs that they have there, as far as these can be kept. Who appends to them before their samples are
 * read then uses the same refs, and their chunks in files stay theirs. What is damaged is left to the replay, which reads it again. Throws the disk's errors.
 */
export function createLoggedSeries(head: Head, disk: Disk, segments: readonly Segment[]): LoggedSeries {
  const series = new SeriesOfLog(head);
  for (const { path } of segments) {
    const reader = new SegmentReader(head.kernel, disk, path, { onlyType: recordType.series });
    try {
      for (let record = reader.next(); record !== undefined; record = reader.next()) series.add(record);
    } finally {
      reader.close();
    }
  }
  series.settle();
  return series;
}

/** The same for a log that another thread reads. Rejects with `canceled`, too. */
export async function createSeriesAhead(
  head: Head,
  ahead: SegmentReadAhead,
  isCancelled: () => boolean,
): Promise<LoggedSeries> {
  const series = new SeriesOfLog(head);
  const { u8 } = head.kernel.views;
  let sliceStartMs = performance.now();
  for (let part = await ahead.next(); part?.type === "records"; part = await ahead.next()) {
    let at = part.ptr;
    for (const length of part.lengths) {
      series.add(u8.subarray(at, at + length));
      at += length;
      if (performance.now() - sliceStartMs < sliceMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      if (isCancelled()) throw new NarthexError("canceled", "the replay was cut short");
      sliceStartMs = performance.now();
    }
    ahead.giveBack();
  }
  series.settle();
  return series;
}

class SeriesOfLog implements LoggedSeries {
  readonly numbering: RefNumbering;
  isSettled = true;
  readonly #head: Head;
  /** Refs of the log whose series has another ref in the head. */
  readonly #aliases = new Map<number, number>();
  readonly #countBefore: number;

  constructor(head: Head) {
    this.#head = head;
    this.#countBefore = head.seriesCount;
    this.numbering = new RefNumbering(head, true);
  }

  get count(): number {
    return this.#head.seriesCount - this.#countBefore;
  }

  /** Takes a record in the shared memory; those of other types are passed over. */
  add(record: Uint8Array): void {
    if (record[0] !== recordType.series) return;
    const options = { creates: true, isEach: () => false };
    try {
      readSeriesRecord(this.#head, record, options, ({ logRef, ref }) => {
        if (ref !== 0) this.#note(logRef, ref);
        else if (this.numbering.keeps(logRef)) this.#head.create(logRef);
        else this.isSettled = false;
      });
    } catch (error) {
      this.isSettled = false;
      // Malformed, or the memory is full: the replay finds that as well, and says so.
      const isFull = error instanceof NarthexError && error.code === "unavailable";
      if (!isFull && !(error instanceof RangeError)) throw error;
    }
  }

  /** To be called after the last record. */
  settle(): void {
    for (const logRef of this.#aliases.keys())
      if (logRef > keptRefMax || this.#head.hasSeries(logRef)) this.isSettled = false;
    if (this.isSettled) for (const [logRef, ref] of this.#aliases) this.numbering.note(logRef, ref);
  }

  #note(logRef: number, ref: number): void {
    if (ref === logRef) return;
    if ((this.#aliases.get(logRef) ?? ref) !== ref) this.isSettled = false;
    this.#aliases.set(logRef, ref);
  }
}
