// A column is n f64 one after the other.

// @ts-ignore: decorator
@inline
export function at(column: usize, index: u32): f64 {
  return load<f64>(column + (<usize>index << 3));
}
