// Upstream's XOR2 chunk encoding: bits most significant first, after a big-endian u16 sample count and a byte about start timestamps: bit 7 = the first sample has one,
// bits 0–6 = the first sample from which on each says its own, 0 = none does.
//   sample 0: varint t, 64 bits v, varint t − start if it has one; sample 1: uvarint Δt, value;
//   then 0 = ΔΔt 0, same value | 10 = ΔΔt 0, change | 110 + 13, 1110 + 20 or 11110 + 64 bits ΔΔt, value | 11111 = ΔΔt 0, stale marker.
//   value: 0 = same | 10 = significant bits in the last window | 110 = 5 bits leading + 6 bits length + significant bits | 111 = stale marker.
//   change: 0 = significant bits in the last window | 1 = 5 bits leading + 6 bits length + significant bits.
//   start, behind the sample: varbit of (t of the sample before − start) less what that was for the sample before, at first 0.
// "Same" and the significant bits are relative to the last value that was no stale marker, 0 before the first.
import { afterUvarint, bitsAt, loadBigEndian, putBits, putUvarint, unzigzag, uvarintAt, zigzag } from "./bits";
import { STALE_BITS } from "./layout";
import { putVarbit, varbitAt, varbitBits } from "./varbit";
import { CAPACITY_TOO_SMALL, DAMAGED, NO_WINDOW, OUT_OF_MEMORY_BOUNDS, putChange, putCount, putFirst } from "./xor";

// What one sample can take at most: 29 bytes (the second of a chunk: a 10-byte varint, 78 bits of value and 72 of a start).
export const XOR2_SAMPLE_BYTES_MAX: u32 = 29;
const HEADER_BYTES: u32 = 3;
const START_HEADER: usize = 2;
const FIRST_HAS_START: u8 = 0x80;
const OWN_START_FROM: u8 = 0x7f;
// The last sample that the header can name: from there on each says its start, known or not.
const OWN_START_FROM_MAX: u32 = 0x7f;

// What the writer must know beside the last sample of a chunk: u64 value that the next is compared with, while the last one is a stale marker; i64 start of all samples
// so far, or, once samples say their own, what the last one said. All 0 at the beginning.
export const NOTES_BYTES: u32 = 16;
const NOTED_START: usize = 8;

export function putXor2First(base: usize, t: i64, bits: u64, start: i64, notes: usize): u32 {
  const pos = putFirst(base, HEADER_BYTES << 3, t, bits);
  if (start == 0) return pos;
  store<u8>(base, FIRST_HAS_START, START_HEADER);
  store<i64>(notes, start, NOTED_START);
  return putUvarint(base, pos, zigzag(t - start));
}

// Writes the sample with that index, from 1 on; the window is { u8 leading, u8 trailing } at windowPtr, updated.
export function putXor2Next(
  base: usize,
  pos: u32,
  index: u32,
  lastT: i64,
  lastDelta: i64,
  lastBits: u64,
  t: i64,
  bits: u64,
  start: i64,
  windowPtr: usize,
  notes: usize,
): u32 {
  let comparedWith = lastBits;
  if (lastBits == STALE_BITS) comparedWith = load<u64>(notes);
  else if (bits == STALE_BITS) store<u64>(notes, lastBits);
  const delta = t - lastT;
  if (index == 1) {
    pos = putUvarint(base, pos, <u64>delta);
    pos = putValue(base, pos, bits, comparedWith, windowPtr);
  } else {
    pos = putTimeAndValue(base, pos, delta - lastDelta, bits, comparedWith, windowPtr);
  }
  const header = load<u8>(base, START_HEADER);
  if (header == 0 && start == 0 && index != OWN_START_FROM_MAX) return pos;
  return putStart(base, pos, header, index, lastT, start, notes);
}

// @ts-ignore: decorator
@inline
function putTimeAndValue(base: usize, pos: u32, dod: i64, bits: u64, comparedWith: u64, windowPtr: usize): u32 {
  if (dod == 0) {
    if (bits == comparedWith) return pos + 1;
    if (bits == STALE_BITS) return putBits(base, pos, 0b11111, 5);
    return putChange(base, pos, bits ^ comparedWith, windowPtr, 0b100, 3, 0b101, 3);
  }
  if (dod >= -4096 && dod <= 4095) pos = putBits(base, pos, (0b110 << 13) | (<u64>dod & 0x1fff), 16);
  else if (dod >= -524288 && dod <= 524287) pos = putBits(base, pos, (0b1110 << 20) | (<u64>dod & 0xfffff), 24);
  else pos = putBits(base, putBits(base, pos, 0b11110, 5), <u64>dod, 64);
  return putValue(base, pos, bits, comparedWith, windowPtr);
}

// Not inlined, so that there is one of it.
function putValue(base: usize, pos: u32, bits: u64, comparedWith: u64, windowPtr: usize): u32 {
  if (bits == comparedWith) return pos + 1;
  if (bits == STALE_BITS) return putBits(base, pos, 0b111, 3);
  return putChange(base, pos, bits ^ comparedWith, windowPtr, 0b10, 2, 0b110, 3);
}

function putStart(base: usize, pos: u32, header: u8, index: u32, lastT: i64, start: i64, notes: usize): u32 {
  const difference = lastT - start;
  let said: i64 = 0;
  if ((header & OWN_START_FROM) != 0) said = load<i64>(notes, NOTED_START);
  else if (start == load<i64>(notes, NOTED_START) && index != OWN_START_FROM_MAX) return pos;
  else store<u8>(base, header | <u8>index, START_HEADER);
  store<i64>(notes, difference, NOTED_START);
  return putVarbit(base, pos, difference - said);
}

// Encodes columns as one chunk; bytes, or 0 when they do not fit. Without `starts` (0) none is known.
export function encodeXor2(ts: usize, vs: usize, starts: usize, count: u32, out: usize, capacity: u32): u32 {
  if (count == 0 || count > 65535) return 0;
  const needed = HEADER_BYTES + <u64>count * XOR2_SAMPLE_BYTES_MAX;
  // The window and the notes live behind the slack until the end. All is zeroed as far as the worst case may reach.
  const behind: u32 = 16 + 2 + NOTES_BYTES;
  const room = <u32>min<u64>(needed + behind, <u64>capacity);
  if (room < HEADER_BYTES + XOR2_SAMPLE_BYTES_MAX + behind) return 0;
  memory.fill(out, 0, room);
  const limit = (room - XOR2_SAMPLE_BYTES_MAX - behind) * 8;
  const notes = out + room - NOTES_BYTES;
  const window = notes - 2;
  store<u8>(window, NO_WINDOW);
  let t = <i64>load<f64>(ts);
  let bits = load<u64>(vs);
  let delta: i64 = 0;
  let pos = putXor2First(out, t, bits, starts == 0 ? 0 : <i64>load<f64>(starts), notes);
  for (let i: u32 = 1; i < count; i++) {
    if (pos > limit) return 0;
    const at = <usize>i << 3;
    const nextT = <i64>load<f64>(ts + at);
    const nextBits = load<u64>(vs + at);
    const start = starts == 0 ? 0 : <i64>load<f64>(starts + at);
    pos = putXor2Next(out, pos, i, t, delta, bits, nextT, nextBits, start, window, notes);
    delta = nextT - t;
    t = nextT;
    bits = nextBits;
  }
  memory.fill(window, 0, 2 + NOTES_BYTES);
  putCount(out, count);
  return (pos + 7) >> 3;
}

const UNCHANGED: u32 = 0;
const SAME_WINDOW: u32 = 1;
const OTHER_WINDOW: u32 = 2;

// As decodeChunk; `startsOut` is a third column, 0 where it is not wanted.
export function decodeXor2(
  data: usize,
  dataBytes: u32,
  count: u32,
  tsOut: usize,
  vsOut: usize,
  startsOut: usize,
  capacity: u32,
): i32 {
  if (count > capacity) return CAPACITY_TOO_SMALL;
  if (<u64>data + dataBytes + 32 > <u64>memory.size() << 16) return OUT_OF_MEMORY_BOUNDS;
  if (count == 0) return dataBytes >= HEADER_BYTES ? 0 : DAMAGED;
  if (dataBytes < HEADER_BYTES + 9) return DAMAGED;
  // Mostly none is known, which makes a sample cheaper.
  const isPlain = startsOut == 0 && (load<u8>(data, START_HEADER) & OWN_START_FROM) == 0;
  if (isPlain) return decodeSamples(data, dataBytes, count, tsOut, vsOut, 0, false);
  return decodeSamples(data, dataBytes, count, tsOut, vsOut, startsOut, true);
}

// `hasStarts` is a constant: false where samples do not say their own, and nobody wants to know.
// @ts-ignore: decorator
@inline
function decodeSamples(
  data: usize,
  dataBytes: u32,
  count: u32,
  tsOut: usize,
  vsOut: usize,
  startsOut: usize,
  hasStarts: bool,
): i32 {
  const end = data + dataBytes;
  let ptr = data + HEADER_BYTES;
  let t = unzigzag(uvarintAt(ptr, end));
  ptr = afterUvarint;
  if (ptr == 0 || ptr + 8 > end) return DAMAGED;
  let value = loadBigEndian(ptr);
  ptr += 8;
  const header = load<u8>(data, START_HEADER);
  let start: i64 = 0;
  if ((header & FIRST_HAS_START) != 0) {
    start = t - unzigzag(uvarintAt(ptr, end));
    ptr = afterUvarint;
    if (ptr == 0) return DAMAGED;
  }
  store<f64>(tsOut, <f64>t);
  store<u64>(vsOut, value);
  if (startsOut != 0) store<f64>(startsOut, <f64>start);
  if (count == 1) return 1;
  let delta = <i64>uvarintAt(ptr, end);
  ptr = afterUvarint;
  if (ptr == 0) return DAMAGED;

  const base = ptr;
  const endPos = <u64>(end - ptr) << 3;
  const tsEnd = tsOut + (<usize>count << 3);
  const ownStartFrom = <usize>(header & OWN_START_FROM);
  const tsOwnStart = ownStartFrom == 0 ? tsEnd : tsOut + (ownStartFrom << 3);
  let pos: u64 = 0;
  let trailing: u32 = 0;
  let significant: u32 = 64;
  let bits: u64 = value == STALE_BITS ? 0 : value;
  let difference: i64 = 0;
  let tsPtr = tsOut + 8;
  let vsPtr = vsOut + 8;
  let startsPtr = startsOut + 8;
  let isSecond = true;
  while (tsPtr < tsEnd) {
    let skip = <u32>(pos & 7);
    let word = loadBigEndian(base + <usize>(pos >> 3)) << skip;
    const lastT = t;
    value = bits;
    if (<i64>word >= 0) {
      // Nothing has changed, for the second sample but the time.
      pos += 1;
    } else {
      let change = UNCHANGED;
      let used: u32 = 0;
      if (!isSecond && (word & (<u64>1 << 62)) == 0) {
        change = (word & (<u64>1 << 61)) == 0 ? SAME_WINDOW : OTHER_WINDOW;
        used = 3;
      } else if (!isSecond && <u32>(word >> 59) == 0b11111) {
        value = STALE_BITS;
        used = 5;
      } else {
        if (isSecond) {
          // Its time came before.
        } else if ((word & (<u64>1 << 61)) == 0) {
          delta += <i64>(word << 3) >> 51;
          word <<= 16;
          skip += 16;
          pos += 16;
        } else if ((word & (<u64>1 << 60)) == 0) {
          delta += <i64>(word << 4) >> 44;
          word <<= 24;
          skip += 24;
          pos += 24;
        } else {
          if (pos + 69 > endPos) return DAMAGED;
          delta += <i64>bitsAt(base, pos + 5, 64);
          pos += 69;
          skip = <u32>(pos & 7);
          word = loadBigEndian(base + <usize>(pos >> 3)) << skip;
        }
        // `word` now begins with the value, and holds 64 − skip ≥ 33 bits of it.
        if (<i64>word >= 0) used = 1;
        else if ((word & (<u64>1 << 62)) == 0) {
          change = SAME_WINDOW;
          used = 2;
        } else {
          used = 3;
          if ((word & (<u64>1 << 61)) == 0) change = OTHER_WINDOW;
          else value = STALE_BITS;
        }
      }
      pos += used;
      if (change != UNCHANGED) {
        word <<= used;
        skip += used;
        if (change == OTHER_WINDOW) {
          const leading = <u32>(word >> 59);
          significant = <u32>(word >> 53) & 63;
          if (significant == 0) significant = 64;
          if (leading + significant > 64) return DAMAGED;
          trailing = 64 - leading - significant;
          pos += 11;
          word <<= 11;
          skip += 11;
        }
        if (significant + skip <= 64) bits ^= (word >> (64 - significant)) << trailing;
        else {
          if (pos + significant > endPos) return DAMAGED;
          bits ^= bitsAt(base, pos, significant) << trailing;
        }
        pos += significant;
        value = bits;
      }
    }
    if (pos > endPos) return DAMAGED;
    isSecond = false;
    t += delta;
    if (hasStarts && tsPtr >= tsOwnStart) {
      difference += varbitAt(base, pos, endPos);
      pos += varbitBits;
      if (varbitBits == 0) return DAMAGED;
      start = lastT - difference;
    }
    store<f64>(tsPtr, <f64>t);
    store<u64>(vsPtr, value);
    if (hasStarts && startsOut != 0) store<f64>(startsPtr, <f64>start);
    tsPtr += 8;
    vsPtr += 8;
    startsPtr += 8;
  }
  return <i32>count;
}
