import { assert, type Disk, type Logger, NarthexError } from "../../base/index.ts";
import {
  type AttachedChunks,
  type ByteBuffer,
  type HeadChunkPlace,
  headChunkPlaceOf,
  type HeadChunkRecord,
  type Kernel,
  layout,
  scanTableBytes,
  type ScanEnd,
  type ScannedChunks,
} from "../../kernel/index.ts";
import { chunkCodecs } from "../block/chunk-codec.ts";
import { setAside } from "../set-aside.ts";
import {
  headChunksFileBytesMax,
  headChunksFileMax,
  headChunksHeaderBytes,
  headChunksMagic,
  headChunksVersion,
  type HeadChunksFile,
  listHeadChunksFiles,
  outOfOrderMask,
} from "./format.ts";
import type { WrittenFile } from "./writer.ts";

export interface LoadOptions {
  kernel: Kernel;
  disk: Disk;
  logger: Logger;
  /** The directory of the files. */
  directory: string;
  /** Where files go that are not in order. */
  setAsideDirectory: string;
  /** Chunks that end before are left out. */
  minValidTimeMs: number;
  /** Whether series of the head have the refs of the log: those that are there get their chunks at once. */
  hasSeries: boolean;
  /** Asked between slices of work: when true, the work rejects with `canceled`. */
  isCancelled: () => boolean;
}

const readBytes = 1024 * 1024;
const bufferBytesMax = 32 * 1024 * 1024;
const recordsPerScan = 4096;

const reasons: Record<Exclude<ScanEnd, "more" | "end">, string> = {
  short: "chunk does not fit the file",
  malformed: "chunk is malformed",
  checksum: "wrong checksum of a chunk",
};

const notInOrder = "chunk does not follow the one before it in time";
const countMasks = Array.from({ length: 8 }, (_, encoding) => chunkCodecs[encoding]?.countMask ?? 0);

/** The heads of the chunks in the files, by the series' ref in the log, until the series take them; those of samples out of order as markers of the write-behind log ask for them. Frees the rest in `close`. */
export class LoadedHeadChunks {
  readonly files: WrittenFile[] = [];
  /** Damaged places: what follows them is not used, since the WAL has it. */
  corruptions = 0;
  chunks = 0;
  /** The times of the chunks that series got at once. */
  attachedMinMs = Infinity;
  attachedMaxMs = -Infinity;
  /** The highest ref: its number must not be given to a new series. */
  refMax = 0;
  readonly #kernel: Kernel;
  /** The newest chunk of each ref. */
  readonly #newest = new Map<number, number>();
  /** The same of those whose samples came out of order. */
  readonly #outOfOrder = new Map<number, number>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Puts a chunk behind those of its series; false when it does not follow them in time. Throws MemoryFullError. */
  add(record: HeadChunkRecord, count: number, file: number, offset: number): boolean {
    const { headChunks, views } = this.#kernel;
    const older = this.#newest.get(record.ref) ?? 0;
    const olderMs = older && Number(views.i64[(older + layout.chunk.maxTimestampMs) / 8]);
    if (older !== 0 && olderMs >= record.minTimestampMs) return false;
    this.#newest.set(record.ref, headChunks.createStub(older, record, count, { file, offset }));
    this.chunks++;
    return true;
  }

  /** Chunks of series that are there were given to these. */
  noteAttached({ given, minTimestampMs, maxTimestampMs, refMax }: AttachedChunks): void {
    this.chunks += given;
    this.attachedMinMs = Math.min(this.attachedMinMs, minTimestampMs);
    this.attachedMaxMs = Math.max(this.attachedMaxMs, maxTimestampMs);
    this.refMax = Math.max(this.refMax, refMax);
  }

  /** Gives a new series the chunks of its ref; false when there are none. */
  attach(ref: number): boolean {
    const newest = this.#newest.get(ref);
    if (newest === undefined || !this.#kernel.headChunks.attach(ref, newest)) return false;
    this.#newest.delete(ref);
    return true;
  }

  /** Adds a chunk whose samples came out of order. Throws MemoryFullError. */
  addOutOfOrder(record: HeadChunkRecord, count: number, place: HeadChunkPlace): void {
    const older = this.#outOfOrder.get(record.ref) ?? 0;
    const plain = { ...record, encoding: record.encoding & ~outOfOrderMask };
    this.#outOfOrder.set(record.ref, this.#kernel.headChunks.createStub(older, plain, count, place));
    this.chunks++;
  }

  /** Whether a ref has a chunk at that place whose samples came out of order. */
  hasOutOfOrder(ref: number, place: HeadChunkPlace): boolean {
    return this.#findOutOfOrder(ref, place) !== undefined;
  }

  /** Hands over the head of such a chunk, which there must be. */
  takeOutOfOrder(ref: number, place: HeadChunkPlace): number {
    const { u32 } = this.#kernel.views;
    const [newer, stub] = this.#findOutOfOrder(ref, place) ?? [];
    assert(stub, "the chunk is loaded");
    const older = u32[(stub + layout.chunk.older) >>> 2]!;
    if (newer) u32[(newer + layout.chunk.older) >>> 2] = older;
    else this.#outOfOrder.set(ref, older);
    return stub;
  }

  /** The head of the chunk, and of the newer one before it, 0 when there is none. */
  #findOutOfOrder(
    ref: number,
    { file, offset }: HeadChunkPlace,
  ): readonly [newer: number, stub: number] | undefined {
    const { views } = this.#kernel;
    for (let newer = 0, stub = this.#outOfOrder.get(ref) ?? 0; stub !== 0;) {
      const place = headChunkPlaceOf(views, stub);
      if (place.file === file && place.offset === offset) return [newer, stub];
      newer = stub;
      stub = views.u32[(stub + layout.chunk.older) >>> 2]!;
    }
    return undefined;
  }

  /** The newest time in the files, -Infinity when they are empty. */
  get maxTimestampMs(): number {
    return Math.max(...this.files.map(({ maxTimestampMs }) => maxTimestampMs));
  }

  /** Those refs; a chain may be attached meanwhile. */
  refs(): Iterable<number> {
    return this.#newest.keys();
  }

  /** How many refs have a series that has not come yet. */
  get waiting(): number {
    return this.#newest.size;
  }

  close(): void {
    for (const chains of [this.#newest, this.#outOfOrder]) {
      for (const newest of chains.values()) this.#kernel.headChunks.freeStubs(newest);
      chains.clear();
    }
  }
}

/**
 * Reads the files of head chunks. From a place on that is damaged nothing is used: its file is cut there, and the files after it are set aside; the WAL
 * has the samples. Throws the disk's errors and MemoryFullError.
 */
export async function loadHeadChunks(options: LoadOptions): Promise<LoadedHeadChunks> {
  const { kernel, disk, directory } = options;
  const loaded = new LoadedHeadChunks(kernel);
  const loader = new Loader(options, loaded);
  try {
    const files = listHeadChunksFiles(disk, directory);
    for (const [at, file] of files.entries()) {
      const before = files[at - 1];
      // It was being begun when the process ended.
      if (at === files.length - 1 && file.sizeBytes < headChunksHeaderBytes) {
        disk.remove(file.path);
        break;
      }
      const reason =
        before !== undefined && file.number !== before.number + 1
          ? `file ${before.number + 1} is missing`
          : await loader.read(file);
      if (reason === undefined) continue;
      loaded.corruptions++;
      options.logger.warn("damaged head chunks left out, the WAL has their samples", {
        path: file.path,
        err: reason,
      });
      const isCut = loaded.files.at(-1)?.number === file.number;
      for (const later of files.slice(isCut ? at + 1 : at))
        setAside(disk, later.path, options.setAsideDirectory);
      break;
    }
    return loaded;
  } catch (error) {
    loaded.close();
    throw error;
  } finally {
    loader.close();
  }
}

class Loader {
  readonly #options: LoadOptions;
  readonly #loaded: LoadedHeadChunks;
  readonly #buffer: ByteBuffer;
  readonly #table: ByteBuffer;

  constructor(options: LoadOptions, loaded: LoadedHeadChunks) {
    this.#options = options;
    this.#loaded = loaded;
    this.#buffer = options.kernel.createByteBuffer(bufferBytesMax);
    this.#table = options.kernel.createByteBuffer(scanTableBytes(recordsPerScan));
    this.#table.reserve(scanTableBytes(recordsPerScan));
  }

  /** Reads a file, and cuts it where it is damaged; returns what is wrong. A file without a header is not among the loaded ones. */
  async read(file: HeadChunksFile): Promise<string | undefined> {
    const { disk } = this.#options;
    const fd = disk.open(file.path, "r+");
    try {
      const reason = file.number > headChunksFileMax ? "its number is too large" : this.#readHeader(fd, file);
      if (reason !== undefined) return reason;
      const written: WrittenFile = {
        number: file.number,
        path: file.path,
        sizeBytes: headChunksHeaderBytes,
        maxTimestampMs: -Infinity,
      };
      this.#loaded.files.push(written);
      const damage = await this.#readRecords(fd, file, written);
      if (damage !== undefined) disk.truncate(fd, written.sizeBytes);
      return damage && `${damage} at byte ${written.sizeBytes}`;
    } finally {
      disk.close(fd);
    }
  }

  close(): void {
    this.#buffer.close();
    this.#table.close();
  }

  #readHeader(fd: number, { sizeBytes }: HeadChunksFile): string | undefined {
    const header = Buffer.alloc(headChunksHeaderBytes);
    if (sizeBytes < header.length || this.#options.disk.read(fd, header, 0) < header.length)
      return `header expected, the file has ${sizeBytes} bytes`;
    if (header.readUInt32BE(0) !== headChunksMagic) return "these are no head chunks: wrong magic number";
    if (header[4] !== headChunksVersion) return `format version ${header[4]} is unknown`;
    return undefined;
  }

  /** Takes record after record, and counts their bytes in `written`; returns what is wrong with what follows. */
  async #readRecords(fd: number, file: HeadChunksFile, written: WrittenFile): Promise<string | undefined> {
    const { kernel, isCancelled } = this.#options;
    for (let wanted = readBytes; ;) {
      const { sizeBytes: start } = written;
      const bytes = Math.min(wanted, file.sizeBytes - start);
      const dataPtr = this.#buffer.reserve(bytes + layout.slackBytes);
      const got = this.#fill(fd, dataPtr, bytes, start);
      const isEnd = got < bytes || start + bytes === file.sizeBytes;
      const scanned = kernel.headChunks.scan(dataPtr, got, isEnd, this.#table.ptr, recordsPerScan);
      const reason = this.#takeScanned(scanned, written);
      if (reason !== undefined) return reason;
      await new Promise((resolve) => setImmediate(resolve));
      if (isCancelled()) throw new NarthexError("canceled", "the replay was cut short");
      const { end, neededBytes } = scanned;
      if (end === "end") return undefined;
      if (end !== "more") return reasons[end];
      wanted = Math.max(readBytes, neededBytes);
    }
  }

  /** Takes what a scan found at the end of what is `written`; returns what is wrong with the next of it. */
  #takeScanned(scanned: ScannedChunks, written: WrittenFile): string | undefined {
    const { sizeBytes: start } = written;
    const isDirect = this.#options.hasSeries && start + scanned.bytes <= headChunksFileBytesMax;
    for (let at = 0; at < scanned.count; at++) {
      if (isDirect) {
        const { next, obstacle } = this.#attach(at, start, written);
        at = next;
        written.sizeBytes = start + (at < scanned.count ? scanned.recordAt(at).offset : scanned.bytes);
        if (obstacle === "notInOrder") return notInOrder;
        if (obstacle === undefined) break;
      }
      const reason = this.#take(scanned.recordAt(at), written);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Gives chunks that were scanned, from index `at` on, to their series. */
  #attach(at: number, start: number, written: WrittenFile): AttachedChunks {
    const { kernel, minValidTimeMs: minTimeMs } = this.#options;
    const options = { file: written.number, start, minTimeMs, countMasks };
    const attached = kernel.headChunks.attachScanned(this.#table.ptr, at, options);
    this.#loaded.noteAttached(attached);
    written.maxTimestampMs = Math.max(written.maxTimestampMs, attached.newestMs);
    return attached;
  }

  #fill(fd: number, ptr: number, bytes: number, offset: number): number {
    const { kernel, disk } = this.#options;
    let done = 0;
    for (let count = -1; count !== 0 && done < bytes; done += count)
      count = disk.read(fd, kernel.views.u8.subarray(ptr + done, ptr + bytes), offset + done);
    return done;
  }

  #take(record: HeadChunkRecord, written: WrittenFile): string | undefined {
    const { ref, encoding, maxTimestampMs } = record;
    const offset = written.sizeBytes;
    const codec = chunkCodecs[encoding & ~outOfOrderMask];
    const count = record.count & (codec?.countMask ?? 0);
    if (offset + record.bytes > headChunksFileBytesMax) return "file is too large";
    if (count === 0) return codec === undefined ? `chunk encoding ${encoding} is unknown` : "chunk is empty";
    if ((encoding & outOfOrderMask) !== 0)
      this.#loaded.addOutOfOrder(record, count, { file: written.number, offset });
    else {
      const isValid = maxTimestampMs >= this.#options.minValidTimeMs;
      if (isValid && !this.#loaded.add(record, count, written.number, offset)) return notInOrder;
      written.maxTimestampMs = Math.max(written.maxTimestampMs, maxTimestampMs);
    }
    this.#loaded.refMax = Math.max(this.#loaded.refMax, ref);
    written.sizeBytes += record.bytes;
    return undefined;
  }
}
