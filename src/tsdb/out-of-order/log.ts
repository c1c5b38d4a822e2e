import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import { type Kernel, MemoryFullError } from "../../kernel/index.ts";
import { directoryBytes } from "../directory-bytes.ts";
import { isFloatEntry, type SampleEntry } from "../head/entry-batch.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import { setAside, setAsideDirectory } from "../set-aside.ts";
import type { WalCompression } from "../wal/compression.ts";
import { encodeFloatRecord } from "../wal/float-record.ts";
import { encodeHistogramRecords } from "../wal/histogram-record.ts";
import { type ChunkMarker, encodeMarkerRecord } from "../wal/marker-record.ts";
import { listSegments } from "../wal/segment.ts";
import { WalWriter } from "../wal/writer.ts";

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
 * Upstream's write-behind log: the samples that came out of order and are in no block, and markers. It has no series records; the WAL names the series. The directory is
 * made with the first sample. Owned by who made it, who must `close` it.
 */
export class OutOfOrderLog {
  readonly directory: string;
  truncations = 0;
  truncationsFailed = 0;
  readonly #options: OutOfOrderLogOptions;
  #writer: WalWriter | undefined;

  constructor(options: OutOfOrderLogOptions) {
    this.#options = options;
    this.directory = `${options.directory}/wbl`;
  }

  /** Undefined while nothing was written. */
  get writer(): WalWriter | undefined {
    return this.#writer;
  }

  /** Bytes of its files. Throws the disk's error. */
  get sizeBytes(): number {
    return directoryBytes(this.#options.disk, this.directory);
  }

  /** Writes the markers, then the samples. Throws `unavailable` and MemoryFullError; then hardly anything was written, and nothing of it comes with the next write. */
  write(markers: readonly ChunkMarker[], entries: readonly SampleEntry[]): void {
    if (markers.length + entries.length === 0) return;
    const writer = (this.#writer ??= this.#open());
    const floats = entries.filter(isFloatEntry);
    const histograms = entries.filter((entry): entry is HistogramEntry => !isFloatEntry(entry));
    try {
      if (markers.length > 0) writer.add(encodeMarkerRecord(markers));
      if (floats.length > 0) writer.add(encodeFloatRecord(floats));
      for (const record of encodeHistogramRecords(histograms)) writer.add(record);
      writer.flush();
    } catch (error) {
      writer.discard();
      throw error;
    }
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
    this.truncations++;
    try {
      for (const { index, path } of listSegments(disk, this.directory))
        if (index < segment) disk.remove(path);
      disk.syncDirectory(this.directory);
    } catch (error) {
      this.truncationsFailed++;
      throw error;
    }
  }

  /** Moves the log out of the way, before anything is written. Throws the disk's error. */
  setAside(): void {
    const { disk, directory } = this.#options;
    if (disk.stat(this.directory) !== undefined) setAside(disk, this.directory, setAsideDirectory(directory));
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  #open(): WalWriter {
    try {
      return new WalWriter({ ...this.#options, directory: this.directory });
    } catch (error) {
      if (error instanceof MemoryFullError) throw error;
      throw new NarthexError("unavailable", `cannot write to the WBL: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }
}
