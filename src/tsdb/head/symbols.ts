import { NarthexError } from "../../base/index.ts";
import { type Kernel, layout, MemoryFullError } from "../../kernel/index.ts";
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
const removed = 1;
const rootIndex = layout.headWord.symbols >>> 2;
const generationIndex = layout.headWord.symbolGeneration >>> 2;
/** Longest string that can be interned; labels have limits far below. */
const textBytesMax = 16 * 1024 * 1024;
const encodeBytes = 16 * 1024;
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
  readonly #u32: Uint32Array;
  /** Spares encoding and hashing of the strings that every target repeats. */
  readonly #recent = new Map<string, number>();
  /** Where texts are encoded, as far as they fit: memory that is there when there is no more. */
  readonly #encodePtr: number;
  /** All of the memory, to encode to. */
  readonly #memory: Buffer;

  constructor(kernel: Kernel) {
    super(kernel);
    this.#kernel = kernel;
    this.#u32 = kernel.views.u32;
    this.#encodePtr = kernel.arena.allocate(encodeBytes, "symbol");
    this.#memory = Buffer.from(kernel.views.u8.buffer);
  }

  /** Throws MemoryFullError. */
  intern(text: string): number {
    const recent = this.#recent.get(text);
    if (recent !== undefined) return recent;
    const symbol = this.#internText(text);
    if (this.#recent.size >= textsMax) this.#recent.clear();
    this.#recent.set(text, symbol);
    return symbol;
  }

  #internText(text: string): number {
    const bytesMax = 3 * text.length;
    if (bytesMax <= encodeBytes) return this.#internAt(this.#encodePtr, text, bytesMax);
    if (bytesMax > textBytesMax && Buffer.byteLength(text) > textBytesMax)
      throw new NarthexError("bad_data", `a label of more than ${textBytesMax} bytes is not stored`);
    const { scratch } = this.#kernel;
    const mark = scratch.mark();
    try {
      return this.#internAt(scratch.allocate(bytesMax), text, bytesMax);
    } finally {
      scratch.release(mark);
    }
  }

  #internAt(ptr: number, text: string, bytesMax: number): number {
    const bytes = this.#memory.write(text, ptr, bytesMax);
    const symbol = this.#kernel.exports.internSymbol(ptr, bytes) >>> 0;
    if (symbol === 0) throw new MemoryFullError("symbol", bytes);
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
      if (tablePtr === 0 || slot === u32[tablePtr >>> 2]!) return;
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
  }
}
