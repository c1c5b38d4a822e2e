/** Set operations on ascending refs without repeats. Results may be views of an argument; nobody writes to them. */

const none = new Uint32Array(0);
/** A list so many times longer than the other is searched instead of walked. */
const gallopFactor = 16;

export function intersectAll(lists: readonly Uint32Array[]): Uint32Array {
  const bySize = [...lists].sort((a, b) => a.length - b.length);
  let result = bySize[0] ?? none;
  for (let i = 1; i < bySize.length && result.length > 0; i++) result = intersect(result, bySize[i]!);
  return result;
}

/** Each list leaps to where the other stands: lists whose runs of refs hardly meet cost a few steps, however long they are. */
export function intersect(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(Math.min(a.length, b.length));
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    if (x === y) {
      out[count++] = x;
      i++;
      j++;
    } else if (x < y) i = seek(a, i, y);
    else j = seek(b, j, x);
  }
  return out.subarray(0, count);
}

export function subtract(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (a.length === 0 || b.length === 0) return a;
  const out = new Uint32Array(a.length);
  const gallop = b.length > gallopFactor * a.length;
  let count = 0;
  let at = 0;
  for (const ref of a) {
    at = gallop ? seek(b, at, ref) : walk(b, at, ref);
    if (b[at] !== ref) out[count++] = ref;
  }
  return out.subarray(0, count);
}

/** Union: by a bitmap over the range of refs, or by sorting when the lists are few and far between. */
export function union(lists: readonly Uint32Array[]): Uint32Array {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length <= 1) return filled[0] ?? none;
  let total = 0;
  let low = Infinity;
  let high = 0;
  for (const list of filled) {
    total += list.length;
    low = Math.min(low, list[0]!);
    high = Math.max(high, list.at(-1)!);
  }
  return total * 64 < high - low ? unionBySort(filled, total) : unionByBitmap(filled, total, low, high);
}

function unionBySort(lists: readonly Uint32Array[], total: number): Uint32Array {
  const out = new Uint32Array(total);
  let count = 0;
  for (const list of lists) {
    out.set(list, count);
    count += list.length;
  }
  out.sort();
  let unique = 0;
  for (let i = 0; i < total; i++) if (i === 0 || out[i] !== out[i - 1]) out[unique++] = out[i]!;
  return out.subarray(0, unique);
}

function unionByBitmap(lists: readonly Uint32Array[], total: number, low: number, high: number): Uint32Array {
  const bits = new Int32Array(((high - low) >>> 5) + 1);
  for (const list of lists) for (const ref of list) bits[(ref - low) >>> 5]! |= 1 << ((ref - low) & 31);
  const out = new Uint32Array(total);
  let count = 0;
  for (let i = 0; i < bits.length; i++) {
    for (let word = bits[i]!; word !== 0; word &= word - 1)
      out[count++] = low + i * 32 + (31 - Math.clz32(word & -word));
  }
  return out.subarray(0, count);
}

function walk(list: Uint32Array, from: number, ref: number): number {
  let at = from;
  while (at < list.length && list[at]! < ref) at++;
  return at;
}

/** First index from `from` on whose ref is not below `ref`: doubling steps, then halving. */
function seek(list: Uint32Array, from: number, ref: number): number {
  let step = 1;
  let low = from;
  while (low + step < list.length && list[low + step]! < ref) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step + 1, list.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < ref) low = middle + 1;
    else high = middle;
  }
  return low;
}
