// Quantiles of unsorted values, sorted in place. NaN sorts below everything, as upstream has it.
import { at } from "./column";

// @ts-ignore: decorator
@inline
function less(a: f64, b: f64): bool {
  return a < b || (isNaN(a) && !isNaN(b));
}

function siftDown(column: usize, start: u32, end: u32): void {
  const value = at(column, start);
  let root = start;
  while (true) {
    let child = root * 2 + 1;
    if (child >= end) break;
    if (child + 1 < end && less(at(column, child), at(column, child + 1))) child++;
    if (!less(value, at(column, child))) break;
    store<f64>(column + (<usize>root << 3), at(column, child));
    root = child;
  }
  store<f64>(column + (<usize>root << 3), value);
}

const INSERTION_MAX: u32 = 32;

// Insertion for few, heap sort for many: no input makes it slow.
function sort(column: usize, n: u32): void {
  if (n <= INSERTION_MAX) {
    for (let i: u32 = 1; i < n; i++) {
      const value = at(column, i);
      let j = i;
      for (; j > 0 && less(value, at(column, j - 1)); j--) store<f64>(column + (<usize>j << 3), at(column, j - 1));
      store<f64>(column + (<usize>j << 3), value);
    }
    return;
  }
  for (let i = n >> 1; i-- > 0; ) siftDown(column, i, n);
  for (let end = n - 1; end > 0; end--) {
    const top = at(column, 0);
    store<f64>(column, at(column, end));
    store<f64>(column + (<usize>end << 3), top);
    siftDown(column, 0, end);
  }
}

export function quantile(q: f64, column: usize, n: u32): f64 {
  if (n == 0 || isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  sort(column, n);
  const rank = q * (<f64>n - 1);
  const below = Math.floor(rank);
  const lower = max<f64>(0, below);
  const upper = min<f64>(<f64>n - 1, lower + 1);
  const weight = rank - below;
  return at(column, <u32>lower) * (1 - weight) + at(column, <u32>upper) * weight;
}
