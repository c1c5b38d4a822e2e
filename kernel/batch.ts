// Sample batches: check against the newest samples, encode as a WAL record, append. Columns as in src/kernel/sample-batch.ts.
import { isXor } from "./chunk";
import { isolationNote, isolationShow } from "./isolation";
import { SLOT_CHUNK, SLOT_LAST_TIMESTAMP, SLOT_LAST_VALUE } from "./layout";
import {
  appendSample,
  learnLastValue,
  STATUS_DUPLICATE,
  STATUS_MEMORY_FULL,
  STATUS_OK,
  STATUS_OUT_OF_BOUNDS,
  STATUS_OUT_OF_ORDER,
  STATUS_REPEATED,
  STATUS_TOO_FAR,
  STATUS_UNKNOWN_SERIES,
} from "./series";
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
  return load<u64>(slot, SLOT_LAST_VALUE) == bits && isXor(chunk) ? STATUS_REPEATED : STATUS_DUPLICATE;
}

// Takes out what the series have already, or have later samples than; returns how many are left, in their order.
export function dropStored(refs: usize, timestamps: usize, values: usize, count: u32): u32 {
  let kept: usize = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const ref = load<u32>(refs + (i << 2));
    const timestampMs = load<f64>(timestamps + (i << 3));
    const bits = load<u64>(values + (i << 3));
    const slot = seriesOf(ref);
    if (slot != 0 && load<u32>(slot, SLOT_CHUNK) != 0) {
      const last = load<i64>(slot, SLOT_LAST_TIMESTAMP);
      if (<i64>timestampMs <= last) {
        if (<i64>timestampMs == last) learnLastValue(slot, bits);
        continue;
      }
    }
    store<u32>(refs + (kept << 2), ref);
    store<f64>(timestamps + (kept << 3), timestampMs);
    store<u64>(values + (kept << 3), bits);
    kept++;
  }
  return <u32>kept;
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
    const result = appendSample(slot, <i64>load<f64>(timestamps + (i << 3)), load<u64>(values + (i << 3)), chunkRange, perChunk);
    store<u8>(status + i, result);
    if (result == STATUS_OK) appended++;
    else if (result == STATUS_MEMORY_FULL) full = true;
  }
  return appended;
}

// @ts-ignore: decorator
@inline
function putVarint(ptr: usize, v: i64): usize {
  let raw = (<u64>v << 1) ^ <u64>(v >> 63);
  while (raw >= 0x80) {
    store<u8>(ptr++, <u8>raw | 0x80);
    raw >>= 7;
  }
  store<u8>(ptr++, <u8>raw);
  return ptr;
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
    ptr = putVarint(ptr, ref - firstRef);
    ptr = putVarint(ptr, t - firstTime);
    store<u64>(ptr, bswap<u64>(load<u64>(values + (i << 3))));
    ptr += 8;
  }
  return <u32>(ptr - out);
}

const TRUNCATED: i32 = -1;
const WRONG_TYPE: i32 = -2;
const REF_TOO_LARGE: i32 = -3;
const TOO_MANY: i32 = -4;

// The varint reader's position; 0 after a truncated or overlong one.
let cursor: usize = 0;

function getVarint(end: usize): i64 {
  let raw: u64 = 0;
  let shift: u32 = 0;
  while (cursor < end && shift < 64) {
    const byte = <u64>load<u8>(cursor++);
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return <i64>(raw >> 1) ^ -(<i64>(raw & 1));
    shift += 7;
  }
  cursor = 0;
  return 0;
}

export function decodeSamplesRecord(
  record: usize,
  recordBytes: u32,
  refs: usize,
  timestamps: usize,
  values: usize,
  capacity: u32,
): i32 {
  if (recordBytes < 1) return TRUNCATED;
  if (load<u8>(record) != RECORD_SAMPLES) return WRONG_TYPE;
  if (recordBytes == 1) return 0;
  if (recordBytes < 17) return TRUNCATED;
  const end = record + recordBytes;
  const firstRef = <i64>bswap<u64>(load<u64>(record, 1));
  const firstTime = <i64>bswap<u64>(load<u64>(record, 9));
  cursor = record + 17;
  let n: u32 = 0;
  while (cursor < end) {
    if (n == capacity) return TOO_MANY;
    const ref = firstRef + getVarint(end);
    if (cursor == 0) return TRUNCATED;
    const t = firstTime + getVarint(end);
    if (cursor == 0 || end - cursor < 8) return TRUNCATED;
    if (<u64>ref > <u64>u32.MAX_VALUE) return REF_TOO_LARGE;
    store<u32>(refs + (<usize>n << 2), <u32>ref);
    store<f64>(timestamps + (<usize>n << 3), <f64>t);
    store<u64>(values + (<usize>n << 3), bswap<u64>(load<u64>(cursor)));
    cursor += 8;
    n++;
  }
  return <i32>n;
}
