import { type Disk, NarthexError } from "../../base/index.ts";
import {
  blockEntriesBytesMax,
  type BlockRun,
  blockSeries,
  type ByteBuffer,
  type Kernel,
} from "../../kernel/index.ts";
import { ByteWriter } from "./bytes.ts";
import { checksumOf } from "./checksum.ts";
import { FileWriter } from "./file-writer.ts";
import { indexMagic, type IndexToc, seriesAlignmentBytes } from "./index-format.ts";
import type { IndexSymbols } from "./index-symbols.ts";
import { PostingsLists } from "./postings-lists.ts";

const indexVersion = 2;
const postingsAlignmentBytes = 4;
const u32Bytes = 4;
/** A section of many entries is handed to the file in pieces of about this size. */
const pieceBytes = 65_536;
/** Bounds what the series of one run take. */
const entriesBytesMax = 256 * 1024 * 1024;

/**
 * Writes an index of version 2: first its symbols, then series as they come, at the end their postings. In memory are the symbols, the label pairs and one u32 per label of each
 * series, none of them in the heap. Owned by who made it, who must `finish` or `abandon` it.
 */
export class IndexWriter {
  readonly #kernel: Kernel;
  readonly #symbols: IndexSymbols;
  readonly #lists = new PostingsLists();
  readonly #entries: ByteBuffer;
  readonly #out = new ByteWriter(2 * pieceBytes);
  readonly #toc: { -readonly [section in keyof IndexToc]: number };
  /** Labels of the series that was added last. */
  #previous: Uint32Array | undefined;
  #file: FileWriter | undefined;

  /** Throws the disk's error. */
  constructor(kernel: Kernel, disk: Disk, path: string, symbols: IndexSymbols) {
    this.#kernel = kernel;
    this.#symbols = symbols;
    this.#entries = kernel.createByteBuffer(entriesBytesMax);
    const file = (this.#file = new FileWriter(disk, path));
    try {
      file.write(new ByteWriter().u32(indexMagic).u8(indexVersion).view());
      const start = file.position;
      this.#writeEntries(symbols.length, (symbol, out) => this.#writeText(out, symbol));
      this.#toc = {
        symbols: start,
        series: file.position,
        labelIndices: 0,
        labelIndicesTable: 0,
        postings: 0,
        postingsTable: 0,
      };
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Adds series; those without chunks are left out. Throws `bad_data` when one does not come after the one before, or the disk's error. */
  add(run: BlockRun): void {
    const { exports, views } = this.#kernel;
    this.#checkOrder(run);
    const file = this.#file!;
    file.pad(seriesAlignmentBytes);
    const unit = file.position / seriesAlignmentBytes;
    const out = this.#entries.reserve(blockEntriesBytesMax(run));
    const { seriesPtr, count, wordsPtr, chunksPtr } = run;
    const bytes = exports.encodeSeriesEntries(seriesPtr, count, wordsPtr, chunksPtr, unit, out);
    if (unit + bytes / seriesAlignmentBytes > 0xffffffff)
      throw new NarthexError("execution", `${file.path}: an index beyond 64 GiB cannot be written`);
    file.write(views.u8.subarray(out, out + bytes));
    this.#forEach(run, (at, words, ref) => this.#lists.add(views.u32, at, words, ref));
  }

  /** Writes what is left and syncs the file. Throws the disk's error; then it must be abandoned. */
  finish(): void {
    const file = this.#file!;
    const toc = this.#toc;
    // Sections that readers no longer look for: empty, and where upstream's newest writer says they would be.
    toc.labelIndices = toc.postings = file.position;
    const lists = this.#lists.sorted(this.#symbols.length);
    const allOffset = this.#writePostings(this.#lists.all);
    const offsets = new Float64Array(lists.count);
    for (let place = 0; place < lists.count; place++) offsets[place] = this.#writePostings(lists.refs(place));
    toc.labelIndicesTable = toc.postingsTable = file.position;
    this.#writeEntries(lists.count + 1, (index, out) => {
      const place = index - 1;
      // The list of all series stands under the empty name and value.
      this.#writeText(out.u8(2), index === 0 ? 0 : lists.name(place));
      this.#writeText(out, index === 0 ? 0 : lists.value(place));
      out.uvarint(index === 0 ? allOffset : offsets[place]!);
    });
    this.#writeToc();
    file.finish();
    this.#file = undefined;
    this.#entries.close();
  }

  abandon(): void {
    this.#file?.abandon();
    this.#file = undefined;
    this.#entries.close();
  }

  #checkOrder(run: BlockRun): void {
    const { u32 } = this.#kernel.views;
    let before = this.#previous;
    let beforeAt = 0;
    let beforeEnd = before?.length ?? 0;
    this.#forEach(run, (at, words) => {
      const end = at + words;
      if (before !== undefined && compareWords(before, beforeAt, beforeEnd, u32, at, end) >= 0) {
        const late = this.#describe(u32, at, end);
        const last = this.#describe(before, beforeAt, beforeEnd);
        throw new NarthexError("bad_data", `series ${late} does not follow ${last}`);
      }
      before = u32;
      beforeAt = at;
      beforeEnd = end;
    });
    this.#previous = before?.slice(beforeAt, beforeEnd);
  }

  /** Calls with each series that has chunks: the index of its first word, how many words it has, its ref. */
  #forEach(
    { seriesPtr, count, wordsPtr }: BlockRun,
    visit: (at: number, words: number, ref: number) => void,
  ): void {
    const { u32 } = this.#kernel.views;
    let at = wordsPtr >>> 2;
    for (let i = 0; i < count; i++) {
      const series = (seriesPtr + i * blockSeries.bytes) >>> 2;
      const words = u32[series + blockSeries.words / 4]!;
      const chunks = u32[series + blockSeries.chunks / 4]!;
      if (chunks > 0) visit(at, words, u32[series + blockSeries.ref / 4]!);
      at += words;
    }
  }

  /** The symbol's bytes behind their length. */
  #writeText(out: ByteWriter, symbol: number): void {
    const bytes = this.#symbols.bytesOf(symbol);
    out.uvarint(bytes.length).bytes(bytes);
  }

  /** A section of `count` entries: u32 length, u32 count, the entries, u32 CRC-32C from the count on. */
  #writeEntries(count: number, encode: (index: number, out: ByteWriter) => void): void {
    const file = this.#file!;
    const start = file.position;
    file.write(Buffer.alloc(u32Bytes));
    const out = this.#out.clear().u32(count);
    let crc = 0;
    const flush = (): void => {
      crc = checksumOf(this.#kernel, out.view(), crc);
      file.write(out.view());
      out.clear();
    };
    for (let index = 0; index < count; index++) {
      encode(index, out);
      if (out.length > pieceBytes) flush();
    }
    flush();
    const length = file.position - start - u32Bytes;
    if (length > 0xffffffff)
      throw new NarthexError("execution", `${file.path}: a section beyond 4 GiB cannot be written`);
    file.write(out.u32(crc).view());
    file.patch(start, out.clear().u32(length).view());
  }

  /** Returns where the list is. */
  #writePostings(refs: Uint32Array): number {
    const file = this.#file!;
    file.pad(postingsAlignmentBytes);
    const offset = file.position;
    const out = this.#out
      .clear()
      .u32((refs.length + 1) * u32Bytes)
      .u32(refs.length);
    let crc = checksumOf(this.#kernel, out.view().subarray(u32Bytes));
    file.write(out.view());
    for (let at = 0; at < refs.length; at += pieceBytes / u32Bytes) {
      // A copy, which becomes big-endian.
      const words = refs.slice(at, at + pieceBytes / u32Bytes);
      const bytes = Buffer.from(words.buffer).swap32();
      crc = checksumOf(this.#kernel, bytes, crc);
      file.write(bytes);
    }
    file.write(out.clear().u32(crc).view());
    return offset;
  }

  #writeToc(): void {
    const toc = this.#toc;
    const out = this.#out.clear();
    out.u64(toc.symbols).u64(toc.series).u64(toc.labelIndices);
    out.u64(toc.labelIndicesTable).u64(toc.postings).u64(toc.postingsTable);
    this.#file!.write(out.u32(checksumOf(this.#kernel, out.view())).view());
  }

  #describe(words: Uint32Array, start: number, end: number): string {
    const parts: string[] = [];
    for (let at = start; at < end; at += 2)
      parts.push(`${this.#symbols.text(words[at]!)}=${this.#symbols.text(words[at + 1]!)}`);
    return `{${parts.join(", ")}}`;
  }
}

/** Orders two label sets as series must be ordered: symbols are in the order of their texts. */
export function compareWords(
  a: Uint32Array,
  aStart: number,
  aEnd: number,
  b: Uint32Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const order = a[aStart + i]! - b[bStart + i]!;
    if (order !== 0) return order;
  }
  return aEnd - aStart - (bEnd - bStart);
}
