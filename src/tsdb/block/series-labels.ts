import type { SeriesSet } from "../../storage/index.ts";
import { SymbolRanks } from "../symbol-ranks.ts";
import { IndexSymbols } from "./index-symbols.ts";

/** A set that was put in order by its labels, and knows the order of their symbols. */
export interface RankedSet {
  /** Of all symbols of the series, in order; undefined when that was not needed. */
  readonly ranks: SymbolRanks | undefined;
}

/** The labels of a set's series as a block's index has them. */
export class SeriesLabels {
  /** All strings of the labels. */
  readonly symbols = new IndexSymbols();
  readonly #set: SeriesSet;
  readonly #ranks: SymbolRanks;
  /** Of the series that was asked for last: symbols of the set, and of the block. */
  readonly #before: number[] = [];
  #words: Uint32Array = new Uint32Array(0);

  constructor(set: SeriesSet & Partial<RankedSet>) {
    this.#set = set;
    this.#ranks = set.ranks ?? rank(set);
    for (const symbol of this.#ranks.ordered) this.symbols.add(Buffer.from(set.symbols.text(symbol)));
  }

  /** Symbols of name, value, name, value …; good until the next call. */
  of(series: number): Uint32Array {
    const labels = this.#set.labelSymbols(series);
    const before = this.#before;
    if (labels.length !== this.#words.length) {
      const words = new Uint32Array(labels.length);
      words.set(this.#words.subarray(0, words.length));
      this.#words = words;
      before.length = Math.min(before.length, words.length);
    }
    // Neighbours share most of their labels. The empty string is no label, and comes before all.
    for (let i = 0; i < labels.length; i++) {
      const symbol = labels[i]!;
      if (symbol === before[i]) continue;
      this.#words[i] = this.#ranks.rank(symbol) + 1;
      before[i] = symbol;
    }
    return this.#words;
  }
}

function rank(set: SeriesSet): SymbolRanks {
  const ranks = new SymbolRanks();
  for (let series = 0; series < set.length; series++)
    for (const symbol of set.labelSymbols(series)) ranks.add(symbol);
  ranks.order((symbol) => set.symbols.text(symbol));
  return ranks;
}
