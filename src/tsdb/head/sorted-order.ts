import { orderByKey } from "../order-by-key.ts";
import { SymbolRanks } from "../symbol-ranks.ts";
import type { SymbolReader } from "./symbols.ts";

/** The order of series by their labels, and that of all symbols of these. */
export interface SortedOrder {
  /** Indices of series. */
  readonly order: Uint32Array;
  readonly ranks: SymbolRanks;
}

/**
 * Orders series by their labels. Strings are compared once per symbol, not once per series, and series not at all: they are put in order by their last word, then by the one
 * before, and so on.
 */
export function sortedOrder(u32: Uint32Array, reader: SymbolReader, labelsPtrs: Uint32Array): SortedOrder {
  const ranks = new SymbolRanks();
  const varying = addSymbols(u32, labelsPtrs, ranks);
  ranks.order((symbol) => reader.text(symbol));
  let order = Uint32Array.from(labelsPtrs.keys());
  const keys = new Uint32Array(labelsPtrs.length);
  for (const word of varying) {
    let symbolBefore = -1;
    let key = 0;
    for (let i = 0; i < keys.length; i++) {
      const labels = labelsPtrs[i]! >>> 2;
      const symbol = word < 2 * u32[labels + 1]! ? u32[labels + 2 + word]! : 0;
      if (symbol !== symbolBefore) {
        // Who has no such word comes first.
        key = symbol === 0 ? 0 : ranks.rank(symbol) + 1;
        symbolBefore = symbol;
      }
      keys[i] = key;
    }
    order = orderByKey(order, keys, ranks.size + 1);
  }
  return { order, ranks };
}

/** Adds all symbols of the series; returns which words are not the same in all of them, the last first. */
function addSymbols(u32: Uint32Array, labelsPtrs: Uint32Array, ranks: SymbolRanks): number[] {
  const isVarying: boolean[] = [];
  let before = 0;
  let beforeWords = 0;
  for (let i = 0; i < labelsPtrs.length; i++) {
    const labels = labelsPtrs[i]! >>> 2;
    const words = 2 * u32[labels + 1]!;
    // Neighbours share most of their labels.
    for (let k = 0; k < words; k++) {
      const symbol = u32[labels + 2 + k]!;
      if (k < beforeWords && u32[before + 2 + k] === symbol) continue;
      ranks.add(symbol);
      isVarying[k] = i > 0;
    }
    for (let k = words; k < beforeWords; k++) isVarying[k] = true;
    before = labels;
    beforeWords = words;
  }
  return [...isVarying.keys()].filter((k) => isVarying[k]).toReversed();
}
