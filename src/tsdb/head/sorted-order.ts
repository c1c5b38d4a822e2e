import { orderByKey } from "../order-by-key.ts";
import { SymbolRanks } from "../symbol-ranks.ts";
import type { SymbolReader } from "./symbols.ts";

/**
 * The order of the series by their labels, as indices into `labelsPtrs`. Strings are compared once per symbol, not once per series, and series not at all: they are put in order by
 * their last word, then by the one before, and so on.
 */
export function sortedOrder(
  u32: Uint32Array,
  reader: SymbolReader,
  labelsPtrs: Uint32Array,
): Uint32Array<ArrayBuffer> {
  let order = Uint32Array.from(labelsPtrs.keys());
  if (order.length < 2) return order;
  const ranks = new SymbolRanks();
  let wordsMax = 0;
  for (let i = 0, before = 0; i < labelsPtrs.length; i++) {
    const labels = labelsPtrs[i]! >>> 2;
    const words = 2 * u32[labels + 1]!;
    const beforeWords = i === 0 ? 0 : 2 * u32[before + 1]!;
    // Neighbours share most of their labels.
    for (let k = 0; k < words; k++) {
      const symbol = u32[labels + 2 + k]!;
      if (k >= beforeWords || u32[before + 2 + k] !== symbol) ranks.add(symbol);
    }
    wordsMax = Math.max(wordsMax, words);
    before = labels;
  }
  ranks.order((symbol) => reader.text(symbol));
  const keys = new Uint32Array(labelsPtrs.length);
  for (let word = wordsMax - 1; word >= 0; word--) {
    let isSame = true;
    let symbolBefore = -1;
    let key = 0;
    for (let i = 0; i < keys.length; i++) {
      const labels = labelsPtrs[i]! >>> 2;
      const symbol = word < 2 * u32[labels + 1]! ? u32[labels + 2 + word]! : 0;
      if (symbol !== symbolBefore) {
        isSame &&= i === 0;
        // Who has no such word comes first.
        key = symbol === 0 ? 0 : ranks.rank(symbol) + 1;
        symbolBefore = symbol;
      }
      keys[i] = key;
    }
    if (!isSame) order = orderByKey(order, keys, ranks.size + 1);
  }
  return order;
}
