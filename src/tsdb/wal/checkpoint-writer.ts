import { type Clock, type Disk, type Logger, NarthexError } from "../../base/index.ts";
import type { ByteBuffer, SampleBatch } from "../../kernel/index.ts";
import type { Head } from "../head/head.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import type { WalCompression } from "./compression.ts";
import { encodeExemplars, type ExemplarEntry } from "./exemplar-record.ts";
import { encodeHistogramRecords } from "./histogram-record.ts";
import { encodeSamples, recordBufferBytesMax } from "./log.ts";
import { encodeMetadata, type MetadataEntry } from "./metadata-record.ts";
import { segmentBytesDefault, segmentName } from "./segment.ts";
import { encodeSeriesRecords } from "./series-record.ts";
import { WalWriter } from "./writer.ts";

export interface CheckpointOptions {
  head: Head;
  disk: Disk;
  clock: Clock;
  logger: Logger;
  /** The WAL directory. */
  directory: string;
  /** Where files go that are damaged, or were rewritten and may hold more than was understood. */
  setAsideDirectory: string;
  compression: WalCompression;
}

/** The event loop gets its turn after so much work. */
const sliceMs = 10;
const temporarySuffix = ".tmp";
const exemplarsPerRecord = 10_000;
const metadataPerRecord = 10_000;

/** Writes a checkpoint, which is there as a whole once it is finished. Everything throws `unavailable` or the disk's error. Who made it must `finish` or `abandon` it. */
export class CheckpointWriter {
  readonly #options: CheckpointOptions;
  readonly #path: string;
  readonly #writer: WalWriter;
  readonly #record: ByteBuffer;
  #sliceStartMs = performance.now();

  /** Begins the checkpoint that stands for all segments up to `index`. */
  constructor(options: CheckpointOptions, index: number) {
    const { head, disk, clock, logger, directory, compression } = options;
    this.#options = options;
    this.#path = `${directory}/checkpoint.${segmentName(index)}`;
    disk.remove(this.#path + temporarySuffix);
    this.#record = head.kernel.createByteBuffer(recordBufferBytesMax);
    this.#writer = new WalWriter({
      directory: this.#path + temporarySuffix,
      kernel: head.kernel,
      disk,
      clock,
      logger,
      compression,
      segmentBytes: segmentBytesDefault,
      syncIntervalMs: 0,
    });
  }

  add(record: Uint8Array): void {
    this.#writer.add(record);
  }

  /** Adds series of the head. */
  addSeries(refs: readonly number[]): void {
    encodeSeriesRecords(this.#options.head.kernel, refs, this.#record, (record) => {
      this.#writer.add(record);
      this.#writer.flush();
    });
  }

  /** Adds the ok samples. */
  addSamples(batch: SampleBatch): void {
    const record = encodeSamples(batch, this.#record);
    if (record.length > 0) this.#writer.add(record);
  }

  addHistograms(entries: readonly HistogramEntry[]): void {
    for (const record of encodeHistogramRecords(entries)) this.#writer.add(record);
  }

  addExemplars(entries: readonly ExemplarEntry[]): void {
    for (let start = 0; start < entries.length; start += exemplarsPerRecord)
      this.#writer.add(encodeExemplars(entries.slice(start, start + exemplarsPerRecord)));
  }

  addMetadata(entries: readonly MetadataEntry[]): void {
    for (let start = 0; start < entries.length; start += metadataPerRecord)
      this.#writer.add(encodeMetadata(entries.slice(start, start + metadataPerRecord)));
  }

  /** Writes what was added. */
  flush(): void {
    this.#writer.flush();
  }

  /** To be awaited after every little step. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#sliceStartMs < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }

  /** Puts the checkpoint in its place, durably. */
  async finish(): Promise<void> {
    const { disk, directory } = this.#options;
    this.flush();
    // What it stands for goes when it is there.
    if (!(await this.#writer.sync())) throw new NarthexError("unavailable", "checkpoint cannot be synced");
    await this.#close();
    await disk.syncDirectoryLater(this.#path + temporarySuffix);
    disk.rename(this.#path + temporarySuffix, this.#path);
    await disk.syncDirectoryLater(directory);
  }

  /** Leaves nothing of it. */
  async abandon(): Promise<void> {
    await this.#close();
    this.#options.disk.remove(this.#path + temporarySuffix);
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#record.close();
  }
}
