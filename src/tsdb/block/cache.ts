/** Default of a thread's cache. */
export const blockCacheBytesDefault = 16 * 1024 * 1024;
/** Texts of symbols have this share of the limit. */
const textsShare = 0.25;
/** What a text costs beside its characters. */
const textOverheadBytes = 64;
const slotsPerFile = 2 ** 25;

interface Entry {
  readonly value: unknown;
  readonly bytes: number;
  /** Asked for since the eviction passed it last. */
  isUsed: boolean;
}

/**
 * What one thread remembers of the blocks it reads: pages of index files, and what was worked out from them. Bounded in bytes; what is evicted
 * is read again when it is needed. A file is known by a number of its own, and what belongs to it by a slot: pages from 0 on, other things
 * below 0.
 */
export class BlockCache {
  readonly bytesMax: number;
  hits = 0;
  misses = 0;
  readonly #entries = new Map<number, Entry>();
  readonly #texts = new Map<number, string>();
  #entryBytes = 0;
  #textBytes = 0;
  #nextFile = 1;

  constructor(bytesMax: number = blockCacheBytesDefault) {
    this.bytesMax = bytesMax;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#entryBytes + this.#textBytes;
  }

  nextFileNumber(): number {
    return this.#nextFile++;
  }

  get(file: number, slot: number): unknown {
    const entry = this.#entries.get(slotKey(file, slot));
    if (entry === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    entry.isUsed = true;
    return entry.value;
  }

  /** Takes `value`, which costs `bytes`, and lets go of what was not asked for lately. */
  put<T>(file: number, slot: number, value: T, bytes: number): T {
    this.#entries.set(slotKey(file, slot), { value, bytes, isUsed: false });
    this.#entryBytes += bytes;
    this.#evict();
    return value;
  }

  text(file: number, symbol: number): string | undefined {
    return this.#texts.get(file * 2 ** 32 + symbol);
  }

  putText(file: number, symbol: number, text: string): string {
    if (this.#textBytes > this.bytesMax * textsShare) {
      this.#texts.clear();
      this.#textBytes = 0;
    }
    this.#texts.set(file * 2 ** 32 + symbol, text);
    this.#textBytes += text.length + textOverheadBytes;
    return text;
  }

  /** Entries in the order of their arrival; those that were used since the last time get a second turn. An only entry stays. */
  #evict(): void {
    const limit = this.bytesMax * (1 - textsShare);
    for (const [key, entry] of this.#entries) {
      if (this.#entryBytes <= limit || this.#entries.size === 1) return;
      this.#entries.delete(key);
      if (entry.isUsed) {
        entry.isUsed = false;
        this.#entries.set(key, entry);
      } else this.#entryBytes -= entry.bytes;
    }
  }
}

function slotKey(file: number, slot: number): number {
  return file * slotsPerFile + slot + 16;
}
