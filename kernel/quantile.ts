// Quantiles of unsorted values, sorted in place. NaN sorts below everything, as upstream has it.
import { at, firstAfter } from "./column";

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
  sort(column, n);
  return quantileOfSorted(q, column, n);
}

function quantileOfSorted(q: f64, column: usize, n: u32): f64 {
  if (n == 0 || isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const rank = q * (<f64>n - 1);
  const below = Math.floor(rank);
  const lower = max<f64>(0, below);
  const upper = min<f64>(<f64>n - 1, lower + 1);
  const weight = rank - below;
  return at(column, <u32>lower) * (1 - weight) + at(column, <u32>upper) * weight;
}

// A window that loses and gains more samples than this is sorted anew.
const SLIDES_MAX: u32 = 16;

// First index whose value is not below `value`, or with `after` the first whose value is above it.
function indexFor(sorted: usize, n: u32, value: f64, after: bool): u32 {
  let low: u32 = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    const isBefore = after ? !less(value, at(sorted, middle)) : less(at(sorted, middle), value);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(sorted: usize, n: u32, value: f64): void {
  const index = indexFor(sorted, n, value, true);
  const place = sorted + (<usize>index << 3);
  memory.copy(place + 8, place, <usize>(n - index) << 3);
  store<f64>(place, value);
}

function remove(sorted: usize, n: u32, value: f64): void {
  const index = indexFor(sorted, n, value, false);
  const place = sorted + (<usize>index << 3);
  memory.copy(place, place + 8, <usize>(n - 1 - index) << 3);
}

// quantile_over_time: the values of the window stay sorted in `sorted`, which has room for all, while it slides. Returns the steps that have a value.
export function slidingQuantile(
  ts: usize,
  vs: usize,
  count: u32,
  startMs: f64,
  stepMs: f64,
  steps: u32,
  rangeMs: f64,
  out: usize,
  present: usize,
  arg: usize,
  sorted: usize,
): u32 {
  let lo: u32 = 0;
  let hi: u32 = 0;
  let found: u32 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    const end = startMs + stepMs * <f64>k;
    const begin = end - rangeMs;
    const oldLo = lo;
    const oldHi = hi;
    hi = firstAfter(ts, hi, count, end);
    lo = firstAfter(ts, lo, hi, begin);
    store<u8>(present + k, hi > lo ? 1 : 0);
    if (hi == lo) continue;
    if (lo >= oldHi || lo - oldLo + (hi - oldHi) > SLIDES_MAX) {
      memory.copy(sorted, vs + (<usize>lo << 3), <usize>(hi - lo) << 3);
      sort(sorted, hi - lo);
    } else {
      let n = oldHi - oldLo;
      for (let i = oldLo; i < lo; i++) remove(sorted, n--, at(vs, i));
      for (let i = oldHi; i < hi; i++) insert(sorted, n++, at(vs, i));
    }
    store<f64>(out + (<usize>k << 3), quantileOfSorted(arg == 0 ? 0 : at(arg, k), sorted, hi - lo));
    found++;
  }
  return found;
}
