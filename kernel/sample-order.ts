// Brings samples of many scrapes into the order of their series.

// Writes the samples in the order of their refs, and of their places where those are the same (a counting sort), to columns that begin at the out pointers. `positions` is
// a table of `positionsMax` u32. False when the refs are spread over more numbers than that; then nothing was written.
export function orderBySeries(
  refs: usize,
  timestamps: usize,
  values: usize,
  count: u32,
  refsOut: usize,
  timestampsOut: usize,
  valuesOut: usize,
  positions: usize,
  positionsMax: u32,
): bool {
  let low = u32.MAX_VALUE;
  let high: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const ref = load<u32>(refs + (i << 2));
    low = min<u32>(low, ref);
    high = max<u32>(high, ref);
  }
  if (count == 0 || <u64>(high - low) + 2 > <u64>positionsMax) return false;
  const span = <usize>(high - low);
  memory.fill(positions, 0, (span + 2) << 2);
  for (let i: usize = 0; i < <usize>count; i++) {
    const at = positions + (<usize>(load<u32>(refs + (i << 2)) - low + 1) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  for (let i: usize = 1; i <= span; i++) {
    const at = positions + (i << 2);
    store<u32>(at, load<u32>(at) + load<u32>(at - 4));
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    const ref = load<u32>(refs + (i << 2));
    const at = positions + (<usize>(ref - low) << 2);
    const to = <usize>load<u32>(at);
    store<u32>(at, <u32>to + 1);
    store<u32>(refsOut + (to << 2), ref);
    store<u64>(timestampsOut + (to << 3), load<u64>(timestamps + (i << 3)));
    store<u64>(valuesOut + (to << 3), load<u64>(values + (i << 3)));
  }
  return true;
}
