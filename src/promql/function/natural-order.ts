const chunks = /\d+|\D+/g;

/** Orders strings as people do: digits in them compare as numbers. */
export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const as = a.match(chunks) ?? [];
  const bs = b.match(chunks) ?? [];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const x = as[i]!;
    const y = bs[i]!;
    const order = isNumeric(x) && isNumeric(y) ? Number(x) - Number(y) : x < y ? -1 : Number(x > y);
    if (order !== 0) return order;
  }
  return as.length - bs.length || (a < b ? -1 : 1);
}

function isNumeric(chunk: string): boolean {
  const first = chunk.charCodeAt(0);
  return first >= 48 && first <= 57;
}
