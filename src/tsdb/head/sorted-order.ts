import { compareStrings } from "../../model/index.ts";
import type { SymbolReader } from "./symbols.ts";

/** The order of the series by their labels, as indices into `labelsPtrs`: strings are compared once per symbol, not once per series. */
export function sortedOrder(u32: Uint32Array, reader: SymbolReader, labelsPtrs: Uint32Array): Uint32Array {
  const ranks = new Map<number, number>();
  const starts = new Uint32Array(labelsPtrs.length + 1);
  for (let i = 0; i < labelsPtrs.length; i++) {
    const labels = labelsPtrs[i]! >>> 2;
    const words = 2 * u32[labels + 1]!;
    starts[i + 1] = starts[i]! + words;
    for (let at = labels + 2; at < labels + 2 + words; at++) ranks.set(u32[at]!, 0);
  }
  const ordered = [...ranks.keys()].map((symbol) => ({ symbol, text: reader.text(symbol) }));
  ordered.sort((a, b) => compareStrings(a.text, b.text));
  ordered.forEach(({ symbol }, rank) => ranks.set(symbol, rank));
  const keys = new Uint32Array(starts.at(-1)!);
  for (let i = 0; i < labelsPtrs.length; i++) {
    const labels = (labelsPtrs[i]! >>> 2) + 2;
    const start = starts[i]!;
    for (let k = starts[i + 1]! - start - 1; k >= 0; k--) keys[start + k] = ranks.get(u32[labels + k]!)!;
  }
  return Uint32Array.from(labelsPtrs.keys()).sort((a, b) => {
    const startA = starts[a]!;
    const startB = starts[b]!;
    const lengthA = starts[a + 1]! - startA;
    const lengthB = starts[b + 1]! - startB;
    for (let k = 0; k < lengthA && k < lengthB; k++) {
      const order = keys[startA + k]! - keys[startB + k]!;
      if (order !== 0) return order;
    }
    return lengthA - lengthB;
  });
}
