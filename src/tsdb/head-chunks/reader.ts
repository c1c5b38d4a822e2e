import {
  type ByteBuffer,
  fileChunk,
  type FileChunks,
  type HeadChunkPlace,
  headChunkPlace,
  headChunkPlaceOf,
  type Kernel,
} from "../../kernel/index.ts";
import { BlockDamagedError, type BlockNotices } from "../block/damage.ts";
import type { HeadChunkFiles } from "./files.ts";
import { outOfOrderMask } from "./format.ts";
import { decodeHeadChunkRecord, type HeadChunkHeader } from "./record.ts";

/** Bytes loaded for series that follow one another, at first and at most; it grows fourfold. A single series loads its own alone. */
const aheadBytesMin = 16 * 1024;
const aheadBytesMax = 1024 * 1024;
const aheadChunksMax = 8192;
/** What lies between two chunks is read with them when it is no longer. */
const gapBytesMax = 4096;
/** Bounds what one series may need at a time. */
const bufferBytesMax = 256 * 1024 * 1024;
/** Decoding loads up to so many bytes behind a chunk. */
const slackBytes = 64;

const noRefs: Uint32Array = new Uint32Array(0);
const noFiles: FileChunks = { ptr: 0, count: 0 };

/** Records that lie so close that one read gets them all. */
interface Run {
  readonly start: number;
  end: number;
  ptr: number;
  readBytes: number;
}

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
  /** Places that were found damaged. */
  #damaged: Set<string> | undefined;
  #refs = noRefs;
  /** The series that are loaded: index of the first, and the entries where each begins, then the end. */
  #first = 0;
  #starts: number[] = [0];
  #aheadBytes = 0;

  constructor(kernel: Kernel, files: HeadChunkFiles, notices: BlockNotices) {
    this.#kernel = kernel;
    this.#files = files;
    this.#notices = notices;
    this.#table = kernel.createByteBuffer(bufferBytesMax);
    this.#data = kernel.createByteBuffer(bufferBytesMax);
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
    this.#aheadBytes = isNext ? Math.min(Math.max(this.#aheadBytes * 4, aheadBytesMin), aheadBytesMax) : 0;
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
    const bytes = new Uint8Array(place.recordBytesMax);
    try {
      const read = this.#files.read(place.file, bytes, place.offset);
      const masked = { ...header, encoding: header.encoding | outOfOrderMask };
      const data = decodeHeadChunkRecord(this.#kernel, masked, bytes.subarray(0, read));
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
      if (bytes >= this.#aheadBytes || entries >= aheadChunksMax) return;
    }
  }

  #reserveTable(entries: number, capacity: number): number {
    this.#table.setLength(entries * fileChunk.bytes);
    return this.#table.reserve(capacity * fileChunk.bytes);
  }

  /** Reads the records of all entries, and tells each where its own is. */
  #read(): void {
    const entries = this.#starts.at(-1)!;
    if (entries === 0) return;
    const { u32 } = this.#kernel.views;
    const { places, ranks } = this.#ranked(entries);
    const runs = this.#runs(entries, places, ranks);
    let run = -1;
    const runOf = new Uint32Array(entries);
    for (let rank = 0; rank < entries; rank++) {
      if (run + 1 < runs.length && places[rank]! >= runs[run + 1]!.start) run++;
      runOf[rank] = run;
    }
    this.#readRuns(runs);
    for (let i = 0; i < entries; i++) {
      const entry = this.#table.ptr + i * fileChunk.bytes;
      const rank = ranks[i]!;
      const { start, ptr, readBytes } = runs[runOf[rank]!]!;
      const offset = places[rank]! - start;
      const left = Math.max(0, readBytes - offset);
      u32[(entry + fileChunk.record) >>> 2] = ptr + offset;
      u32[(entry + fileChunk.recordBytes) >>> 2] = Math.min(left, this.#word(entry, "recordBytes"));
    }
  }

  /** The places of all entries in order, and which of them each entry has. */
  #ranked(entries: number): { places: Float64Array; ranks: Uint32Array } {
    const places = new Float64Array(entries);
    let isAscending = true;
    for (let i = 0; i < entries; i++) {
      places[i] = this.#placeOf(this.#table.ptr + i * fileChunk.bytes);
      if (i > 0 && places[i]! < places[i - 1]!) isAscending = false;
    }
    const ranks = new Uint32Array(entries);
    if (isAscending) for (let i = 0; i < entries; i++) ranks[i] = i;
    else {
      const unsorted = places.slice();
      places.sort();
      for (let i = 0; i < entries; i++) ranks[i] = lowerBound(places, unsorted[i]!);
    }
    return { places, ranks };
  }

  #runs(entries: number, places: Float64Array, ranks: Uint32Array): Run[] {
    const bytes = new Uint32Array(entries);
    for (let i = 0; i < entries; i++)
      bytes[ranks[i]!] = this.#word(this.#table.ptr + i * fileChunk.bytes, "recordBytes");
    const runs: Run[] = [];
    let last: Run | undefined;
    for (let rank = 0; rank < entries; rank++) {
      const start = places[rank]!;
      const end = start + bytes[rank]!;
      const isNear =
        last !== undefined &&
        start - last.end <= gapBytesMax &&
        headChunkPlace(start).file === headChunkPlace(last.start).file;
      if (isNear) last!.end = Math.max(last!.end, end);
      else runs.push((last = { start, end, ptr: 0, readBytes: 0 }));
    }
    return runs;
  }

  #readRuns(runs: readonly Run[]): void {
    const { u8 } = this.#kernel.views;
    const bytes = runs.reduce((sum, { start, end }) => sum + end - start, 0);
    let ptr = this.#data.reserve(bytes + slackBytes);
    for (const run of runs) {
      const length = run.end - run.start;
      const { file, offset } = headChunkPlace(run.start);
      run.ptr = ptr;
      try {
        run.readBytes = this.#files.read(file, u8.subarray(ptr, ptr + length), offset);
      } catch (error) {
        if (!(error instanceof BlockDamagedError)) throw error;
        this.#notices.damaged(error);
      }
      ptr += length;
    }
  }

  #placeOf(entry: number): number {
    return this.#kernel.views.f64[(entry + fileChunk.place) / 8]!;
  }

  #word(entry: number, field: "recordBytes" | "record"): number {
    return this.#kernel.views.u32[(entry + fileChunk[field]) >>> 2]!;
  }
}

/** The index of the first element that is not below `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
