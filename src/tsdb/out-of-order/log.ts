import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import { type ByteBuffer, type Kernel, type SampleBatch, sampleStatus } from "../../kernel/index.ts";
import { histogramKind, isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import { setAside, setAsideDirectory } from "../set-aside.ts";
import type { WalCompression } from "../wal/compression.ts";
import { encodeHistogramRecords } from "../wal/histogram-record.ts";
import { encodeSamples, recordBufferBytesMax } from "../wal/log.ts";
import { listSegments } from "../wal/segment.ts";
import { WalWriter } from "../wal/writer.ts";
import type { OutOfOrderHead } from "./head.ts";
import { readHistogramRun, readRun } from "./chunks.ts";

export interface OutOfOrderLogOptions {
  kernel: Kernel;
  disk: Disk;
  clock: Clock;
  logger: Logger;
  /** The data directory. */
  directory: string;
  compression: WalCompression;
  segmentBytes: number;
  syncIntervalMs: number;
}

/**
 * Upstream's write-behind log: the samples that came out of order, as samples records. It has no series records; the WAL names the series. The directory
 * is made with the first sample. Owned by who made it, who must `close` it.
 */
export class OutOfOrderLog {
  readonly directory: string;
  readonly #options: OutOfOrderLogOptions;
  readonly #record: ByteBuffer;
  #writer: WalWriter | undefined;

  constructor(options: OutOfOrderLogOptions) {
    this.#options = options;
    this.directory = `${options.directory}/wbl`;
    this.#record = options.kernel.createByteBuffer(recordBufferBytesMax);
  }

  /** The first segment that this process wrote; Infinity while it has written none. */
  get firstSegment(): number {
    return this.#writer?.firstSegment ?? Infinity;
  }

  /** Writes the ok samples of a batch. Throws `unavailable`; then nothing was written. */
  write(batch: SampleBatch): void {
    const writer = (this.#writer ??= this.#open());
    writer.add(encodeSamples(batch, this.#record));
    writer.flush();
  }

  /** Writes native histograms. Throws `unavailable`; then nothing was written. */
  writeHistograms(entries: readonly HistogramEntry[]): void {
    const writer = (this.#writer ??= this.#open());
    for (const record of encodeHistogramRecords(entries)) writer.add(record);
    writer.flush();
  }

  /** Begins a segment, and returns its number: what is written from now on is in it or later. Throws `unavailable`. */
  cut(): number {
    const writer = (this.#writer ??= this.#open());
    if (writer.segmentSizeBytes > 0) writer.nextSegment();
    return writer.segment;
  }

  /** Removes the segments before. Throws the disk's error. */
  removeBefore(segment: number): void {
    const { disk } = this.#options;
    for (const { index, path } of listSegments(disk, this.directory)) if (index < segment) disk.remove(path);
    disk.syncDirectory(this.directory);
  }

  /** Writes all that there is in place of what the log has. Throws `unavailable` and the disk's errors; then nothing was removed. */
  rewrite(head: OutOfOrderHead): void {
    const segment = this.cut();
    this.writeAll(head);
    this.removeBefore(segment);
  }

  /** Writes all that there is. Throws `unavailable`. */
  writeAll(head: OutOfOrderHead): void {
    const { kernel } = this.#options;
    for (const ref of head.refs()) {
      for (const run of head.runs(ref)) {
        if (isHistogramEncoding(run.encoding)) {
          const kind = histogramKind(run.encoding);
          this.writeHistograms(
            readHistogramRun(kernel.views, run).map((sample) => ({ ...sample, ref, kind })),
          );
          continue;
        }
        const batch = kernel.createSampleBatch(run.count);
        try {
          readRun(kernel, run, batch.timestampsPtr, batch.valuesPtr);
          batch.refs.fill(ref, 0, run.count);
          batch.status.fill(sampleStatus.ok, 0, run.count);
          batch.count = run.count;
          this.write(batch);
        } finally {
          batch.close();
        }
      }
    }
  }

  /** Moves the log out of the way, before anything is written. Throws the disk's error. */
  setAside(): void {
    const { disk, directory } = this.#options;
    if (disk.stat(this.directory) !== undefined) setAside(disk, this.directory, setAsideDirectory(directory));
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#record.close();
  }

  #open(): WalWriter {
    try {
      return new WalWriter({ ...this.#options, directory: this.directory });
    } catch (error) {
      throw new NarthexError("unavailable", `cannot write to the WBL: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }
}
