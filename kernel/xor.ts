// Upstream's XOR chunk encoding: bits most significant first, after a big-endian u16 sample count.
//   sample 0: varint t, 64 bits v; sample 1: uvarint Δt, value; then ΔΔt in 1, 2+14, 3+17, 4+20 or 4+64 bits, value.
//   value: 0 = same | 10 + significant bits in the last window | 11 + 5 bits leading + 6 bits length + significant bits.

import {
  afterUvarint,
  bitsAt,
  loadBigEndian,
  putBits,
  putUvarint,
  signExtend,
  swapped,
  SWAPPED,
  unzigzag,
  uvarintAt,
  zigzag,
} from "./bits";

// What one sample can take at most: 20 bytes (the second of a chunk: a 10-byte varint and 77 bits).
export const SAMPLE_BYTES_MAX: u32 = 20;
// The encoder's first position: after the count.
export const FIRST_BIT: u32 = 16;
export const NO_WINDOW: u8 = 0xff;

// Decoding errors.
export const DAMAGED: i32 = -1;
export const OUT_OF_MEMORY_BOUNDS: i32 = -2;
export const CAPACITY_TOO_SMALL: i32 = -3;

export function putFirst(base: usize, pos: u32, t: i64, bits: u64): u32 {
  pos = putUvarint(base, pos, zigzag(t));
  return putBits(base, pos, bits, 64);
}

// @ts-ignore: decorator
@inline
export function putSecondTime(base: usize, pos: u32, delta: u64): u32 {
  return putUvarint(base, pos, delta);
}

// @ts-ignore: decorator
@inline
export function putTime(base: usize, pos: u32, dod: i64): u32 {
  if (dod == 0) return pos + 1;
  if (dod >= -8191 && dod <= 8192) return putBits(base, pos, (0b10 << 14) | (<u64>dod & 0x3fff), 16);
  if (dod >= -65535 && dod <= 65536) return putBits(base, pos, (0b110 << 17) | (<u64>dod & 0x1ffff), 20);
  if (dod >= -524287 && dod <= 524288) return putBits(base, pos, (0b1110 << 20) | (<u64>dod & 0xfffff), 24);
  return putBits(base, putBits(base, pos, 0b1111, 4), <u64>dod, 64);
}

// Writes x = bits ⊕ last bits; the window is { u8 leading, u8 trailing } at windowPtr, updated.
// @ts-ignore: decorator
@inline
export function putValue(base: usize, pos: u32, x: u64, windowPtr: usize): u32 {
  return x == 0 ? pos + 1 : putChange(base, pos, x, windowPtr, 0b10, 2, 0b11, 2);
}

// As putValue, of what has changed; behind the code that says whether it lies in the last window.
// @ts-ignore: decorator
@inline
export function putChange(
  base: usize,
  pos: u32,
  x: u64,
  windowPtr: usize,
  sameCode: u64,
  sameBits: u32,
  otherCode: u64,
  otherBits: u32,
): u32 {
  const leading = min<u32>(<u32>clz<u64>(x), 31);
  const trailing = <u32>ctz<u64>(x);
  const windowLeading = <u32>load<u8>(windowPtr);
  const windowTrailing = <u32>load<u8>(windowPtr, 1);
  if (windowLeading != NO_WINDOW && leading >= windowLeading && trailing >= windowTrailing) {
    const n = 64 - windowLeading - windowTrailing;
    const v = x >> windowTrailing;
    if (n + sameBits <= 64) return putBits(base, pos, (sameCode << n) | v, n + sameBits);
    return putBits(base, putBits(base, pos, sameCode, sameBits), v, n);
  }
  store<u8>(windowPtr, <u8>leading);
  store<u8>(windowPtr, <u8>trailing, 1);
  const n = 64 - leading - trailing;
  const v = x >> trailing;
  // A length of 64 is written as 0.
  const head = (otherCode << 11) | <u64>((leading << 6) | (n & 63));
  if (n + otherBits + 11 <= 64) return putBits(base, pos, (head << n) | v, n + otherBits + 11);
  return putBits(base, putBits(base, pos, head, otherBits + 11), v, n);
}

// Encodes columns as one chunk; bytes, or 0 when they do not fit.
export function encodeChunk(ts: usize, vs: usize, count: u32, out: usize, capacity: u32): u32 {
  if (count == 0 || count > 65535) return 0;
  const needed = <u64>count * SAMPLE_BYTES_MAX + 2;
  // Zeroed as far as the worst case may reach; writes stay below it, the last 64-bit one included.
  const room = <u32>min<u64>(needed + 16, <u64>capacity);
  if (room < 2 + SAMPLE_BYTES_MAX + 16) return 0;
  memory.fill(out, 0, room);
  const limit = (room - SAMPLE_BYTES_MAX - 16) * 8;
  // The window's two bytes live in the slack's last ones until the end.
  const window = out + room - 2;
  store<u8>(window, NO_WINDOW);
  let t = <i64>load<f64>(ts);
  let bits = load<u64>(vs);
  let delta: i64 = 0;
  let pos = putFirst(out, FIRST_BIT, t, bits);
  for (let i: u32 = 1; i < count; i++) {
    if (pos > limit) return 0;
    const nextT = <i64>load<f64>(ts + (<usize>i << 3));
    const nextBits = load<u64>(vs + (<usize>i << 3));
    const nextDelta = nextT - t;
    pos = i == 1 ? putSecondTime(out, pos, <u64>nextDelta) : putTime(out, pos, nextDelta - delta);
    pos = putValue(out, pos, nextBits ^ bits, window);
    t = nextT;
    delta = nextDelta;
    bits = nextBits;
  }
  store<u16>(window, 0);
  putCount(out, count);
  return (pos + 7) >> 3;
}

// @ts-ignore: decorator
@inline
export function putCount(base: usize, count: u32): void {
  store<u8>(base, <u8>(count >> 8));
  store<u8>(base, <u8>count, 1);
}

// Decodes `count` samples to columns. Nothing is stored past `capacity`; loads stay within 32 bytes of the data, whose use
// is refused as soon as a sample ends past it.
export function decodeChunk(data: usize, dataBytes: u32, count: u32, tsOut: usize, vsOut: usize, capacity: u32): i32 {
  if (count > capacity) return CAPACITY_TOO_SMALL;
  if (<u64>data + dataBytes + 32 > <u64>memory.size() << 16) return OUT_OF_MEMORY_BOUNDS;
  if (count == 0) return dataBytes >= 2 ? 0 : DAMAGED;
  if (dataBytes < 11) return DAMAGED;
  const end = data + dataBytes;
  let ptr = data + 2;
  let t = unzigzag(uvarintAt(ptr, end));
  ptr = afterUvarint;
  if (ptr == 0 || ptr + 8 > end) return DAMAGED;
  let bits = loadBigEndian(ptr);
  ptr += 8;
  store<f64>(tsOut, <f64>t);
  store<u64>(vsOut, bits);
  if (count == 1) return 1;
  let delta = <i64>uvarintAt(ptr, end);
  ptr = afterUvarint;
  if (ptr == 0) return DAMAGED;

  // A sample is read from a word that holds its first 64 − `skip` bits: in front the one that says that the interval stays as it was. The second sample
  // has none, and gets it here.
  const endPos = <u64>end << 3;
  const order = v128.load(SWAPPED);
  let pos = (<u64>ptr << 3) - 1;
  let skip: u64 = 7;
  let word = swapped(ptr, order) >> 1;
  // Of the last window of significant bits: those that a word of 64 has besides, and those of them behind it.
  let unused: u64 = 0;
  let trailing: u64 = 0;
  const toValue = vsOut - tsOut;
  const tsEnd = tsOut + (<usize>count << 3);
  for (let tsPtr = tsOut + 8; tsPtr < tsEnd; tsPtr += 8) {
    if (<i64>word < 0) {
      if (<i64>(word << 1) >= 0) {
        delta += signExtend(word, 2, 14);
        pos += 15;
      } else {
        delta += longChangeAt(pos);
        pos += longChangeBits - 1;
      }
      skip = pos & 7;
      word = swapped(<usize>(pos >> 3), order) << skip;
    }
    t += delta;
    word <<= 1;
    if (<i64>word >= 0) pos += 2;
    else {
      word <<= 1;
      if (<i64>word >= 0) {
        pos += 3;
        skip += 3;
        word <<= 1;
      } else {
        const leading = (word >> 58) & 31;
        // A length of 64 is written as 0.
        unused = 63 - (((word >> 52) - 1) & 63);
        if (leading > unused) return DAMAGED;
        trailing = unused - leading;
        pos += 14;
        skip = pos & 7;
        word = swapped(<usize>(pos >> 3), order) << skip;
      }
      if (skip <= unused) bits ^= (word >> unused) << trailing;
      else bits ^= bitsAt(0, pos, <u32>(64 - unused)) << trailing;
      pos += 64 - unused;
    }
    if (pos > endPos) return DAMAGED;
    store<f64>(tsPtr, <f64>t);
    store<u64>(tsPtr + toValue, bits);
    skip = pos & 7;
    word = swapped(<usize>(pos >> 3), order) << skip;
  }
  return <i32>count;
}

// A change of the interval that takes more than 16 bits; `longChangeBits` is how many.
let longChangeBits: u64 = 0;
function longChangeAt(pos: u64): i64 {
  const word = loadBigEndian(<usize>(pos >> 3)) << (pos & 7);
  if ((word & (<u64>1 << 61)) == 0) {
    longChangeBits = 20;
    return signExtend(word, 3, 17);
  }
  if ((word & (<u64>1 << 60)) == 0) {
    longChangeBits = 24;
    return signExtend(word, 4, 20);
  }
  longChangeBits = 68;
  return <i64>bitsAt(0, pos + 4, 64);
}
