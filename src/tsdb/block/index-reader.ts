import type { Disk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { ByteCursor } from "./bytes.ts";
import type { BlockCache } from "./cache.ts";
import { checksumOf } from "./checksum.ts";
import { BlockFile } from "./file.ts";
import {
  allPostingsKey,
  indexHeaderBytes,
  indexMagic,
  type IndexToc,
  type IndexVersion,
  seriesAlignmentBytes,
  tocBytes,
} from "./index-format.ts";
import { PostingsTable } from "./postings-table.ts";
import { findSection, readSection } from "./section.ts";
import type { LabelTest, SeriesEntry } from "./series-entry.ts";
import { SymbolTable } from "./symbol-table.ts";

const noRefs = new Uint32Array(0);
const uvarintBytesMax = 10;
const checksumBytes = 4;
const refBytes = 4;

/** An index file as one thread reads it: what is asked for is read through the cache. Owned by who opened it, who must `close` it. */
export class IndexReader {
  readonly version: IndexVersion;
  readonly toc: IndexToc;
  readonly symbols: SymbolTable;
  readonly postingsTable: PostingsTable;
  readonly #kernel: Kernel;
  readonly #file: BlockFile;
  readonly #cursor = new ByteCursor();

  /** Throws the disk's error, or BlockDamagedError when header or table of contents are not in order. */
  constructor(kernel: Kernel, disk: Disk, path: string, cache: BlockCache) {
    this.#kernel = kernel;
    this.#file = new BlockFile(disk, path, cache);
    try {
      this.version = readHeader(this.#file);
      this.toc = readToc(kernel, this.#file);
      this.symbols = new SymbolTable(kernel, this.#file, this.toc.symbols, this.version);
      this.postingsTable = new PostingsTable(kernel, this.#file, this.toc.postingsTable);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get path(): string {
    return this.#file.path;
  }

  close(): void {
    this.#file.close();
  }

  /** The refs of the series with this label, ascending, which is the order of their labels. */
  postings(name: string, value: string): Uint32Array {
    const offset = this.postingsTable.find(name, value);
    return offset === undefined ? noRefs : this.postingsAt(offset);
  }

  allPostings(): Uint32Array {
    return this.postings(allPostingsKey, allPostingsKey);
  }

  /** A list that the postings table leads to. Throws BlockDamagedError. */
  postingsAt(offset: number): Uint32Array {
    const section = findSection(this.#file, offset);
    const count = this.postingsCount(offset);
    if ((count + 1) * refBytes !== section.end - section.start)
      this.#cursor.fail(`list of ${count} series in ${section.end - section.start} bytes`);
    const content = readSection(this.#kernel, this.#file, section);
    content.subarray(refBytes).swap32();
    const refs = new Uint32Array(content.buffer, content.byteOffset + refBytes, count);
    for (let i = 1; i < count; i++)
      if (refs[i]! <= refs[i - 1]!)
        this.#file.view(offset, 0, this.#cursor).fail("list of series is not ascending");
    return refs;
  }

  /** The length of a list, which is not read. */
  postingsCount(offset: number): number {
    return this.#file.view(offset + refBytes, refBytes, this.#cursor).u32();
  }

  /** Reads a series, without its chunks when `isWanted` says no. Throws BlockDamagedError. */
  readSeries(ref: number, entry: SeriesEntry, isWanted?: LabelTest): void {
    const offset = this.version === 1 ? ref : ref * seriesAlignmentBytes;
    const cursor = this.#cursor;
    const file = this.#file;
    file.view(offset, Math.min(uvarintBytesMax, Math.max(0, file.sizeBytes - offset)), cursor);
    const length = cursor.uvarint();
    const start = cursor.offset;
    file.view(start, length + checksumBytes, cursor);
    const content = cursor.bytes.subarray(cursor.at, cursor.at + length);
    const expected = cursor.bytes.readUInt32BE(cursor.at + length);
    if (checksumOf(this.#kernel, content) !== expected) cursor.fail(`wrong checksum of series ${ref}`);
    cursor.end -= checksumBytes;
    entry.read(ref, cursor, isWanted);
  }

  /** Reads symbols, postings and series all over. Throws BlockDamagedError at the first fault. */
  verify(visitSeries: (entry: SeriesEntry) => void, entry: SeriesEntry): void {
    this.symbols.verify();
    this.postingsTable.verify();
    for (const name of this.postingsTable.names())
      this.postingsTable.forEachValue(name, ({ offset }) => void this.postingsAt(offset));
    for (const ref of this.allPostings()) {
      this.readSeries(ref, entry);
      visitSeries(entry);
    }
  }
}

function readHeader(file: BlockFile): IndexVersion {
  const cursor = file.view(0, indexHeaderBytes, new ByteCursor());
  if (cursor.u32() !== indexMagic) cursor.fail("this is no index: wrong magic number");
  const version = cursor.u8();
  if (version !== 1 && version !== 2) cursor.fail(`index version ${version} is unknown, 1 and 2 are`);
  return version as IndexVersion;
}

function readToc(kernel: Kernel, file: BlockFile): IndexToc {
  const offset = Math.max(0, file.sizeBytes - tocBytes);
  const bytes = file.bytes(offset, tocBytes);
  const cursor = new ByteCursor().set(file.path, offset, bytes, 0, tocBytes);
  const crc = bytes.readUInt32BE(tocBytes - checksumBytes);
  if (checksumOf(kernel, bytes.subarray(0, -checksumBytes)) !== crc)
    cursor.fail("wrong checksum of the table of contents");
  return {
    symbols: cursor.u64(),
    series: cursor.u64(),
    labelIndices: cursor.u64(),
    labelIndicesTable: cursor.u64(),
    postings: cursor.u64(),
    postingsTable: cursor.u64(),
  };
}
