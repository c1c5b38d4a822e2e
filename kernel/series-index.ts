// Labels → ref, for the writer alone: an array of chain heads, chained through the slots by the hash of the labels.
import { arenaAllocate, arenaFree } from "./arena";
import { SERIES_BUCKETS, SERIES_BUCKETS_CAPACITY, SERIES_INDEXED, SLOT_HASH, SLOT_HASH_CHAIN } from "./layout";
import { slotOf } from "./slot";

const BUCKETS_MIN: u32 = 1024;

// @ts-ignore: decorator
@inline
export function bucketOf(hash: u32): usize {
  return load<u32>(SERIES_BUCKETS) + ((hash & (load<u32>(SERIES_BUCKETS_CAPACITY) - 1)) << 2);
}

function resize(capacity: u32): bool {
  const old = <usize>load<u32>(SERIES_BUCKETS);
  const oldBytes = load<u32>(SERIES_BUCKETS_CAPACITY) * 4;
  const buckets = <usize>arenaAllocate(4 * capacity);
  if (buckets == 0) return false;
  memory.fill(buckets, 0, 4 * capacity);
  store<u32>(SERIES_BUCKETS, <u32>buckets);
  store<u32>(SERIES_BUCKETS_CAPACITY, capacity);
  for (let head = old; head < old + oldBytes; head += 4) {
    for (let ref = load<u32>(head); ref != 0; ) {
      const slot = slotOf(ref);
      const next = load<u32>(slot, SLOT_HASH_CHAIN);
      const bucket = bucketOf(load<u32>(slot, SLOT_HASH));
      store<u32>(slot, load<u32>(bucket), SLOT_HASH_CHAIN);
      store<u32>(bucket, ref);
      ref = next;
    }
  }
  if (old != 0) arenaFree(<u32>old, oldBytes);
  return true;
}

// Makes room, so that indexSeries cannot fail; false when the memory is full.
export function reserveSeriesIndex(): bool {
  const capacity = load<u32>(SERIES_BUCKETS_CAPACITY);
  return load<u32>(SERIES_INDEXED) < capacity || resize(capacity == 0 ? BUCKETS_MIN : 2 * capacity);
}

// @ts-ignore: decorator
@inline
export function indexSeries(hash: u32, ref: u32): void {
  const slot = slotOf(ref);
  const bucket = bucketOf(hash);
  store<u32>(slot, hash, SLOT_HASH);
  store<u32>(slot, load<u32>(bucket), SLOT_HASH_CHAIN);
  store<u32>(bucket, ref);
  store<u32>(SERIES_INDEXED, load<u32>(SERIES_INDEXED) + 1);
}

// Takes a series out that was indexed under this hash.
export function unindexSeries(hash: u32, ref: u32): void {
  let link = bucketOf(hash);
  while (load<u32>(link) != ref) link = slotOf(load<u32>(link)) + SLOT_HASH_CHAIN;
  store<u32>(link, load<u32>(slotOf(ref), SLOT_HASH_CHAIN));
  store<u32>(SERIES_INDEXED, load<u32>(SERIES_INDEXED) - 1);
}
