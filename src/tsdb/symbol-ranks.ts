import { compareStrings } from "../model/index.ts";

const capacityMin = 256;
const free = 0xffffffff;

/** Symbols, and which place each has among them in the order of their texts. Symbols are below 2³² − 1. */
export class SymbolRanks {
  /** How many symbols there are. */
  size = 0;
  /** In their order, once they are ranked. */
  ordered: Uint32Array = new Uint32Array(0);
  /** Open addressing, at most half full: the symbol, and beside it its rank. */
  #symbols = new Uint32Array(capacityMin).fill(free);
  #ranks = new Uint32Array(capacityMin);

  add(symbol: number): void {
    let slot = this.#slot(symbol);
    if (this.#symbols[slot] === symbol) return;
    if (2 * (this.size + 1) > this.#symbols.length) {
      this.#grow();
      slot = this.#slot(symbol);
    }
    this.#symbols[slot] = symbol;
    this.size++;
  }

  /** Ranks the symbols; none may be added afterwards. */
  order(text: (symbol: number) => string): void {
    const all = Array.from(
      this.#symbols.filter((symbol) => symbol !== free),
      (symbol) => ({ symbol, text: text(symbol) }),
    );
    all.sort((a, b) => compareStrings(a.text, b.text));
    all.forEach(({ symbol }, rank) => (this.#ranks[this.#slot(symbol)] = rank));
    this.ordered = Uint32Array.from(all, ({ symbol }) => symbol);
  }

  /** Of a symbol that was added. */
  rank(symbol: number): number {
    return this.#ranks[this.#slot(symbol)]!;
  }

  /** Where the symbol is, or would go. */
  #slot(symbol: number): number {
    const symbols = this.#symbols;
    const mask = symbols.length - 1;
    const hash = Math.imul(symbol ^ (symbol >>> 15), 0x9e3779b1);
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask)
      if (symbols[slot] === symbol || symbols[slot] === free) return slot;
  }

  #grow(): void {
    const before = this.#symbols;
    this.#symbols = new Uint32Array(2 * before.length).fill(free);
    this.#ranks = new Uint32Array(2 * before.length);
    for (const symbol of before) if (symbol !== free) this.#symbols[this.#slot(symbol)] = symbol;
  }
}
