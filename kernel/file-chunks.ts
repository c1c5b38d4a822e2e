// The chunks of a query that are in files: listed, brought into the order of the files, and put where they are decoded.
import { fileOf, isInFile, offsetOf, recordBytesOf } from "./chunk";
import { recordData, recordDataBytes } from "./chunk-record";
import { CHUNK_MAX, CHUNK_MIN, CHUNK_OLDER, SLOT_CHUNK } from "./layout";
import { seriesOf } from "./slot";

// Chunks of a query that are in files: { f64 place: file × 2²⁷ + offset, u32 chunk, u32 bytes at most, u32 record, u32 0 }. `record` is where the record is
// in memory, and LEFT_OUT when it is to be left out.
export const FILE_ENTRY: u32 = 24;
export const FILE_CHUNK: usize = 8;
export const FILE_BYTES: usize = 12;
export const FILE_RECORD: usize = 16;
export const LEFT_OUT: u32 = 1;

// The series' chunks that overlap the time range and are in files, the newest first; returns how many there are, which may be more than fit.
export function listFileChunks(ref: u32, minTimestampMs: f64, maxTimestampMs: f64, entries: usize, capacity: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  let count: u32 = 0;
  for (let chunk = <usize>atomic.load<u32>(slot + SLOT_CHUNK); chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!isInFile(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    if (count < capacity) {
      const entry = entries + count * FILE_ENTRY;
      store<f64>(entry, <f64>fileOf(chunk) * 134217728.0 + <f64>offsetOf(chunk));
      store<u32>(entry, <u32>chunk, FILE_CHUNK);
      store<u32>(entry, recordBytesOf(chunk), FILE_BYTES);
      store<u32>(entry, 0, FILE_RECORD);
    }
    count++;
  }
  return count;
}

const DIGIT_BITS: u32 = 8;
const DIGITS: u32 = 256;
// A place has 21 bits of file and 27 of offset.
const PLACE_BITS: u32 = 48;

// @ts-ignore: decorator
@inline
function digitOf(entries: usize, entry: u32, shift: u32): u32 {
  return <u32>(<u64>load<f64>(entries + entry * FILE_ENTRY) >> shift) & (DIGITS - 1);
}

// The indexes of listed chunks in the order of their places, at `order` (a radix sort). `spare` is as large, `digits` a table of 256 u32.
export function orderFileChunks(entries: usize, count: u32, order: usize, spare: usize, digits: usize): void {
  let isOrdered = true;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(order + (i << 2), i);
    if (i > 0 && load<f64>(entries + i * FILE_ENTRY) < load<f64>(entries + (i - 1) * FILE_ENTRY)) isOrdered = false;
  }
  if (isOrdered) return;
  // An even number of rounds, so that the result ends in `order`.
  for (let shift: u32 = 0; shift < PLACE_BITS; shift += DIGIT_BITS) {
    memory.fill(digits, 0, DIGITS << 2);
    for (let i: u32 = 0; i < count; i++) {
      const at = digits + (digitOf(entries, i, shift) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    let sum: u32 = 0;
    for (let digit: u32 = 0; digit < DIGITS; digit++) {
      const own = load<u32>(digits + (digit << 2));
      store<u32>(digits + (digit << 2), sum);
      sum += own;
    }
    for (let i: u32 = 0; i < count; i++) {
      const entry = load<u32>(order + (i << 2));
      const at = digits + (digitOf(entries, entry, shift) << 2);
      const to = load<u32>(at);
      store<u32>(at, to + 1);
      store<u32>(spare + (to << 2), entry);
    }
    const ordered = spare;
    spare = order;
    order = ordered;
  }
}

// Records of listed chunks, `count` of them in `order`, of which the bytes of their file from `start` on were read to `source`: puts each behind the other to `out`, and says in
// its entry where it is and how much of it was there. Returns where they end.
export function placeRecords(
  entries: usize,
  order: usize,
  count: u32,
  start: f64,
  source: usize,
  sourceBytes: u32,
  out: usize,
): usize {
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + load<u32>(order + (i << 2)) * FILE_ENTRY;
    const offset = <u32>(load<f64>(entry) - start);
    const bytes = load<u32>(entry, FILE_BYTES);
    const got = offset < sourceBytes ? min<u32>(bytes, sourceBytes - offset) : 0;
    memory.copy(out, source + offset, got);
    store<u32>(entry, <u32>out, FILE_RECORD);
    store<u32>(entry, got, FILE_BYTES);
    out += bytes;
  }
  return out;
}

// The data of a listed chunk whose record is loaded; 0 when it is damaged, which is marked.
export function fileChunkData(entry: usize): usize {
  const record = load<u32>(entry, FILE_RECORD);
  const data = record <= LEFT_OUT ? 0 : recordData(load<u32>(entry, FILE_CHUNK), record, load<u32>(entry, FILE_BYTES));
  if (data == 0) store<u32>(entry, LEFT_OUT, FILE_RECORD);
  return data;
}

export function fileChunkDataBytes(): u32 {
  return recordDataBytes;
}
