// Sample batches: check against the newest samples, encode as a WAL record, append. Columns as in src/kernel/sample-batch.ts.
import { storeVarint } from "./bits";
import { hasFloats } from "./chunk";
import { isolationNote, isolationShow } from "./isolation";
import { SLOT_CHUNK, SLOT_LAST_TIMESTAMP, SLOT_LAST_VALUE } from "./layout";
import {
  appendSample,
  STATUS_DUPLICATE,
  STATUS_MEMORY_FULL,
  STATUS_OK,
  STATUS_OUT_OF_BOUNDS,
  STATUS_OUT_OF_ORDER,
  STATUS_REPEATED,
  STATUS_TOO_FAR,
  STATUS_UNKNOWN_SERIES,
} from "./series-append";
import { seriesOf } from "./slot";

const SAMPLES_PER_CHUNK_MAX: u32 = 30000;
const RECORD_SAMPLES: u8 = 2;

export function checkBatch(
  refs: usize,
  timestamps: usize,
  values: usize,
  status: usize,
  count: u32,
  minValidTimeMs: f64,
  maxValidTimeMs: f64,
): u32 {
  let ok: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const result = check(
      load<u32>(refs + (i << 2)),
      load<f64>(timestamps + (i << 3)),
      load<u64>(values + (i << 3)),
      minValidTimeMs,
      maxValidTimeMs,
    );
    store<u8>(status + i, result);
    if (result == STATUS_OK) ok++;
  }
  isolationShow();
  return ok;
}

// @ts-ignore: decorator
@inline
function check(ref: u32, timestampMs: f64, bits: u64, minValidTimeMs: f64, maxValidTimeMs: f64): u8 {
  const slot = seriesOf(ref);
  if (slot == 0) return STATUS_UNKNOWN_SERIES;
  if (timestampMs < minValidTimeMs) return STATUS_OUT_OF_BOUNDS;
  // Written so that a NaN does not pass.
  if (!(timestampMs <= maxValidTimeMs)) return STATUS_TOO_FAR;
  const chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  if (chunk == 0) {
    isolationNote(ref, -Infinity);
    return STATUS_OK;
  }
  const t = <i64>timestampMs;
  const last = load<i64>(slot, SLOT_LAST_TIMESTAMP);
  if (t > last) {
    isolationNote(ref, <f64>last);
    return STATUS_OK;
  }
  if (t < last) return STATUS_OUT_OF_ORDER;
  return load<u64>(slot, SLOT_LAST_VALUE) == bits && hasFloats(chunk) ? STATUS_REPEATED : STATUS_DUPLICATE;
}

export function appendBatch(
  refs: usize,
  timestamps: usize,
  values: usize,
  status: usize,
  count: u32,
  chunkRangeMs: f64,
  samplesPerChunk: u32,
): u32 {
  const chunkRange = max<i64>(<i64>chunkRangeMs, 1);
  const perChunk = min<u32>(max<u32>(samplesPerChunk, 4), SAMPLES_PER_CHUNK_MAX);
  let appended: u32 = 0;
  let full = false;
  for (let i: usize = 0; i < <usize>count; i++) {
    if (load<u8>(status + i) != STATUS_OK) continue;
    if (full) {
      store<u8>(status + i, STATUS_MEMORY_FULL);
      continue;
    }
    const slot = seriesOf(load<u32>(refs + (i << 2)));
    if (slot == 0) {
      store<u8>(status + i, STATUS_UNKNOWN_SERIES);
      continue;
    }
    const result = appendSample(slot, <i64>load<f64>(timestamps + (i << 3)), load<u64>(values + (i << 3)), 0, chunkRange, perChunk);
    store<u8>(status + i, result);
    if (result == STATUS_OK) appended++;
    else if (result == STATUS_MEMORY_FULL) full = true;
  }
  return appended;
}

// Appends one sample of which it is known since when it counts.
export function appendStarted(ref: u32, timestampMs: f64, bits: u64, startMs: f64, chunkRangeMs: f64, samplesPerChunk: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return STATUS_UNKNOWN_SERIES;
  const perChunk = min<u32>(max<u32>(samplesPerChunk, 4), SAMPLES_PER_CHUNK_MAX);
  return appendSample(slot, <i64>timestampMs, bits, <i64>startMs, max<i64>(<i64>chunkRangeMs, 1), perChunk);
}

// Type byte, u64 ref and i64 time of the first sample big-endian, then per sample varints of the differences to the first and the value's bits.
export function encodeSamplesRecord(
  refs: usize,
  timestamps: usize,
  values: usize,
  status: usize,
  count: u32,
  out: usize,
  capacity: u32,
): u32 {
  if (<u64>count * 28 + 17 > <u64>capacity) return 0;
  let ptr = out;
  let firstRef: i64 = 0;
  let firstTime: i64 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    if (load<u8>(status + i) != STATUS_OK) continue;
    const ref = <i64>load<u32>(refs + (i << 2));
    const t = <i64>load<f64>(timestamps + (i << 3));
    if (ptr == out) {
      store<u8>(ptr, RECORD_SAMPLES);
      store<u64>(ptr, bswap<u64>(ref), 1);
      store<u64>(ptr, bswap<u64>(t), 9);
      ptr += 17;
      firstRef = ref;
      firstTime = t;
    }
    ptr = storeVarint(ptr, ref - firstRef);
    ptr = storeVarint(ptr, t - firstTime);
    store<u64>(ptr, bswap<u64>(load<u64>(values + (i << 3))));
    ptr += 8;
  }
  return <u32>(ptr - out);
}
