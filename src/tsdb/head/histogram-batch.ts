import { type SampleStatus, sampleStatus, type TimeBounds } from "../../kernel/index.ts";
import type { HistogramEntry, HistogramWriter } from "./histogram-writer.ts";

/** Native histograms on their way into the head: what a `SampleBatch` is to floats. */
export class HistogramBatch {
  readonly #writer: HistogramWriter;
  readonly entries: HistogramEntry[] = [];
  /** Milliseconds, of each entry. */
  readonly timestamps: number[] = [];
  /** A `SampleStatus` per entry, set by `check` and `append`. */
  readonly status: SampleStatus[] = [];

  constructor(writer: HistogramWriter) {
    this.#writer = writer;
  }

  get count(): number {
    return this.entries.length;
  }

  push(entry: HistogramEntry): void {
    this.entries.push(entry);
    this.timestamps.push(entry.timestampMs);
    this.status.push(sampleStatus.ok);
  }

  /** Sets each entry's status against its series' newest sample and the bounds. Stores nothing, and notes what will be. */
  check(bounds: TimeBounds): void {
    this.entries.forEach((entry, i) => {
      if (entry.timestampMs < bounds.minValidTimeMs) this.status[i] = sampleStatus.outOfBounds;
      else if (entry.timestampMs > bounds.maxValidTimeMs) this.status[i] = sampleStatus.tooFarInFuture;
      else this.status[i] = this.#writer.check(entry);
      if (this.status[i] === sampleStatus.ok) this.#writer.note(entry.ref);
    });
    this.#writer.showNotes();
  }

  /** The entries that are ok so far. */
  accepted(): HistogramEntry[] {
    return this.entries.filter((_, i) => this.status[i] === sampleStatus.ok);
  }

  /** Appends the ok entries to their series, checking order again: a series may occur twice. */
  append({ chunkRangeMs }: { chunkRangeMs: number }): void {
    this.entries.forEach((entry, i) => {
      if (this.status[i] === sampleStatus.ok) this.status[i] = this.#writer.append(entry, chunkRangeMs);
    });
  }
}
