import {
  type ByteBuffer,
  fileChunk,
  type FileChunks,
  type HeadChunkPlace,
  headChunkPlace,
  headChunkPlaceOf,
  type Kernel,
  orderTableBytes,
} from "../../kernel/index.ts";
import { BlockDamagedError, type BlockNotices } from "../block/damage.ts";
import type { HeadChunkFiles } from "./files.ts";
import { outOfOrderMask } from "./format.ts";
import { decodeHeadChunkRecord, type HeadChunkHeader } from "./record.ts";
import { RecordWindow } from "./record-window.ts";

/** Bytes loaded for series that follow one another, at first and at most; it grows fourfold. A single series loads its own alone. */
const aheadBytesMin = 16 * 1024;
export const headAheadBytesMax = 1024 * 1024;
const aheadBytesPerChunk = 128;
/** What lies between two chunks is read with them when it is no longer, and so much at a time: that costs less than another read. */
const gapBytesMax = 8192;
const runBytesMax = 1024 * 1024;
/** Bounds what one series may need at a time. */
const bufferBytesMax = 256 * 1024 * 1024;
/** Decoding loads up to so many bytes behind a chunk. */
const slackBytes = 64;

const noRefs: Uint32Array = new Uint32Array(0);
const noFiles: FileChunks = { ptr: 0, count: 0 };

/**
 * The chunks of series that are in files, brought into the shared memory for one query: for a series and, when series are asked for one after the other, for
 * many that follow, in the order of the file and in large reads. Its owner must `close` it.
 */
export class HeadChunkReader {
  readonly #kernel: Kernel;
  readonly #files: HeadChunkFiles;
  readonly #notices: BlockNotices;
  readonly #table: ByteBuffer;
  readonly #data: ByteBuffer;
  /** A run as it is in its file. */
  readonly #run: ByteBuffer;
  readonly #order: ByteBuffer;
  readonly #late: RecordWindow;
  readonly #aheadBytesMax: number;
  /** Places that were found damaged. */
  #damaged: Set<string> | undefined;
  #refs = noRefs;
  /** The series that are loaded: index of the first, and the entries where each begins, then the end. */
  #first = 0;
  #starts: number[] = [0];
  #aheadBytes = 0;

  /** Loads up to `aheadBytesMax` for series that follow one another. */
  constructor(
    kernel: Kernel,
    files: HeadChunkFiles,
    notices: BlockNotices,
    aheadBytesMax = headAheadBytesMax,
  ) {
    this.#kernel = kernel;
    this.#files = files;
    this.#notices = notices;
    this.#table = kernel.createByteBuffer(bufferBytesMax);
    this.#data = kernel.createByteBuffer(bufferBytesMax);
    this.#run = kernel.createByteBuffer(bufferBytesMax);
    this.#order = kernel.createByteBuffer(bufferBytesMax);
    this.#late = new RecordWindow(files);
    this.#aheadBytesMax = aheadBytesMax;
  }

  /** What is loaded of a series of `refs`. */
  filesOf(refs: Uint32Array, series: number): FileChunks {
    return this.filesOfRun(refs, series, 1);
  }

  /** What is loaded of `count` series of `refs` that follow one another, or of the first of them. */
  filesOfRun(refs: Uint32Array, first: number, count: number): FileChunks {
    if (refs !== this.#refs) return noFiles;
    const at = first - this.#first;
    const end = Math.min(at + count, this.#starts.length - 1);
    if (at < 0 || at >= end) return noFiles;
    const start = this.#starts[at]!;
    return { ptr: this.#table.ptr + start * fileChunk.bytes, count: this.#starts[end]! - start };
  }

  /**
   * Loads the chunks of a series of `refs` in the time range, which are good until the next call. Throws BlockUnreadableError when the disk fails, MemoryFullError. What
   * is damaged shows when it is decoded.
   */
  load(refs: Uint32Array, series: number, minTimestampMs: number, maxTimestampMs: number): void {
    const isNext = refs === this.#refs && series === this.#first + this.#starts.length - 1;
    this.#aheadBytes = isNext
      ? Math.min(Math.max(this.#aheadBytes * 4, aheadBytesMin), this.#aheadBytesMax)
      : 0;
    this.#refs = refs;
    this.#first = series;
    this.#starts = [0];
    this.#list(minTimestampMs, maxTimestampMs);
    this.#read();
  }

  /** Reports what `decodeSeries` has marked as damaged among the chunks of a series. */
  noticeDamage(refs: Uint32Array, series: number): void {
    const { ptr, count } = this.filesOf(refs, series);
    for (let i = 0; i < count; i++) {
      const place = this.#placeOf(ptr + i * fileChunk.bytes);
      const isLeftOut = this.#word(ptr + i * fileChunk.bytes, "record") === fileChunk.leftOut;
      if (isLeftOut) this.#noticeOnce(headChunkPlace(place));
    }
  }

  #noticeOnce({ file, offset }: HeadChunkPlace): void {
    const place = `${file}:${offset}`;
    const damaged = (this.#damaged ??= new Set());
    if (damaged.has(place)) return;
    damaged.add(place);
    this.#notices.damaged(
      new BlockDamagedError(this.#files.path(file), offset, "there is another chunk, or a wrong checksum"),
    );
  }

  /**
   * The data of a chunk whose samples came out of order and that is in a file; a copy. Undefined when it is damaged, which is noticed. Throws BlockUnreadableError when the
   * disk fails.
   */
  outOfOrderData(chunk: number, header: HeadChunkHeader): Uint8Array | undefined {
    const place = headChunkPlaceOf(this.#kernel.views, chunk);
    try {
      const masked = { ...header, encoding: header.encoding | outOfOrderMask };
      const data = decodeHeadChunkRecord(this.#kernel, masked, this.#late.read(place));
      if (data === undefined) this.#noticeOnce(place);
      return data;
    } catch (error) {
      if (!(error instanceof BlockDamagedError)) throw error;
      this.#notices.damaged(error);
      return undefined;
    }
  }

  /**
   * The data of a chunk of a series that is in a file, loaded like `load` does if it is not yet; a copy. Undefined when it is damaged, which is noticed, or no longer the
   * series'.
   */
  dataOf(
    refs: Uint32Array,
    series: number,
    chunk: number,
    minTimestampMs: number,
    maxTimestampMs: number,
  ): Uint8Array | undefined {
    let entry = this.#entryOf(refs, series, chunk);
    if (entry === 0) {
      this.load(refs, series, minTimestampMs, maxTimestampMs);
      entry = this.#entryOf(refs, series, chunk);
    }
    if (entry === 0) return undefined;
    const data = this.#kernel.headChunks.dataOf(entry);
    if (data === undefined) this.noticeDamage(refs, series);
    return data;
  }

  #entryOf(refs: Uint32Array, series: number, chunk: number): number {
    const { u32 } = this.#kernel.views;
    const { ptr, count } = this.filesOf(refs, series);
    for (let entry = ptr, end = ptr + count * fileChunk.bytes; entry < end; entry += fileChunk.bytes)
      if (u32[(entry + fileChunk.chunk) >>> 2] === chunk) return entry;
    return 0;
  }

  close(): void {
    this.#table.close();
    this.#data.close();
    this.#run.close();
    this.#order.close();
  }

  /** Lists the chunks of the series, and of those that follow until that is much. */
  #list(minTimestampMs: number, maxTimestampMs: number): void {
    const { headChunks } = this.#kernel;
    let entries = 0;
    let bytes = 0;
    let capacity = 64;
    for (let series = this.#first; series < this.#refs.length; series++) {
      let table = this.#reserveTable(entries, capacity);
      const list = (): number =>
        headChunks.listFileChunks(
          this.#refs[series]!,
          minTimestampMs,
          maxTimestampMs,
          table + entries * fileChunk.bytes,
          capacity - entries,
        );
      for (let count = list(); ; count = list()) {
        if (count <= capacity - entries) {
          for (const end = entries + count; entries < end; entries++)
            bytes += this.#word(table + entries * fileChunk.bytes, "recordBytes");
          break;
        }
        capacity = 2 * (entries + count);
        table = this.#reserveTable(entries, capacity);
      }
      this.#starts.push(entries);
      if (bytes >= this.#aheadBytes || entries >= this.#aheadBytesMax / aheadBytesPerChunk) return;
    }
  }

  #reserveTable(entries: number, capacity: number): number {
    this.#table.setLength(entries * fileChunk.bytes);
    return this.#table.reserve(capacity * fileChunk.bytes);
  }

  /** Reads the records of all entries, in the order of the files, and tells each where its own is. */
  #read(): void {
    const entries = this.#starts.at(-1)!;
    if (entries === 0) return;
    const order = this.#inFileOrder(entries);
    let bytes = 0;
    for (let i = 0; i < entries; i++) bytes += this.#word(this.#entry(i), "recordBytes");
    let ptr = this.#data.reserve(bytes + slackBytes);
    for (let from = 0; from < entries;) {
      const to = this.#endOfRun(order, from);
      ptr = this.#readRun(order.subarray(from, to), ptr);
      from = to;
    }
  }

  /** The entries' indexes in the order of their places. */
  #inFileOrder(entries: number): Uint32Array {
    const ptr = this.#order.reserve(orderTableBytes(entries));
    return this.#kernel.headChunks.orderByPlace(this.#table.ptr, entries, ptr);
  }

  /** Where the run of entries ends that begins at `from`: their records are in one file, and so close that one read gets them all. */
  #endOfRun(order: Uint32Array, from: number): number {
    const start = this.#placeOf(this.#entry(order[from]!));
    const { file } = headChunkPlace(start);
    let end = start;
    let to = from;
    for (; to < order.length; to++) {
      const entry = this.#entry(order[to]!);
      const place = this.#placeOf(entry);
      const recordEnd = place + this.#word(entry, "recordBytes");
      const isNear = place - end <= gapBytesMax && recordEnd - start <= runBytesMax;
      if (to > from && (!isNear || headChunkPlace(place).file !== file)) break;
      end = Math.max(end, recordEnd);
    }
    return to;
  }

  /** Reads a run and puts its records one behind the other to `ptr`; returns where they end. */
  #readRun(run: Uint32Array, ptr: number): number {
    const { headChunks, views } = this.#kernel;
    const start = this.#placeOf(this.#entry(run[0]!));
    const last = this.#entry(run.at(-1)!);
    const length = this.#placeOf(last) + this.#word(last, "recordBytes") - start;
    const from = this.#run.reserve(length);
    const bytes = this.#readFile(start, views.u8.subarray(from, from + length));
    const source = { ptr: from, bytes };
    return headChunks.placeRecords(this.#table.ptr, run.byteOffset, run.length, start, source, ptr);
  }

  /** Bytes that were there; none when the file is damaged, which is noticed. */
  #readFile(place: number, bytes: Uint8Array): number {
    const { file, offset } = headChunkPlace(place);
    try {
      return this.#files.read(file, bytes, offset);
    } catch (error) {
      if (!(error instanceof BlockDamagedError)) throw error;
      this.#notices.damaged(error);
      return 0;
    }
  }

  #entry(i: number): number {
    return this.#table.ptr + i * fileChunk.bytes;
  }

  #placeOf(entry: number): number {
    return this.#kernel.views.f64[(entry + fileChunk.place) / 8]!;
  }

  #word(entry: number, field: "recordBytes" | "record"): number {
    return this.#kernel.views.u32[(entry + fileChunk[field]) >>> 2]!;
  }
}
