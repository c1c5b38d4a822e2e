import {
  type Kernel,
  layout,
  type SampleBatch,
  type SampleStatus,
  sampleStatus,
} from "../../kernel/index.ts";
import type { Head } from "../head/head.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
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

/** Histograms gathered before they have to be flushed, and those of a record. */
const histogramsMax = 16_384;

/** A float of a series that has histograms as well. */
type FloatBetween = Pick<FloatEntry, "timestampMs" | "bits">;

/** Native histograms on their way from the log into the head, and the floats between them. */
export class HistogramWindow {
  appended = 0;
  unknownSeries = 0;
  readonly #options: WindowOptions;
  readonly #kernel: Kernel;
  readonly #histograms = new Map<number, HistogramEntry[]>();
  readonly #floats = new Map<number, FloatBetween[]>();
  /** Takes one float after the other. */
  readonly #single: SampleBatch;
  #count = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#kernel = options.head.kernel;
    this.#single = this.#kernel.createSampleBatch(1);
  }

  get isFull(): boolean {
    return this.#count >= histogramsMax;
  }

  close(): void {
    this.#single.close();
  }

  /**
   * Takes the histograms of a record; `refs` leads from refs of the log to refs of the head, where they differ. Returns how many are of schemas that
   * are not known, and left out. Throws RangeError when the record is malformed; then none is taken.
   */
  add(record: Uint8Array, refs: ReadonlyMap<number, number>): number {
    const { entries, skipped } = decodeHistogramRecord(record);
    for (const entry of entries) {
      const own = entry.ref >= 0 && entry.ref <= layout.seriesRefMax ? entry.ref : 0;
      const ref = refs.get(entry.ref) ?? own;
      const known = this.#histograms.get(ref);
      if (known) known.push({ ...entry, ref });
      else this.#histograms.set(ref, [{ ...entry, ref }]);
    }
    this.#count += entries.length;
    return skipped;
  }

  /** Takes those floats out of the batch, by their status, whose series have histograms here: they are appended in their places. */
  claim(batch: SampleBatch): void {
    if (this.#histograms.size === 0) return;
    const { refs, timestamps, status, valueBits, count } = batch;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      if (status[i] !== sampleStatus.ok || !this.#histograms.has(ref)) continue;
      status[i] = sampleStatus.repeated;
      const float = { timestampMs: timestamps[i]!, bits: valueBits[i]! };
      const known = this.#floats.get(ref);
      if (known) known.push(float);
      else this.#floats.set(ref, [float]);
    }
  }

  /** Appends everything gathered, series by series in the order of time. */
  flush(): void {
    for (const [ref, histograms] of this.#histograms) {
      const floats = this.#floats.get(ref) ?? [];
      const samples = [...floats, ...histograms].sort((a, b) => a.timestampMs - b.timestampMs);
      for (const sample of samples) this.#append(ref, sample);
    }
    this.#histograms.clear();
    this.#floats.clear();
    this.#count = 0;
  }

  #append(ref: number, sample: FloatBetween | HistogramEntry): void {
    const { head, chunkRangeMs, minValidTimeMs } = this.#options;
    const { timestampMs } = sample;
    if (timestampMs < minValidTimeMs) return;
    const status =
      "bits" in sample ? this.#appendFloat(ref, sample) : head.histograms.append(sample, chunkRangeMs);
    if (status === sampleStatus.ok) {
      this.appended++;
      head.coverTimes(timestampMs, timestampMs);
    } else if (status === sampleStatus.unknownSeries) {
      this.unknownSeries++;
      // A new series with this number would be taken for theirs the next time.
      head.skipRef(ref);
    }
  }

  #appendFloat(ref: number, { timestampMs, bits }: FloatBetween): SampleStatus {
    this.#single.clear();
    this.#single.pushBits(ref, timestampMs, bits);
    this.#single.append(this.#options);
    return this.#single.status[0] as SampleStatus;
  }
}
