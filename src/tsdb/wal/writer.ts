import {
  type Clock,
  type Disk,
  errorMessage,
  type Logger,
  NarthexError,
  type Timer,
} from "../../base/index.ts";
import type { ByteBuffer, Kernel } from "../../kernel/index.ts";
import { compressRecord, type WalCompression } from "./compression.ts";
import {
  fragment,
  fragmentHeaderBytes,
  listCheckpoints,
  listSegments,
  pageBytes,
  segmentName,
} from "./segment.ts";

export interface WalWriterOptions {
  directory: string;
  kernel: Kernel;
  disk: Disk;
  clock: Clock;
  logger: Logger;
  compression: WalCompression;
  /** A segment is at most this long; a multiple of the page. */
  segmentBytes: number;
  /** How often written bytes are synced to the medium, milliseconds; 0 = only when asked. */
  syncIntervalMs: number;
  /** Called when a segment was begun. */
  onSegment?: (segment: number) => void;
}

/** Plain numbers, read when metrics are gathered. */
export class WalCounters {
  recordsWritten = 0;
  bytesWritten = 0;
  pagesCompleted = 0;
  /** Parts of records that were put together, with their headers. */
  parts = 0;
  partBytes = 0;
  /** What compression left out of records. */
  bytesSaved = 0;
  flushes = 0;
  writesFailed = 0;
  syncs = 0;
  syncSecondsSum = 0;
  syncsFailed = 0;
  /** Segments that were begun. */
  segments = 0;
}

/** Gathered bytes beyond which `add` writes first. Room for so much is kept from the start, so that a full memory stops no commit. */
const gatheredBytesMax = 1024 * 1024;
const bufferBytesMax = 256 * 1024 * 1024;
/** Header of a fragment, once per page that a record can touch. */
const headerSlackPages = 2;

/**
 * Appends records to the newest segment. `add` gathers records, `flush` writes them, mostly with one write(2): when it returns, they survive the
 * end of the process; `sync` runs by itself each `syncIntervalMs`, after which they survive a power cut. The records between two flushes are one commit: when a write
 * fails, or with `discard`, the segments are cut back to where it began. Only a disk that refuses that, too, may have its first records. Owned by who opened it, who must
 * `close` it.
 */
export class WalWriter {
  readonly counters = new WalCounters();
  /** The segment that it began with. */
  readonly firstSegment: number;
  readonly #options: WalWriterOptions;
  readonly #buffer: ByteBuffer;
  #fd = -1;
  #segment = 0;
  /** Bytes of the segment that are known to be good. */
  #sizeBytes = 0;
  /** Those before the commit that is being gathered. */
  #wholeBytes = 0;
  /** Finished segments that hold the commit's beginning. */
  readonly #begun: { readonly fd: number; readonly wholeBytes: number }[] = [];
  #bufferedRecords = 0;
  /** The segment's end may hold part of a failed write. */
  #isTorn = false;
  #isPaused = false;
  #isDirty = false;
  /** The directory does not durably name the segment yet: the next sync sees to it. */
  #isUnnamed = false;
  /** Finished segments that still wait for their sync. */
  readonly #unsynced: number[] = [];
  #syncing: Promise<boolean> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  /** Opens a new segment after all that are there. Throws the disk's error. */
  constructor(options: WalWriterOptions) {
    this.#options = options;
    const { disk, directory, kernel } = options;
    disk.makeDirectory(directory);
    const last = listSegments(disk, directory).at(-1)?.index ?? -1;
    const checkpoint = listCheckpoints(disk, directory).at(-1)?.index ?? -1;
    this.#buffer = kernel.createByteBuffer(bufferBytesMax);
    this.#buffer.reserve(2 * gatheredBytesMax);
    this.firstSegment = Math.max(last, checkpoint) + 1;
    try {
      this.#openSegment(this.firstSegment);
    } catch (error) {
      this.#buffer.close();
      throw error;
    }
    if (options.syncIntervalMs > 0) this.#armSync();
  }

  get segment(): number {
    return this.#segment;
  }

  get segmentSizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether the last write failed: ingestion pauses until one succeeds. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /**
   * Gathers a record; what was gathered before is written when it is much. Throws `unavailable`, and forgets the commit, when that or the next segment
   * fails.
   */
  add(record: Uint8Array): void {
    if (this.#isTorn) this.#recover();
    const { data, bits } = compressRecord(record, this.#options.compression);
    this.counters.bytesSaved += record.length - data.length;
    const pages = Math.ceil(data.length / (pageBytes - fragmentHeaderBytes)) + headerSlackPages;
    const bytesMax = data.length + pages * fragmentHeaderBytes;
    if (bytesMax > this.#options.segmentBytes)
      throw new NarthexError("unavailable", `WAL record of ${data.length} bytes does not fit into a segment`);
    const isFull = this.#position + bytesMax > this.#options.segmentBytes;
    if (isFull || this.#buffer.bytes > gatheredBytesMax) this.#write();
    if (isFull) this.nextSegment();
    try {
      this.#appendFragments(data, bits, bytesMax);
    } catch (error) {
      this.discard();
      throw error;
    }
    this.#bufferedRecords++;
  }

  /** Writes what was gathered, which ends a commit. Throws `unavailable`, with the whole commit forgotten and nothing of it written. */
  flush(): void {
    this.#write();
    this.#wholeBytes = this.#sizeBytes;
    this.#begun.length = 0;
  }

  #write(): void {
    const bytes = this.#buffer.bytes;
    if (bytes === 0) return;
    try {
      this.#options.disk.write(this.#fd, this.#buffer.view(), this.#sizeBytes);
    } catch (error) {
      this.#failed(error);
    }
    this.counters.flushes++;
    this.counters.recordsWritten += this.#bufferedRecords;
    this.counters.bytesWritten += bytes;
    this.counters.pagesCompleted +=
      Math.floor((this.#sizeBytes + bytes) / pageBytes) - Math.floor(this.#sizeBytes / pageBytes);
    this.#sizeBytes += bytes;
    this.#isDirty = true;
    this.#clear();
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#options.logger.info("WAL can be written again, ingestion resumes", { segment: this.#segment });
  }

  /** Forgets the commit that is being gathered, and takes back what of it was written. */
  discard(): void {
    this.#clear();
    const begun = this.#begun.splice(0);
    if (begun.length === 0 && this.#sizeBytes === this.#wholeBytes) return;
    this.#sizeBytes = this.#wholeBytes;
    this.#isTorn = true;
    const { disk, logger } = this.#options;
    try {
      for (const { fd, wholeBytes } of begun) disk.truncate(fd, wholeBytes);
      disk.truncate(this.#fd, this.#wholeBytes);
      this.#isTorn = false;
    } catch (error) {
      logger.error("the WAL keeps the beginning of a commit that failed", { err: errorMessage(error) });
    }
  }

  #clear(): void {
    this.#buffer.clear();
    this.#bufferedRecords = 0;
  }

  /** Ends the segment and begins the next. Throws `unavailable`, staying on the present one. */
  nextSegment(): void {
    const [fd, wholeBytes, isCommitBegun] = [this.#fd, this.#wholeBytes, this.#sizeBytes > this.#wholeBytes];
    try {
      this.#openSegment(this.#segment + 1);
    } catch (error) {
      this.#failed(error);
    }
    this.#unsynced.push(fd);
    if (isCommitBegun) this.#begun.push({ fd, wholeBytes });
  }

  /** Makes all that was flushed durable. Resolves to whether it is; failures are counted, logged and tried again. */
  sync(): Promise<boolean> {
    this.#syncing ??= this.#syncAll().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#syncing;
    await this.sync();
    for (const fd of this.#unsynced.splice(0)) this.#options.disk.close(fd);
    this.#options.disk.close(this.#fd);
    this.#buffer.close();
  }

  /** Where in the segment the next gathered byte goes. */
  get #position(): number {
    return this.#sizeBytes + this.#buffer.bytes;
  }

  #appendFragments(data: Uint8Array, bits: number, bytesMax: number): void {
    const { kernel } = this.#options;
    const { u8 } = kernel.views;
    const start = this.#buffer.bytes;
    // A page's unusable end adds less than a header.
    const ptr = this.#buffer.reserve(start + bytesMax + fragmentHeaderBytes);
    let at = ptr + start;
    let offset = 0;
    let isFirst = true;
    let pageLeft = pageBytes - (this.#position % pageBytes);
    while (isFirst || offset < data.length) {
      if (pageLeft < fragmentHeaderBytes) {
        u8.fill(0, at, at + pageLeft);
        at += pageLeft;
        pageLeft = pageBytes;
      }
      const length = Math.min(data.length - offset, pageLeft - fragmentHeaderBytes);
      const isLast = offset + length === data.length;
      const dataAt = at + fragmentHeaderBytes;
      u8.set(data.subarray(offset, offset + length), dataAt);
      u8[at] = fragmentType(isFirst, isLast) | bits;
      u8[at + 1] = length >>> 8;
      u8[at + 2] = length;
      putUint32(u8, at + 3, kernel.crc32c(dataAt, length));
      this.counters.parts++;
      this.counters.partBytes += fragmentHeaderBytes + length;
      at = dataAt + length;
      offset += length;
      pageLeft -= fragmentHeaderBytes + length;
      isFirst = false;
    }
    if (pageLeft < fragmentHeaderBytes) {
      u8.fill(0, at, at + pageLeft);
      at += pageLeft;
    }
    this.#buffer.setLength(at - ptr);
  }

  #openSegment(index: number): void {
    const { disk, directory } = this.#options;
    // "w": a file of that number can only be what an earlier attempt left when it failed.
    this.#fd = disk.open(`${directory}/${segmentName(index)}`, "w");
    this.#isUnnamed = true;
    this.#segment = index;
    this.#sizeBytes = 0;
    this.#wholeBytes = 0;
    this.#isTorn = false;
    this.counters.segments++;
    this.#options.onSegment?.(index);
  }

  /** After a failed write: cuts the segment back to its good part, or else leaves it to the reader and begins another. */
  #recover(): void {
    try {
      this.#options.disk.truncate(this.#fd, this.#sizeBytes);
      this.#isTorn = false;
    } catch {
      this.nextSegment();
    }
  }

  #failed(error: unknown): never {
    this.counters.writesFailed++;
    this.#isTorn = true;
    this.discard();
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#options.logger.error("WAL cannot be written, ingestion pauses", { err: errorMessage(error) });
    }
    throw new NarthexError("unavailable", `cannot write to the WAL: ${errorMessage(error)}`, {
      cause: error,
    });
  }

  #armSync(): void {
    this.#timer = this.#options.clock.after(this.#options.syncIntervalMs, () => void this.#syncAndArm());
  }

  async #syncAndArm(): Promise<void> {
    await this.sync();
    if (!this.#isClosed) this.#armSync();
  }

  async #syncAll(): Promise<boolean> {
    const { disk, directory, clock, logger } = this.#options;
    const finished = [...this.#unsynced];
    if (finished.length === 0 && !this.#isDirty && !this.#isUnnamed) return true;
    const startMs = clock.monotonicMs();
    const current = this.#fd;
    this.#isDirty = false;
    const isUnnamed = this.#isUnnamed;
    this.#isUnnamed = false;
    try {
      if (isUnnamed) await disk.syncDirectoryLater(directory);
      for (const fd of finished) {
        await disk.sync(fd);
        disk.close(fd);
        this.#unsynced.splice(this.#unsynced.indexOf(fd), 1);
      }
      // A segment that was finished meanwhile waits in `unsynced` for the next round, and is still open.
      await disk.sync(current);
      this.counters.syncs++;
      this.counters.syncSecondsSum += (clock.monotonicMs() - startMs) / 1000;
      return true;
    } catch (error) {
      this.#isDirty = true;
      this.#isUnnamed ||= isUnnamed;
      this.counters.syncsFailed++;
      logger.error("WAL cannot be synced", { err: errorMessage(error) });
      return false;
    }
  }
}

function fragmentType(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? fragment.full : fragment.first;
  return isLast ? fragment.last : fragment.middle;
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
