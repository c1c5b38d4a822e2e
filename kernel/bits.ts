// Bit streams, most significant bit first, as all encodings of chunks are.

// By a SIMD shuffle, one instruction, where bswap would be a dozen: a quarter of decoding's time.
// @ts-ignore: decorator
@inline
export function loadBigEndian(ptr: usize): u64 {
  const word = v128.load_zero<u64>(ptr);
  return i64x2.extract_lane(v128.shuffle<u8>(word, word, 7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0), 0);
}

export const SWAPPED = memory.data<u8>([7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0]);

// As loadBigEndian, for loops, which load SWAPPED once.
// @ts-ignore: decorator
@inline
export function swapped(ptr: usize, order: v128): u64 {
  return i64x2.extract_lane(i8x16.relaxed_swizzle(v128.load_zero<u64>(ptr), order), 0);
}

// Writes the n low bits of v (the others are 0) at bit position pos into zeroed memory; 1 ≤ n ≤ 64.
// @ts-ignore: decorator
@inline
export function putBits(base: usize, pos: u32, v: u64, n: u32): u32 {
  const ptr = base + (pos >> 3);
  const shift = 64 - <i32>(pos & 7) - <i32>n;
  const word = loadBigEndian(ptr);
  if (shift >= 0) {
    store<u64>(ptr, bswap<u64>(word | (v << shift)));
  } else {
    store<u64>(ptr, bswap<u64>(word | (v >> -shift)));
    store<u8>(ptr, <u8>(v << (8 + shift)), 8);
  }
  return pos + n;
}

export function putUvarint(base: usize, pos: u32, v: u64): u32 {
  while (v >= 0x80) {
    pos = putBits(base, pos, (v & 0x7f) | 0x80, 8);
    v >>= 7;
  }
  return putBits(base, pos, v, 8);
}

// As putUvarint, at a byte; returns where it ends.
// @ts-ignore: decorator
@inline
export function storeUvarint(ptr: usize, v: u64): usize {
  for (; v >= 0x80; v >>= 7) store<u8>(ptr++, <u8>v | 0x80);
  store<u8>(ptr++, <u8>v);
  return ptr;
}

// As storeUvarint, of a number of either sign.
// @ts-ignore: decorator
@inline
export function storeVarint(ptr: usize, v: i64): usize {
  return storeUvarint(ptr, zigzag(v));
}

// Unlike two's complement: small numbers of either sign are small.
// @ts-ignore: decorator
@inline
export function zigzag(v: i64): u64 {
  return (<u64>v << 1) ^ <u64>(v >> 63);
}

// @ts-ignore: decorator
@inline
export function unzigzag(raw: u64): i64 {
  return <i64>(raw >> 1) ^ -(<i64>(raw & 1));
}

// The number that ends before `end`; `afterUvarint` is where it ends, 0 when it does not.
export let afterUvarint: usize = 0;
export function uvarintAt(ptr: usize, end: usize): u64 {
  let raw: u64 = 0;
  let shift: u32 = 0;
  let byte: u32 = 0x80;
  afterUvarint = 0;
  while (byte >= 0x80) {
    if (shift > 63 || ptr >= end) return 0;
    byte = load<u8>(ptr++);
    raw |= <u64>(byte & 0x7f) << shift;
    shift += 7;
  }
  afterUvarint = ptr;
  return raw;
}

// n ≤ 64 bits at pos, left-aligned loads hold at least 57.
export function bitsAt(base: usize, pos: u64, n: u32): u64 {
  const ptr = base + <usize>(pos >> 3);
  const skip = <u32>(pos & 7);
  const word = loadBigEndian(ptr) << skip;
  if (n + skip <= 64) return word >> (64 - n);
  const missing = n + skip - 64;
  return (word >> (64 - n)) | (<u64>load<u8>(ptr, 8) >> (8 - missing));
}

// n bits behind the first `skip` of a word.
// @ts-ignore: decorator
@inline
export function signExtend(word: u64, skip: u32, n: u32): i64 {
  // The range is −(2ⁿ⁻¹ − 1) … 2ⁿ⁻¹: the pattern 100…0 is positive, unlike two's complement.
  const raw = <i64>((word << skip) >> (64 - n));
  return raw > <i64>1 << (n - 1) ? raw - ((<i64>1) << n) : raw;
}
