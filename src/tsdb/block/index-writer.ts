import { type Disk, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { compareStrings } from "../../model/index.ts";
import { ByteWriter } from "./bytes.ts";
import { checksumOf } from "./checksum.ts";
import { FileWriter } from "./file-writer.ts";
import { allPostingsKey, indexMagic, type IndexToc, seriesAlignmentBytes } from "./index-format.ts";
import { PairInterner } from "./pair-interner.ts";
import { Spool } from "./spool.ts";

const indexVersion = 2;
const postingsAlignmentBytes = 4;
const u32Bytes = 4;
/** A section of many entries is handed to the file in pieces of about this size. */
const pieceBytes = 65_536;

/** The chunks of one series in the order of their times. */
export interface ChunkMetas {
  readonly count: number;
  readonly minTimesMs: ArrayLike<number>;
  readonly maxTimesMs: ArrayLike<number>;
  readonly refs: ArrayLike<number>;
}

/**
 * Writes an index of version 2 from a stream of series. Series wait in a temporary file, because the symbols come first in an index and are known
 * last; in memory are the symbols, the label pairs and, at the end, one u32 per label of each series.
 */
export class IndexWriter {
  readonly #kernel: Kernel;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #spool: Spool;
  readonly #symbols = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #pairs = new PairInterner();
  readonly #record = new ByteWriter();
  #previous: Uint32Array = new Uint32Array(0);
  #seriesCount = 0;
  #file: FileWriter | undefined;

  /** Throws the disk's error. */
  constructor(kernel: Kernel, disk: Disk, path: string) {
    this.#kernel = kernel;
    this.#disk = disk;
    this.#path = path;
    this.#spool = new Spool(disk, `${path}.spool`);
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  /** The number that stands for a string until the index is written. */
  intern(text: string): number {
    let symbol = this.#symbols.get(text);
    if (symbol === undefined) {
      symbol = this.#texts.push(text) - 1;
      this.#symbols.set(text, symbol);
    }
    return symbol;
  }

  /** Orders two label sets of interned names and values as series must be ordered. */
  compare(a: Uint32Array, b: Uint32Array): number {
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++)
      if (a[i] !== b[i]) return compareStrings(this.#texts[a[i]!]!, this.#texts[b[i]!]!);
    return a.length - b.length;
  }

  /** Adds a series. Throws `bad_data` when it does not come after the one before, or the disk's error. */
  add(labels: Uint32Array, chunks: ChunkMetas): void {
    if (this.#seriesCount > 0 && this.compare(this.#previous, labels) >= 0)
      throw new NarthexError(
        "bad_data",
        `series ${this.#describe(labels)} does not follow ${this.#describe(this.#previous)}`,
      );
    this.#previous = labels.slice();
    const record = this.#record.clear().u32(labels.length / 2);
    for (let i = 0; i < labels.length; i += 2) record.u32(this.#pairs.add(labels[i]!, labels[i + 1]!));
    encodeChunkMetas(record, chunks);
    this.#spool.add(record);
    this.#seriesCount++;
  }

  /** Writes the file and syncs it. Throws the disk's error; then it must be abandoned. */
  finish(): void {
    const order = this.#orderSymbols();
    const ranks = new Uint32Array(order.length);
    order.forEach((symbol, rank) => (ranks[symbol] = rank));
    const file = (this.#file = new FileWriter(this.#disk, this.#path));
    file.write(new ByteWriter().u32(indexMagic).u8(indexVersion).view());
    const symbols = file.position;
    this.#writeEntries(order.length, (index, out) => out.text(this.#texts[order[index]!]!));
    const series = file.position;
    const lists = new PostingsLists(this.#pairs, this.#seriesCount);
    this.#writeSeries(ranks, lists);
    // Sections that readers no longer look for: empty, and where upstream's newest writer says they would be.
    const labelIndices = file.position;
    const postings = file.position;
    const pairs = this.#orderPairs(ranks);
    const offsets = new Float64Array(pairs.length + 1);
    offsets[0] = this.#writePostings(lists.all);
    pairs.forEach((pair, index) => (offsets[index + 1] = this.#writePostings(lists.of(pair))));
    const labelIndicesTable = file.position;
    const postingsTable = file.position;
    this.#writeEntries(offsets.length, (index, out) => {
      const pair = pairs[index - 1];
      out.u8(2);
      if (pair === undefined) out.text(allPostingsKey).text(allPostingsKey);
      else out.text(this.#texts[this.#pairs.firsts[pair]!]!).text(this.#texts[this.#pairs.seconds[pair]!]!);
      out.uvarint(offsets[index]!);
    });
    this.#writeToc({ symbols, series, labelIndices, labelIndicesTable, postings, postingsTable });
    file.finish();
    this.#file = undefined;
    this.#spool.remove();
  }

  abandon(): void {
    this.#file?.abandon();
    this.#file = undefined;
    this.#spool.remove();
  }

  /** Symbols in the order of their bytes; the empty one is among them, as in upstream's blocks. */
  #orderSymbols(): Uint32Array {
    this.intern(allPostingsKey);
    const texts = this.#texts;
    return Uint32Array.from(texts.keys()).sort((a, b) => compareStrings(texts[a]!, texts[b]!));
  }

  #orderPairs(ranks: Uint32Array): Uint32Array {
    const { firsts, seconds, size } = this.#pairs;
    return Uint32Array.from({ length: size }, (_, pair) => pair).sort(
      (a, b) => ranks[firsts[a]!]! - ranks[firsts[b]!]! || ranks[seconds[a]!]! - ranks[seconds[b]!]!,
    );
  }

  /** A section of `count` entries: u32 length, u32 count, the entries, u32 CRC-32C from the count on. */
  #writeEntries(count: number, encode: (index: number, out: ByteWriter) => void): void {
    const file = this.#file!;
    const start = file.position;
    file.write(Buffer.alloc(u32Bytes));
    const out = new ByteWriter(2 * pieceBytes).u32(count);
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
      throw new NarthexError("execution", `${this.#path}: a section beyond 4 GiB cannot be written`);
    file.write(out.u32(crc).view());
    file.patch(start, out.clear().u32(length).view());
  }

  #writeSeries(ranks: Uint32Array, lists: PostingsLists): void {
    const file = this.#file!;
    const { firsts, seconds } = this.#pairs;
    const content = new ByteWriter();
    const frame = new ByteWriter(64);
    this.#spool.forEach((record) => {
      file.pad(seriesAlignmentBytes);
      const ref = file.position / seriesAlignmentBytes;
      if (ref > 0xffffffff)
        throw new NarthexError("execution", `${this.#path}: an index beyond 64 GiB cannot be written`);
      const labels = record.u32();
      content.clear().uvarint(labels);
      for (let i = 0; i < labels; i++) {
        const pair = record.u32();
        lists.add(pair, ref);
        content.uvarint(ranks[firsts[pair]!]!).uvarint(ranks[seconds[pair]!]!);
      }
      content.bytes(record.bytes.subarray(record.at, record.end));
      lists.addToAll(ref);
      file.write(frame.clear().uvarint(content.length).view());
      file.write(content.view());
      file.write(frame.clear().u32(checksumOf(this.#kernel, content.view())).view());
    });
  }

  /** Returns where the list is. */
  #writePostings(refs: Uint32Array): number {
    const file = this.#file!;
    file.pad(postingsAlignmentBytes);
    const offset = file.position;
    // A copy: the count, then the refs, big-endian.
    const words = new Uint32Array(refs.length + 1);
    words[0] = refs.length;
    words.set(refs, 1);
    const bytes = Buffer.from(words.buffer).swap32();
    file.write(this.#record.clear().u32(bytes.length).view());
    file.write(bytes);
    file.write(this.#record.clear().u32(checksumOf(this.#kernel, bytes)).view());
    return offset;
  }

  #writeToc(toc: IndexToc): void {
    const out = this.#record.clear();
    out.u64(toc.symbols).u64(toc.series).u64(toc.labelIndices);
    out.u64(toc.labelIndicesTable).u64(toc.postings).u64(toc.postingsTable);
    this.#file!.write(out.u32(checksumOf(this.#kernel, out.view())).view());
  }

  #describe(labels: Uint32Array): string {
    const parts: string[] = [];
    for (let i = 0; i < labels.length; i += 2)
      parts.push(`${this.#texts[labels[i]!]}=${this.#texts[labels[i + 1]!]}`);
    return `{${parts.join(", ")}}`;
  }
}

/** For each label pair the refs of its series, all in one array; the pairs' counts say where each list begins. */
class PostingsLists {
  readonly all: Uint32Array;
  readonly #refs: Uint32Array;
  /** By pair: where its list begins, and where its next ref goes. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  #allCount = 0;

  constructor({ counts, size }: PairInterner, seriesCount: number) {
    this.all = new Uint32Array(seriesCount);
    this.#starts = new Float64Array(size);
    let total = 0;
    for (let pair = 0; pair < size; pair++) {
      this.#starts[pair] = total;
      total += counts[pair]!;
    }
    this.#ends = this.#starts.slice();
    this.#refs = new Uint32Array(total);
  }

  add(pair: number, ref: number): void {
    this.#refs[this.#ends[pair]!++] = ref;
  }

  addToAll(ref: number): void {
    this.all[this.#allCount++] = ref;
  }

  of(pair: number): Uint32Array {
    return this.#refs.subarray(this.#starts[pair], this.#ends[pair]);
  }
}

/** As in a series: the first chunk's times and ref, then differences. */
function encodeChunkMetas(out: ByteWriter, { count, minTimesMs, maxTimesMs, refs }: ChunkMetas): void {
  out.uvarint(count);
  for (let i = 0; i < count; i++) {
    if (i === 0) out.varint(minTimesMs[0]!);
    else out.uvarint(minTimesMs[i]! - maxTimesMs[i - 1]!);
    out.uvarint(maxTimesMs[i]! - minTimesMs[i]!);
    if (i === 0) out.uvarint(refs[0]!);
    else out.varint(refs[i]! - refs[i - 1]!);
  }
}
