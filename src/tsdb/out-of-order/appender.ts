import type { Clock } from "../../base/index.ts";
import { MemoryFullError, type SampleBatch, type SampleStatus, sampleStatus } from "../../kernel/index.ts";
import type { BatchPool } from "../head/batch-pool.ts";
import { EntryBatch, isFloatEntry } from "../head/entry-batch.ts";
import type { Head } from "../head/head.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import type { FloatEntry } from "../wal/float-record.ts";
import type { OutOfOrderLog } from "./log.ts";

export interface OutOfOrderAppenderOptions {
  head: Head;
  log: OutOfOrderLog;
  pool: BatchPool;
  clock: Clock;
  /** Hears of how much older than the head's newest sample one was. */
  onDelta?: (seconds: number) => void;
}

/** Takes the samples that the head refused because newer ones of their series, or of all, were there. Main thread only. */
export class OutOfOrderAppender {
  /** How much older than the head's newest a sample may be; 0 takes none. */
  windowMs = 0;
  readonly #options: OutOfOrderAppenderOptions;

  constructor(options: OutOfOrderAppenderOptions) {
    this.#options = options;
  }

  /**
   * Logs and stores what was refused as far as it is within the window, and sets its status: `late`, or `tooOld` beyond the window. Throws `unavailable`
   * when something cannot be logged; then it is as refused as it was.
   */
  take(batches: readonly (SampleBatch | EntryBatch)[]): void {
    if (this.windowMs === 0) return;
    const { head, clock } = this.#options;
    const newestMs = Math.min(head.maxTimeMs, clock.nowMs());
    const minMs = newestMs - this.windowMs;
    for (const batch of batches) {
      markTooOld(batch, minMs);
      if (batch instanceof EntryBatch) this.#takeEntries(batch, newestMs);
      else this.#takeFrom(batch, newestMs);
    }
  }

  #takeFrom(batch: SampleBatch, newestMs: number): void {
    const late: number[] = [];
    for (let i = 0; i < batch.count; i++)
      if (isRefused(batch.status[i]!) && this.#options.head.hasSeries(batch.refs[i]!)) late.push(i);
    if (late.length === 0) return;
    const { refs, timestamps, valueBits } = batch;
    this.#log(late.map((i) => ({ ref: refs[i]!, timestampMs: timestamps[i]!, bits: valueBits[i]! })));
    for (const i of late) {
      batch.status[i] = this.#insert(refs[i]!, timestamps[i]!, valueBits[i]!);
      if (batch.status[i] === sampleStatus.late)
        this.#options.onDelta?.((newestMs - batch.timestamps[i]!) / 1000);
    }
  }

  /** Since when they count is not kept of floats that come out of order. */
  #takeEntries({ entries, status }: EntryBatch, newestMs: number): void {
    const { head, log, onDelta } = this.#options;
    const late = [...entries.keys()].filter((i) => isRefused(status[i]!) && head.hasSeries(entries[i]!.ref));
    const refused = late.map((i) => entries[i]!);
    const floats = refused.filter(isFloatEntry);
    const histograms = refused.filter((entry): entry is HistogramEntry => !isFloatEntry(entry));
    if (floats.length > 0) this.#log(floats);
    if (histograms.length > 0) log.writeHistograms(histograms);
    for (const i of late) {
      const entry = entries[i]!;
      status[i] = isFloatEntry(entry)
        ? this.#insert(entry.ref, entry.timestampMs, entry.bits)
        : statusOf(() => head.outOfOrder.insertHistogram(entry));
      if (status[i] === sampleStatus.late) onDelta?.((newestMs - entry.timestampMs) / 1000);
    }
  }

  #log(late: Iterable<Pick<FloatEntry, "ref" | "timestampMs" | "bits">>): void {
    const { log, pool } = this.#options;
    const copy = pool.take();
    try {
      for (const { ref, timestampMs, bits } of late) {
        copy.pushBits(ref, timestampMs, bits);
        if (copy.count < copy.capacity) continue;
        log.write(copy);
        copy.clear();
      }
      if (copy.count > 0) log.write(copy);
    } finally {
      pool.give(copy);
    }
  }

  #insert(ref: number, timestampMs: number, bits: bigint): SampleStatus {
    const low = Number(bits & 0xffffffffn);
    const high = Number(bits >> 32n);
    return statusOf(() => this.#options.head.outOfOrder.insert(ref, timestampMs, low, high));
  }
}

function statusOf(insert: () => boolean): SampleStatus {
  try {
    return insert() ? sampleStatus.late : sampleStatus.repeated;
  } catch (error) {
    if (!(error instanceof MemoryFullError)) throw error;
    return sampleStatus.memoryFull;
  }
}

function markTooOld({ count, timestamps, status }: SampleBatch | EntryBatch, minMs: number): void {
  for (let i = 0; i < count; i++)
    if (isRefused(status[i]!) && timestamps[i]! < minMs) status[i] = sampleStatus.tooOld;
}

function isRefused(status: number): boolean {
  return status === sampleStatus.outOfOrder || status === sampleStatus.outOfBounds;
}
