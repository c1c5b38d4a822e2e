import { NarthexError } from "../../base/index.ts";
import { type Kernel, layout } from "../../kernel/index.ts";
import type { Breathe } from "./slicer.ts";
import { hashBytes } from "./text-hash.ts";

/**
 * Interned strings. A symbol is the address of { u32 lengthBytes, UTF-8 bytes }; before it stand { u32 hash, u32 uses }. Equal strings have equal
 * symbols. The table is { u32 capacity, u32 occupied, u32 symbol × capacity }, open addressing; 0 marks a free entry, 1 a removed one, which
 * is not used again.
 */
const symbolHeaderBytes = 8;
const hashOffset = -8;
const usesOffset = -4;
const tableHeaderWords = 2;
const capacityMin = 1024;
const removed = 1;
const rootIndex = layout.headWord.symbols >>> 2;
const generationIndex = layout.headWord.symbolGeneration >>> 2;
/** Longest string that can be interned; labels have limits far below. */
const textBytesMax = 16 * 1024 * 1024;
/** Texts a thread remembers before it forgets them all. */
const textsMax = 200_000;

/** The texts that a thread has decoded and the symbols it has found, shared by its readers one after the other. */
export class SymbolTexts {
  readonly texts = new Map<number, string>();
  readonly symbols = new Map<string, number>();
  generation = 0;
  #buffer: Buffer | undefined;

  /** All of the memory, to decode from. */
  buffer(memory: Uint8Array): Buffer {
    return (this.#buffer ??= Buffer.from(memory.buffer));
  }
}

/**
 * What any thread may ask within one stay in an epoch, which must have begun before the reader is made: a symbol's address
 * may mean another string afterwards.
 */
export class SymbolReader {
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #buffer: Buffer;
  readonly #cache: SymbolTexts;
  readonly #generation: number;

  constructor(kernel: Kernel, cache = new SymbolTexts()) {
    this.#u8 = kernel.views.u8;
    this.#u32 = kernel.views.u32;
    this.#buffer = cache.buffer(this.#u8);
    this.#cache = cache;
    this.#generation = Atomics.load(this.#u32, generationIndex);
  }

  /** The symbol of a string, or 0 when nobody uses it. */
  find(text: string): number {
    const cache = this.#currentCache();
    const known = cache?.symbols.get(text);
    if (known !== undefined) return known;
    const symbol = this.#lookUp(text);
    // What is missing may be there the next time.
    if (symbol !== 0) cache?.symbols.set(text, symbol);
    return symbol;
  }

  #lookUp(text: string): number {
    const bytes = Buffer.from(text);
    return this.findBytes(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
  }

  findBytes(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const table = Atomics.load(this.#u32, rootIndex) >>> 2;
    const symbol = table === 0 ? 0 : Atomics.load(this.#u32, this.entry(table, bytes, start, length, hash));
    return symbol === removed ? 0 : symbol;
  }

  /** Index of the entry that holds the string, or of the free one where it would go. */
  protected entry(table: number, bytes: Uint8Array, start: number, length: number, hash: number): number {
    const mask = this.#u32[table]! - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = table + tableHeaderWords + slot;
      const symbol = Atomics.load(this.#u32, at);
      if (symbol === removed) continue;
      if (symbol === 0 || (this.hash(symbol) === hash && this.equalsBytes(symbol, bytes, start, length)))
        return at;
    }
  }

  equalsBytes(symbol: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#u32[symbol >>> 2] !== length) return false;
    const own = this.#u8;
    const offset = symbol + 4;
    for (let i = 0; i < length; i++) if (own[offset + i] !== bytes[start + i]) return false;
    return true;
  }

  text(symbol: number): string {
    const texts = this.#currentCache()?.texts;
    const known = texts?.get(symbol);
    if (known !== undefined) return known;
    const text = this.#decode(symbol);
    texts?.set(symbol, text);
    return text;
  }

  /**
   * Undefined once symbols were freed during our stay: those that only we still see must not get into the cache, as the next reader
   * would take their addresses for the strings that were put there since.
   */
  #currentCache(): SymbolTexts | undefined {
    if (Atomics.load(this.#u32, generationIndex) !== this.#generation) return undefined;
    const cache = this.#cache;
    const { texts, symbols } = cache;
    if (cache.generation !== this.#generation || texts.size >= textsMax || symbols.size >= textsMax) {
      texts.clear();
      symbols.clear();
      cache.generation = this.#generation;
    }
    return cache;
  }

  #decode(symbol: number): string {
    return this.#buffer.toString("utf8", symbol + 4, symbol + 4 + this.lengthBytes(symbol));
  }

  lengthBytes(symbol: number): number {
    return this.#u32[symbol >>> 2]!;
  }

  /** `hashBytes` of the string. */
  hash(symbol: number): number {
    return this.#u32[(symbol + hashOffset) >>> 2]!;
  }
}

/** Writer thread only: interning, use counts, and the sweep of what nobody uses. */
export class SymbolTable extends SymbolReader {
  readonly #kernel: Kernel;
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  /** Spares encoding and hashing of the strings that every target repeats. */
  readonly #recent = new Map<string, number>();
  #encoded: Buffer = Buffer.alloc(4096);
  #count = 0;

  constructor(kernel: Kernel) {
    super(kernel);
    this.#kernel = kernel;
    this.#u8 = kernel.views.u8;
    this.#u32 = kernel.views.u32;
    if (this.#u32[rootIndex] === 0) this.#rebuild();
  }

  /** Throws MemoryFullError. */
  intern(text: string): number {
    const recent = this.#recent.get(text);
    if (recent !== undefined) return recent;
    if (text.length * 3 > this.#encoded.length) this.#encoded = Buffer.alloc(text.length * 3);
    const symbol = this.internBytes(this.#encoded, 0, this.#encoded.write(text));
    if (this.#recent.size >= textsMax) this.#recent.clear();
    this.#recent.set(text, symbol);
    return symbol;
  }

  internBytes(bytes: Uint8Array, start: number, length: number): number {
    const hash = hashBytes(bytes, start, length);
    let table = this.#u32[rootIndex]! >>> 2;
    let at = this.entry(table, bytes, start, length, hash);
    if (this.#u32[at] !== 0) return this.#u32[at]!;
    if (length > textBytesMax)
      throw new NarthexError("bad_data", `label of ${length} bytes: at most ${textBytesMax} are stored`);
    if ((this.#u32[table + 1]! + 1) * 4 > this.#u32[table]! * 3) {
      table = this.#rebuild() >>> 2;
      at = this.entry(table, bytes, start, length, hash);
    }
    const symbol = this.#kernel.arena.allocate(symbolHeaderBytes + 4 + length, "symbol") + symbolHeaderBytes;
    this.#u32[(symbol + hashOffset) >>> 2] = hash;
    this.#u32[(symbol + usesOffset) >>> 2] = 0;
    this.#u32[symbol >>> 2] = length;
    this.#u8.set(bytes.subarray(start, start + length), symbol + 4);
    Atomics.store(this.#u32, at, symbol);
    this.#u32[table + 1]!++;
    this.#count++;
    return symbol;
  }

  /** Index entries count as uses: a name in the directory of names, a value in the directory of its name. */
  addUses(symbol: number, uses: number): void {
    this.#u32[(symbol + usesOffset) >>> 2]! += uses;
  }

  /** Retires every symbol without uses. Between slices, and only there, may nothing hold a symbol that has no use yet. */
  async sweep(breathe: Breathe): Promise<void> {
    const u32 = this.#u32;
    for (let tablePtr = 0, slot = 0; ; slot++) {
      if (u32[rootIndex] !== tablePtr) {
        tablePtr = u32[rootIndex]!;
        slot = 0;
      }
      if (slot === u32[tablePtr >>> 2]!) return;
      const at = (tablePtr >>> 2) + tableHeaderWords + slot;
      const symbol = u32[at]!;
      if (symbol > removed && u32[(symbol + usesOffset) >>> 2] === 0) this.#remove(at, symbol);
      await breathe();
    }
  }

  #remove(at: number, symbol: number): void {
    this.#recent.clear();
    Atomics.store(this.#u32, at, removed);
    Atomics.add(this.#u32, generationIndex, 1);
    this.#kernel.arena.retire(symbol - symbolHeaderBytes, symbolHeaderBytes + 4 + this.lengthBytes(symbol));
    this.#count--;
  }

  /** Publishes a table with room for more, at most half full, and retires the old one. */
  #rebuild(): number {
    const u32 = this.#u32;
    const oldPtr = u32[rootIndex]!;
    const old = oldPtr >>> 2;
    let capacity = capacityMin;
    while (capacity < 2 * this.#count) capacity *= 2;
    const ptr = this.#kernel.arena.allocateZeroed(tableBytes(capacity), "symbol table");
    const table = ptr >>> 2;
    u32[table] = capacity;
    u32[table + 1] = this.#count;
    const oldCapacity = old === 0 ? 0 : u32[old]!;
    for (let i = 0; i < oldCapacity; i++) {
      const symbol = u32[old + tableHeaderWords + i]!;
      if (symbol <= removed) continue;
      let slot = this.hash(symbol) & (capacity - 1);
      while (u32[table + tableHeaderWords + slot] !== 0) slot = (slot + 1) & (capacity - 1);
      u32[table + tableHeaderWords + slot] = symbol;
    }
    Atomics.store(u32, rootIndex, ptr);
    if (oldPtr !== 0) this.#kernel.arena.retire(oldPtr, tableBytes(oldCapacity));
    return ptr;
  }
}

function tableBytes(capacity: number): number {
  return 4 * (tableHeaderWords + capacity);
}
