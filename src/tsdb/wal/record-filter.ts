import { layout, SampleBatch, sampleStatus, sharedPtr } from "../../kernel/index.ts";
import type { MetricMetadata } from "../../model/index.ts";
import type { Head } from "../head/head.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import { decodeExemplars } from "./exemplar-record.ts";
import { decodeFloatRecord, encodeFloatRecord } from "./float-record.ts";
import { decodeHistogramRecord, isHistogramRecord } from "./histogram-record.ts";
import { decodeMetadata, type MetadataEntry } from "./metadata-record.ts";
import { recordType } from "./record.ts";
import { readSeriesRecord } from "./series-record.ts";
import { decodeTombstoneRecord, encodeTombstoneRecord } from "./tombstone-record.ts";

const batchSamples = 16_384;
const findEach = { creates: false, isEach: () => true };

/** Takes from the log's records what is still needed, for a checkpoint: series of the head, and what is of them from a time on. Who made it must `close` it. */
export class RecordFilter {
  readonly #head: Head;
  readonly #minTimeMs: number;
  readonly #checkpoint: CheckpointWriter;
  #batch: SampleBatch;
  /** Refs that stand in the log for a series that has another ref in the head. */
  readonly #aliases = new Set<number>();
  /** What is known of the metrics of series: of what the log says about one, the last thing holds. */
  readonly #metadata = new Map<number, MetricMetadata>();

  /** Samples before `minTimeMs` are left out. */
  constructor(head: Head, minTimeMs: number, checkpoint: CheckpointWriter) {
    this.#head = head;
    this.#minTimeMs = minTimeMs;
    this.#checkpoint = checkpoint;
    this.#batch = head.kernel.createSampleBatch(batchSamples);
  }

  /** What the records that were filtered say of the metrics of series. */
  get metadata(): MetadataEntry[] {
    return [...this.#metadata].map(([ref, metadata]) => ({ ref, metadata }));
  }

  /** Adds to the checkpoint what is still needed of a record, which lies in the shared memory. One of unknown kind is kept as it is. Throws what the checkpoint does. */
  filter(record: Uint8Array): void {
    try {
      if (record[0] === recordType.series) this.#filterSeries(record);
      else if (record[0] === recordType.samples) this.#filterSamples(record);
      else if (isHistogramRecord(record)) this.#filterHistograms(record);
      else if (record[0] === recordType.samplesV2) this.#filterFloats(record);
      else if (record[0] === recordType.tombstones) this.#filterTombstones(record);
      else if (record[0] === recordType.exemplars) this.#filterExemplars(record);
      else if (record[0] === recordType.metadata) this.#gatherMetadata(record);
      else this.#checkpoint.add(record);
    } catch (error) {
      // Malformed under a good checksum: not ours to judge, so it is kept.
      if (!(error instanceof RangeError)) throw error;
      this.#checkpoint.add(record);
    }
  }

  close(): void {
    this.#batch.close();
  }

  #filterSeries(record: Uint8Array): void {
    const kept: Uint8Array[] = [Uint8Array.of(recordType.series)];
    readSeriesRecord(this.#head, record, findEach, ({ logRef, ref, bytes }) => {
      if (ref === 0) return;
      if (ref !== logRef) this.#aliases.add(logRef);
      kept.push(bytes);
    });
    if (kept.length > 1) this.#checkpoint.add(Buffer.concat(kept));
  }

  #filterTombstones(record: Uint8Array): void {
    const head = this.#head;
    const oldestMs = Math.min(this.#minTimeMs, head.outOfOrder.minTimeMs());
    const kept = decodeTombstoneRecord(record).filter(
      ({ ref, interval }) =>
        interval.maxTimestampMs >= oldestMs && (head.hasSeries(ref) || this.#aliases.has(ref)),
    );
    if (kept.length > 0) this.#checkpoint.add(encodeTombstoneRecord(kept));
  }

  #filterSamples(record: Uint8Array): void {
    const count = this.#decode(record);
    const { refs, timestamps, status } = this.#batch;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const isKept = this.#isKept(refs[i]!, timestamps[i]!);
      status[i] = isKept ? sampleStatus.ok : sampleStatus.outOfBounds;
      if (isKept) kept++;
    }
    if (kept === count) this.#checkpoint.add(record);
    else this.#checkpoint.addSamples(this.#batch);
    this.#batch.clear();
  }

  /** Reads a samples record into the batch; returns how many there are. */
  #decode(record: Uint8Array): number {
    const { kernel } = this.#head;
    const needed = SampleBatch.recordSamplesMax(record.length);
    if (this.#batch.capacity < needed) {
      this.#batch.close();
      this.#batch = kernel.createSampleBatch(needed);
    }
    return this.#batch.decodeRecord(sharedPtr(kernel, record), record.length);
  }

  #filterFloats(record: Uint8Array): void {
    const entries = decodeFloatRecord(record);
    const kept = entries.filter(({ ref, timestampMs }) => this.#isKept(ref, timestampMs));
    if (kept.length === entries.length) this.#checkpoint.add(record);
    else if (kept.length > 0) this.#checkpoint.add(encodeFloatRecord(kept));
  }

  #filterHistograms(record: Uint8Array): void {
    const { entries, skipped } = decodeHistogramRecord(record);
    const kept = entries.filter(({ ref, timestampMs }) => this.#isKept(ref, timestampMs));
    // What was not understood stays with the rest of its record.
    if (kept.length === entries.length || skipped > 0) this.#checkpoint.add(record);
    else this.#checkpoint.addHistograms(kept);
  }

  #filterExemplars(record: Uint8Array): void {
    const kept = decodeExemplars(record).filter(({ ref, exemplar }) =>
      this.#isKept(ref, exemplar.timestampMs),
    );
    this.#checkpoint.addExemplars(kept);
  }

  #gatherMetadata(record: Uint8Array): void {
    for (const { ref, metadata } of decodeMetadata(record))
      if (this.#isSeries(ref)) this.#metadata.set(ref, metadata);
  }

  #isKept(ref: number, timestampMs: number): boolean {
    return timestampMs >= this.#minTimeMs && this.#isSeries(ref);
  }

  /** Whether a ref of the log names a series that is in the head. */
  #isSeries(ref: number): boolean {
    return this.#aliases.has(ref) || (ref >= 1 && ref <= layout.seriesRefMax && this.#head.hasSeries(ref));
  }
}
