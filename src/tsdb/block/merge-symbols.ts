import { IndexSymbols } from "./index-symbols.ts";
import type { SymbolEntry, SymbolTable } from "./symbol-table.ts";

/** What a symbol of one table is among those of all. Throws BlockDamagedError for one that is not there. */
export type SymbolTranslation = (symbol: number) => number;

/** The strings of several tables. Throws BlockDamagedError. */
export function mergeSymbols(tables: readonly SymbolTable[]): {
  symbols: IndexSymbols;
  translations: readonly SymbolTranslation[];
} {
  const symbols = new IndexSymbols();
  const sources = tables.map((table) => new Source(table));
  for (let live = sources.filter((source) => source.next()); live.length > 0;) {
    let least = live[0]!.bytes;
    for (const { bytes } of live) if (Buffer.compare(bytes, least) < 0) least = bytes;
    const symbol = least.length === 0 ? 0 : symbols.add(least);
    const same = live.filter(({ bytes }) => bytes.equals(least));
    for (const source of same) source.becomes(symbol);
    const ended = same.filter((source) => !source.next());
    if (ended.length > 0) live = live.filter((source) => !ended.includes(source));
  }
  return { symbols, translations: sources.map(({ translation }) => translation) };
}

/** A table on its way, string by string. */
class Source {
  bytes: Buffer = Buffer.alloc(0);
  readonly translation: SymbolTranslation;
  readonly #entries: Iterator<SymbolEntry>;
  readonly #translated: Map<number, number> | Uint32Array;
  #symbol = 0;

  constructor(table: SymbolTable) {
    this.#entries = table.entries();
    // Symbols that are offsets lie far apart.
    const translated = table.isByOffset ? new Map<number, number>() : new Uint32Array(table.count);
    this.#translated = translated;
    this.translation =
      translated instanceof Map
        ? (symbol) => translated.get(symbol) ?? table.fail(symbol)
        : (symbol) => translated[symbol] ?? table.fail(symbol);
  }

  /** False at the end. */
  next(): boolean {
    const { done, value } = this.#entries.next() as IteratorResult<SymbolEntry, undefined>;
    if (done === true) return false;
    this.bytes = value.bytes;
    this.#symbol = value.symbol;
    return true;
  }

  becomes(symbol: number): void {
    if (this.#translated instanceof Map) this.#translated.set(this.#symbol, symbol);
    else this.#translated[this.#symbol] = symbol;
  }
}
