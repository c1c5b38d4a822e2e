import type { ByteBuffer, Kernel, SampleBatch } from "../../kernel/index.ts";
import type { CommitLog, CommitNotes, QueuedSamples } from "../head/commit-log.ts";
import type { Head } from "../head/head.ts";
import { EntryBatch } from "../head/entry-batch.ts";
import type { Stone } from "../head/tombstones.ts";
import { encodeExemplars } from "./exemplar-record.ts";
import { encodeFloatRecord } from "./float-record.ts";
import { encodeHistogramRecords } from "./histogram-record.ts";
import { encodeMetadata } from "./metadata-record.ts";
import type { RefReservation } from "./ref-reservation.ts";
import { encodeSeriesRecords } from "./series-record.ts";
import { encodeTombstoneRecord } from "./tombstone-record.ts";
import type { WalWriter } from "./writer.ts";

/** Longest record that is put together before it is compressed. */
export const recordBufferBytesMax = 128 * 1024 * 1024;
/** Room kept from the start, so that commits of usual size need no memory. */
const recordBufferBytes = 1024 * 1024;

/** Writes commits to the WAL: new series first, so that no samples record names a series the log does not know. Owns the writer. */
export class WalLog implements CommitLog {
  readonly #writer: WalWriter;
  readonly #reservation: RefReservation;
  readonly #record: ByteBuffer;

  constructor(kernel: Kernel, writer: WalWriter, reservation: RefReservation) {
    this.#writer = writer;
    this.#reservation = reservation;
    this.#record = kernel.createByteBuffer(recordBufferBytesMax);
    this.#record.reserve(recordBufferBytes);
  }

  write(head: Head, batches: readonly QueuedSamples[], { metadata, exemplars }: CommitNotes): void {
    this.#writeWhole(head, () => {
      if (metadata.length > 0) this.#writer.add(encodeMetadata(metadata));
      for (const batch of batches) {
        const records =
          batch instanceof EntryBatch ? encodeEntries(batch) : [encodeSamples(batch, this.#record)];
        for (const record of records) if (record.length > 0) this.#writer.add(record);
      }
      // Behind the samples: who reads the log as it grows knows the series' sample before its exemplar.
      if (exemplars.length > 0) this.#writer.add(encodeExemplars(exemplars));
    });
  }

  /** Writes deletions, after the series that were created since the last commit. Throws `unavailable`; then nothing was written. */
  writeTombstones(head: Head, stones: readonly Stone[]): void {
    this.#writeWhole(head, () => this.#writer.add(encodeTombstoneRecord(stones)));
  }

  /** Writes the series that the log does not know yet and what `add` adds. When that fails, nothing of it comes with the next commit. */
  #writeWhole(head: Head, add: () => void): void {
    if (!this.#reservation.covers(head.nextRef, this.#writer.segment)) this.#writer.nextSegment();
    try {
      encodeSeriesRecords(head.kernel, head.unlogged, this.#record, (record) => this.#writer.add(record));
      add();
      this.#writer.flush();
    } catch (error) {
      this.#writer.discard();
      throw error;
    }
    head.unlogged.length = 0;
  }

  /** Closes the writer, too. */
  async close(): Promise<void> {
    await this.#writer.close();
    this.#record.close();
  }
}

function encodeEntries(batch: EntryBatch): Uint8Array[] {
  const { floats, histograms } = batch.accepted();
  const records = encodeHistogramRecords(histograms);
  return floats.length === 0 ? records : [encodeFloatRecord(floats), ...records];
}

/** The samples record of the batch's ok samples, in `buffer`; empty when there are none. */
export function encodeSamples(batch: SampleBatch, buffer: ByteBuffer): Uint8Array {
  const capacity = batch.recordBytesMax;
  const ptr = buffer.reserve(capacity);
  buffer.setLength(batch.encodeRecord(ptr, capacity));
  return buffer.view();
}
