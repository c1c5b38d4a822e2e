import type { Kernel } from "../../kernel/index.ts";
import { hashBytes } from "../head/text-hash.ts";
import { ByteCursor, compareBytes } from "./bytes.ts";
import type { BlockFile } from "./file.ts";
import type { IndexVersion } from "./index-format.ts";
import { findSection, scanSection, type Section } from "./section.ts";

/** One symbol in so many has its offset in memory; the others are walked to. */
const sampling = 32;
/** Symbols whose hashes are kept, 4 bytes each; of larger tables they are computed each time. */
const hashesMax = 8 * 1024 * 1024;
const countBytes = 4;
/** Slots in the cache. */
const samplesSlot = -1;
const hashesSlot = -2;

/** A symbol and the bytes of its string. */
export interface SymbolEntry {
  readonly symbol: number;
  readonly bytes: Buffer;
}

interface Samples {
  readonly count: number;
  /** File offsets of every 32nd symbol, and of the end. */
  readonly offsets: Float64Array;
}

/**
 * The strings of an index. A symbol is a string's number in their order, or its file offset in version 1. Nothing is in memory
 * for good but the place of the section.
 */
export class SymbolTable {
  readonly #kernel: Kernel;
  readonly #file: BlockFile;
  readonly #version: IndexVersion;
  readonly #section: Section;
  readonly #cursor = new ByteCursor();

  /** Throws BlockDamagedError when the section is not within the file. */
  constructor(kernel: Kernel, file: BlockFile, offset: number, version: IndexVersion) {
    this.#kernel = kernel;
    this.#file = file;
    this.#version = version;
    this.#section = findSection(file, offset);
  }

  /** How many there are. */
  get count(): number {
    return this.#samples().count;
  }

  /** Whether symbols are offsets instead of numbers from 0 on. */
  get isByOffset(): boolean {
    return this.#version === 1;
  }

  /** All strings in their order. Throws BlockDamagedError. */
  *entries(): Generator<SymbolEntry, undefined> {
    const { count, offsets } = this.#samples();
    const cursor = new ByteCursor();
    let before: Buffer | undefined;
    for (let number = 0; number < count; number++) {
      const group = number / sampling;
      if (Number.isInteger(group))
        this.#file.view(offsets[group]!, offsets[group + 1]! - offsets[group]!, cursor);
      const symbol = this.isByOffset ? cursor.offset : number;
      const length = cursor.uvarint();
      const start = cursor.skip(length);
      const bytes = cursor.bytes.subarray(start, start + length);
      if (before !== undefined && before.compare(bytes) >= 0) cursor.fail("symbols are not in order");
      yield { symbol, bytes };
      before = bytes;
    }
    return undefined;
  }

  /** Throws that the symbol is not there. */
  fail(symbol: number): never {
    return this.#file.view(this.#section.start, 0, this.#cursor).fail(`there is no symbol ${symbol}`);
  }

  text(symbol: number): string {
    const { cache, number } = this.#file;
    const known = cache.text(number, symbol);
    if (known !== undefined) return known;
    const cursor = this.#seek(symbol);
    return cache.putText(number, symbol, cursor.text(cursor.uvarint()));
  }

  /** `hashBytes` of the string. */
  hash(symbol: number): number {
    const hashes = this.#hashes();
    // 0 stands for "not yet", so the rare string that hashes to 0 is hashed each time.
    const known = hashes?.[symbol] ?? 0;
    if (known !== 0) return known;
    const cursor = this.#seek(symbol);
    const length = cursor.uvarint();
    const hash = hashBytes(cursor.bytes, cursor.skip(length), length);
    if (hashes !== undefined) hashes[symbol] = hash;
    return hash;
  }

  /** The symbol of a string, or undefined when the block has no such label name or value. */
  find(text: string): number | undefined {
    const { count, offsets } = this.#samples();
    const key = Buffer.from(text);
    let low = 0;
    let high = Math.ceil(count / sampling);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compareNext(this.#group(offsets, middle), key) <= 0) low = middle;
      else high = middle;
    }
    if (high === 0) return undefined;
    const cursor = this.#group(offsets, low);
    for (let symbol = low * sampling; cursor.left > 0; symbol++) {
      const offset = cursor.offset;
      const order = this.#compareNext(cursor, key);
      if (order === 0) return this.#version === 1 ? offset : symbol;
      if (order > 0) return undefined;
    }
    return undefined;
  }

  /** Reads the whole section. Throws BlockDamagedError when it does not hold together. */
  verify(): void {
    this.#scan();
  }

  /** A cursor at the symbol's length. */
  #seek(symbol: number): ByteCursor {
    if (this.#version === 1) return this.#seekOffset(symbol);
    const { count, offsets } = this.#samples();
    if (symbol >= count) this.fail(symbol);
    const cursor = this.#group(offsets, Math.floor(symbol / sampling));
    for (let skip = symbol % sampling; skip > 0; skip--) cursor.skip(cursor.uvarint());
    return cursor;
  }

  #seekOffset(offset: number): ByteCursor {
    const { start, end } = this.#section;
    const cursor = this.#cursor;
    if (offset < start + countBytes || offset >= end)
      this.#file.view(start, 0, cursor).fail(`there is no symbol at ${offset}`);
    this.#file.view(offset, Math.min(10, end - offset), cursor);
    const length = cursor.uvarint();
    const headerBytes = cursor.offset - offset;
    this.#file.check(offset, headerBytes + length);
    return this.#file.view(offset, headerBytes + length, cursor);
  }

  /** A cursor over a stretch of 32 symbols. */
  #group(offsets: Float64Array, group: number): ByteCursor {
    const start = offsets[group]!;
    return this.#file.view(start, offsets[group + 1]! - start, this.#cursor);
  }

  #compareNext(cursor: ByteCursor, key: Uint8Array): number {
    const length = cursor.uvarint();
    const start = cursor.skip(length);
    return compareBytes(cursor.bytes, start, start + length, key);
  }

  #samples(): Samples {
    const { cache, number } = this.#file;
    const known = cache.get(number, samplesSlot) as Samples | undefined;
    if (known !== undefined) return known;
    const samples = this.#scan();
    return cache.put(number, samplesSlot, samples, samples.offsets.byteLength);
  }

  #scan(): Samples {
    const { start, end } = this.#section;
    const count = this.#file.view(start, countBytes, new ByteCursor()).u32();
    // An entry has at least its length's byte: a damaged count cannot make us allocate more than the file is long.
    if (count > end - start)
      this.#file.view(start, 0, this.#cursor).fail(`${count} symbols do not fit the section`);
    const offsets = new Float64Array(Math.ceil(count / sampling) + 1);
    let seen = 0;
    let last = start + countBytes;
    const visit = (cursor: ByteCursor, offset: number): void => {
      cursor.skip(cursor.uvarint());
      if (seen % sampling === 0) offsets[seen / sampling] = offset;
      seen++;
      last = cursor.offset;
    };
    scanSection(this.#kernel, this.#file, this.#section, start + countBytes, count, visit);
    offsets[offsets.length - 1] = last;
    return { count, offsets };
  }

  #hashes(): Uint32Array | undefined {
    if (this.#version === 1 || this.count > hashesMax) return undefined;
    const { cache, number } = this.#file;
    const known = cache.get(number, hashesSlot) as Uint32Array | undefined;
    if (known !== undefined) return known;
    const hashes = new Uint32Array(this.count);
    return cache.put(number, hashesSlot, hashes, hashes.byteLength);
  }
}
