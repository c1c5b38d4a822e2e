// Picks series by their labels' share and their times, by any thread within an epoch.
import { CHUNK_MAX, CHUNK_MIN, CHUNK_OLDER, SLOT_CHUNK, SLOT_LABELS } from "./layout";
import { seriesOf } from "./slot";

// Labels: { u32 hash, u32 pairs, (u32 name, u32 value) × pairs }. Before a symbol stand { u32 hash, u32 uses }.
const LABELS_PAIRS: usize = 4;
const LABELS_HEADER: usize = 8;
const SYMBOL_HASH_BEFORE: usize = 8;

// Keeps, of `count` refs, those of series that exist, whose share of `shares` is `share`, and that have a chunk reaching into the time range unless
// `anyTime`; their labels' addresses beside them. `name`, `type` and `unit` are the symbols of the labels that do not count for the share, 0 where nobody has
// them. Returns how many. The outputs may not overlap the refs.
export function filterSeries(
  refs: usize,
  count: u32,
  share: u32,
  shares: u32,
  name: u32,
  type: u32,
  unit: u32,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  anyTime: u32,
  refsOut: usize,
  labelsOut: usize,
): u32 {
  let kept: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(refs + (<usize>i << 2));
    const slot = seriesOf(ref);
    if (slot == 0) continue;
    const labels = atomic.load<u32>(slot + SLOT_LABELS);
    if (labels == 0) continue;
    if (shares > 1 && shareHash(labels, name, type, unit) % shares != share) continue;
    if (anyTime == 0 && !hasChunkIn(slot, minTimestampMs, maxTimestampMs)) continue;
    store<u32>(refsOut + (kept << 2), ref);
    store<u32>(labelsOut + (kept << 2), labels);
    kept++;
  }
  return <u32>kept;
}

// src/tsdb/head/text-hash.ts says the same.
// @ts-ignore: decorator
@inline
function combineHash(hash: u32, textHash: u32): u32 {
  let mixed = hash * 31 + textHash;
  mixed = (mixed ^ (mixed >> 16)) * 0x85ebca6b;
  mixed = (mixed ^ (mixed >> 13)) * 0xc2b2ae35;
  return mixed ^ (mixed >> 16);
}

function shareHash(labels: usize, name: u32, type: u32, unit: u32): u32 {
  let hash: u32 = 0;
  const end = labels + LABELS_HEADER + (<usize>load<u32>(labels, LABELS_PAIRS) << 3);
  for (let pair = labels + LABELS_HEADER; pair < end; pair += 8) {
    const symbol = load<u32>(pair);
    if (symbol == name || symbol == type || symbol == unit) continue;
    hash = combineHash(combineHash(hash, load<u32>(symbol - SYMBOL_HASH_BEFORE)), load<u32>(load<u32>(pair, 4) - SYMBOL_HASH_BEFORE));
  }
  return hash;
}

// Chunks go back in time, so the first one that ends before the range ends the search.
function hasChunkIn(slot: usize, minTimestampMs: f64, maxTimestampMs: f64): bool {
  for (let chunk = <usize>atomic.load<u32>(slot + SLOT_CHUNK); chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) return false;
    if (<f64>load<i64>(chunk, CHUNK_MIN) <= maxTimestampMs) return true;
  }
  return false;
}
