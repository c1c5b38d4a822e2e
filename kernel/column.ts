// A column is n f64 one after the other.

// @ts-ignore: decorator
@inline
export function at(column: usize, index: u32): f64 {
  return load<f64>(column + (<usize>index << 3));
}

// The first of the ascending times from `index` on, before `end`, that is after `time`; `end` when none is.
// @ts-ignore: decorator
@inline
export function firstAfter(times: usize, index: u32, end: u32, time: f64): u32 {
  while (index < end && at(times, index) <= time) index++;
  return index;
}
