/** The items in the order of their keys, which are below `keyLimit`; items of the same key stay in the order that they have (a counting sort). */
export function orderByKey(
  items: Uint32Array<ArrayBuffer>,
  keys: Uint32Array,
  keyLimit: number,
): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(keyLimit);
  for (let i = 0; i < items.length; i++) starts[keys[items[i]!]!]!++;
  for (let key = 0, start = 0; key < keyLimit; key++) {
    const count = starts[key]!;
    starts[key] = start;
    start += count;
  }
  const ordered = new Uint32Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    ordered[starts[keys[item]!]!++] = item;
  }
  return ordered;
}
