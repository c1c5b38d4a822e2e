import { type Kernel, type SampleStatus, sampleStatus, type TimeBounds } from "../../kernel/index.ts";
import type { FloatEntry } from "../wal/float-record.ts";
import { appendFloat, checkFloat, type ChunkLength } from "./float-entry.ts";
import type { HistogramEntry, HistogramWriter } from "./histogram-writer.ts";
import { newestSampleMs } from "./newest-sample.ts";

/** A sample that goes into the head by itself. */
export type SampleEntry = HistogramEntry | FloatEntry;

/** Where entries go: the head. */
export interface EntryWriters {
  readonly kernel: Kernel;
  readonly histograms: HistogramWriter;
}

export function isFloatEntry(entry: SampleEntry): entry is FloatEntry {
  return "bits" in entry;
}

/** Native histograms, and floats with start timestamps, on their way into the head: what a `SampleBatch` is to other floats. */
export class EntryBatch {
  readonly #writers: EntryWriters;
  readonly entries: SampleEntry[] = [];
  /** Milliseconds, of each entry. */
  readonly timestamps: number[] = [];
  /** A `SampleStatus` per entry, set by `check` and `append`. */
  readonly status: SampleStatus[] = [];

  constructor(writers: EntryWriters) {
    this.#writers = writers;
  }

  get count(): number {
    return this.entries.length;
  }

  push(entry: SampleEntry): void {
    this.entries.push(entry);
    this.timestamps.push(entry.timestampMs);
    this.status.push(sampleStatus.ok);
  }

  /** Sets each entry's status against its series' newest sample and the bounds. Stores nothing, and notes what will be. */
  check(bounds: TimeBounds): void {
    const { kernel } = this.#writers;
    this.entries.forEach((entry, i) => {
      if (entry.timestampMs < bounds.minValidTimeMs) this.status[i] = sampleStatus.outOfBounds;
      else if (entry.timestampMs > bounds.maxValidTimeMs) this.status[i] = sampleStatus.tooFarInFuture;
      else this.status[i] = this.#check(entry);
      // Until when the series has samples, for readers that are to see a commit whole or not at all.
      if (this.status[i] === sampleStatus.ok)
        kernel.exports.isolationNote(entry.ref, newestSampleMs(kernel, entry.ref));
    });
    kernel.exports.isolationShow();
  }

  /** The entries that are ok so far. */
  accepted(): { floats: FloatEntry[]; histograms: HistogramEntry[] } {
    const floats: FloatEntry[] = [];
    const histograms: HistogramEntry[] = [];
    this.entries.forEach((entry, i) => {
      if (this.status[i] !== sampleStatus.ok) return;
      if (isFloatEntry(entry)) floats.push(entry);
      else histograms.push(entry);
    });
    return { floats, histograms };
  }

  /** Appends the ok entries to their series, checking order again: a series may occur twice. */
  append(length: ChunkLength): void {
    this.entries.forEach((entry, i) => {
      if (this.status[i] === sampleStatus.ok) this.status[i] = appendEntry(this.#writers, entry, length);
    });
  }

  #check(entry: SampleEntry): SampleStatus {
    const { kernel, histograms } = this.#writers;
    return isFloatEntry(entry) ? checkFloat(kernel, entry) : histograms.check(entry);
  }
}

/** Appends the sample if it can be the newest of its series. */
export function appendEntry(writers: EntryWriters, entry: SampleEntry, length: ChunkLength): SampleStatus {
  return isFloatEntry(entry)
    ? appendFloat(writers.kernel, entry, length)
    : writers.histograms.append(entry, length.chunkRangeMs);
}
