import { layout, type SampleBatch, sampleStatus } from "../../kernel/index.ts";
import { appendEntry, isFloatEntry, type SampleEntry } from "../head/entry-batch.ts";
import type { Head } from "../head/head.ts";
import type { FloatEntry } from "./float-record.ts";
import { decodeHistogramRecord } from "./histogram-record.ts";

/** Where what is gathered of the log goes. */
export interface WindowOptions {
  head: Head;
  chunkRangeMs: number;
  samplesPerChunk: number;
  /** Samples before are left out. */
  minValidTimeMs: number;
}

/** Entries gathered before they have to be flushed, and those of a record. */
const entriesMax = 16_384;

/** Native histograms, and floats with start timestamps, on their way from the log into the head, and the other floats between them. */
export class EntryWindow {
  appended = 0;
  /** Samples of series that there are not. */
  readonly unknownSeries = { floats: 0, histograms: 0 };
  readonly #options: WindowOptions;
  readonly #entries = new Map<number, SampleEntry[]>();
  readonly #floats = new Map<number, FloatEntry[]>();
  #count = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#count >= entriesMax;
  }

  /**
   * Takes the histograms of a record; `refs` leads from refs of the log to refs of the head, where they differ. Returns how many are of schemas that
   * are not known, and left out. Throws RangeError when the record is malformed; then none is taken.
   */
  addHistograms(record: Uint8Array, refs: ReadonlyMap<number, number>): number {
    const { entries, skipped } = decodeHistogramRecord(record);
    for (const entry of entries) this.#add({ ...entry, ref: headRef(entry.ref, refs) });
    return skipped;
  }

  /** Takes a float that keeps its start timestamp. */
  addFloat(entry: FloatEntry): void {
    this.#add(entry);
  }

  #add(entry: SampleEntry): void {
    const known = this.#entries.get(entry.ref);
    if (known) known.push(entry);
    else this.#entries.set(entry.ref, [entry]);
    this.#count++;
  }

  /** Takes those floats out of the batch, by their status, whose series have entries here: they are appended in their places. */
  claim(batch: SampleBatch): void {
    if (this.#entries.size === 0) return;
    const { refs, timestamps, status, valueBits, count } = batch;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      if (status[i] !== sampleStatus.ok || !this.#entries.has(ref)) continue;
      status[i] = sampleStatus.repeated;
      const float = { ref, timestampMs: timestamps[i]!, bits: valueBits[i]!, startTimestampMs: 0 };
      const known = this.#floats.get(ref);
      if (known) known.push(float);
      else this.#floats.set(ref, [float]);
    }
  }

  /** Appends everything gathered, series by series in the order of time. */
  flush(): void {
    for (const [ref, entries] of this.#entries) {
      const floats = this.#floats.get(ref) ?? [];
      const samples = [...floats, ...entries].sort((a, b) => a.timestampMs - b.timestampMs);
      for (const sample of samples) this.#append(sample);
    }
    this.#entries.clear();
    this.#floats.clear();
    this.#count = 0;
  }

  #append(sample: SampleEntry): void {
    const { head, minValidTimeMs } = this.#options;
    const { ref, timestampMs } = sample;
    if (timestampMs < minValidTimeMs) return;
    const status = appendEntry(head, sample, this.#options);
    if (status === sampleStatus.ok) {
      this.appended++;
      head.coverTimes(timestampMs, timestampMs);
    } else if (status === sampleStatus.unknownSeries) {
      this.unknownSeries[isFloatEntry(sample) ? "floats" : "histograms"]++;
      // A new series with this number would be taken for theirs the next time.
      head.skipRef(ref);
    }
  }
}

/** The head's ref for one of the log; 0 when it cannot have one. */
export function headRef(logRef: number, refs: ReadonlyMap<number, number>): number {
  return refs.get(logRef) ?? (logRef >= 0 && logRef <= layout.seriesRefMax ? logRef : 0);
}
