import { compareStrings } from "../../model/index.ts";

const chunks = /\d+|\D+/g;

/** Orders strings as people do: digits in them compare as numbers. */
export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const as = a.match(chunks) ?? [];
  const bs = b.match(chunks) ?? [];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const x = as[i]!;
    const y = bs[i]!;
    const order = isNumeric(x) && isNumeric(y) ? Number(x) - Number(y) : compareStrings(x, y);
    if (order !== 0) return order;
  }
  return as.length - bs.length || compareStrings(a, b);
}

function isNumeric(chunk: string): boolean {
  const first = chunk.charCodeAt(0);
  return first >= 48 && first <= 57;
}
