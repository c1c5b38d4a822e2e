// The samples of native histogram chunks (encodings 2 and 3), behind the layout that all of them share. As bits, most significant first:
//   integer: time, count and zero count as second differences, the sum as XOR, bucket counts as second differences of the difference to the bucket before;
//   float: the time as second difference, every number as XOR.
// A whole number is a prefix of ones, which tells how many bits follow.
import { bitsAt, loadBigEndian } from "./bits";
import { STALE_BITS } from "./layout";
import { varbitSize } from "./varbit";
import { DAMAGED, OUT_OF_MEMORY_BOUNDS } from "./xor";

// One sample is a row of f64: time, count, zero count, sum, positive and negative buckets.
const ROW_COUNT: usize = 8;
const ROW_ZERO_COUNT: usize = 16;
const ROW_SUM: usize = 24;
const ROW_BUCKETS: usize = 32;

// What is remembered of a number between samples: of a whole one its value and its last change, of a double its bits and its window.
const STATE_BYTES: usize = 16;
const STATE_DELTA: usize = 8;
const STATE_TRAILING: usize = 8;
const STATE_SIGNIFICANT: usize = 12;

// The reader: a chunk's data, the next bit, and the first one that does not belong to it. What is read begins before that and may end behind it, which
// whoever reads finds out before the next number.
let base: usize = 0;
let pos: u64 = 0;
let end: u64 = 0;

// The next bits, at least so many.
const WORD_BITS: u32 = 57;

// @ts-ignore: decorator
@inline
function nextWord(): u64 {
  return loadBigEndian(base + <usize>(pos >> 3)) << (pos & 7);
}

// Unsigned, or as a varbit.
// @ts-ignore: decorator
@inline
function readWhole(signed: bool): i64 {
  const word = nextWord();
  if (<i64>word >= 0) {
    pos += 1;
    return 0;
  }
  return readChanged(word, signed);
}

// A number that is not zero; `word` is the next one.
// @ts-ignore: decorator
@inline
function readChanged(word: u64, signed: bool): i64 {
  const prefix = min<u32>(<u32>clz<u64>(~word), 8);
  const prefixBits = prefix == 8 ? 8 : prefix + 1;
  const size = varbitSize(prefix);
  // Up to prefix 6 everything is in the 57 bits that were loaded.
  const raw = prefix < 7 ? (word << prefixBits) >> (64 - size) : bitsAt(base, pos + prefixBits, size);
  pos += prefixBits + size;
  // The half itself is positive; only 64 bits are plain two's complement.
  if (!signed || prefix == 8 || raw <= (<u64>1) << (size - 1)) return <i64>raw;
  return <i64>(raw - ((<u64>1) << size));
}

// @ts-ignore: decorator
@inline
function readRaw(): u64 {
  const bits = bitsAt(base, pos, 64);
  pos += 64;
  return bits;
}

function readFirstDouble(state: usize): u64 {
  const bits = readRaw();
  store<u64>(state, bits);
  store<u32>(state, 0, STATE_TRAILING);
  store<u32>(state, 64, STATE_SIGNIFICANT);
  return bits;
}

function readDouble(state: usize): u64 {
  const word = nextWord();
  const before = load<u64>(state);
  if (<i64>word >= 0) {
    pos += 1;
    return before;
  }
  if ((word & (<u64>1 << 62)) == 0) pos += 2;
  else {
    const leading = <u32>(word >> 57) & 31;
    let length = <u32>(word >> 51) & 63;
    if (length == 0) length = 64;
    pos += 13;
    if (leading + length > 64) {
      pos = end + 1;
      return 0;
    }
    store<u32>(state, 64 - leading - length, STATE_TRAILING);
    store<u32>(state, length, STATE_SIGNIFICANT);
  }
  const significant = load<u32>(state, STATE_SIGNIFICANT);
  if (pos + significant > end) {
    pos = end + 1;
    return 0;
  }
  const bits = before ^ (bitsAt(base, pos, significant) << load<u32>(state, STATE_TRAILING));
  pos += significant;
  store<u64>(state, bits);
  return bits;
}

// @ts-ignore: decorator
@inline
function readFirstWhole(state: usize, signed: bool): i64 {
  const value = readWhole(signed);
  store<i64>(state, value);
  store<i64>(state, 0, STATE_DELTA);
  return value;
}

// @ts-ignore: decorator
@inline
function readNextWhole(state: usize): i64 {
  const delta = load<i64>(state, STATE_DELTA) + readWhole(true);
  const value = load<i64>(state) + delta;
  store<i64>(state, value);
  store<i64>(state, delta, STATE_DELTA);
  return value;
}

// Buckets as differences to the one before, each side from zero on; false behind the data's end.
function readFirstBuckets(state: usize, row: usize, positive: u32, negative: u32): bool {
  let count: i64 = 0;
  for (let i: u32 = 0; i < positive + negative; i++) {
    if (i == positive) count = 0;
    count += readFirstWhole(state, true);
    store<f64>(row, <f64>count);
    if (pos > end) return false;
    state += STATE_BYTES;
    row += 8;
  }
  return true;
}

// As readFirstBuckets, from the second sample on. Most changes go on as they did, which is one bit each: these are counted ahead.
function readNextBuckets(state: usize, row: usize, positive: u32, negative: u32): bool {
  let count: i64 = 0;
  let zeros: u32 = 0;
  for (let i: u32 = 0; i < positive + negative; i++) {
    if (i == positive) count = 0;
    let delta = load<i64>(state, STATE_DELTA);
    let word: u64 = 0;
    if (zeros == 0) {
      word = nextWord();
      zeros = min<u32>(<u32>clz<u64>(word), WORD_BITS);
    }
    if (zeros > 0) {
      zeros--;
      pos++;
    } else {
      delta += readChanged(word, true);
      store<i64>(state, delta, STATE_DELTA);
    }
    const value = load<i64>(state) + delta;
    store<i64>(state, value);
    count += value;
    store<f64>(row, <f64>count);
    if (pos > end) return false;
    state += STATE_BYTES;
    row += 8;
  }
  return true;
}

// Moves behind whole numbers; false behind the data's end.
function skipWholes(numbers: u32): bool {
  let left = numbers;
  while (left > 0) {
    const word = nextWord();
    const zeros = min<u32>(min<u32>(<u32>clz<u64>(word), WORD_BITS), left);
    if (zeros > 0) {
      pos += zeros;
      left -= zeros;
    } else {
      const prefix = min<u32>(<u32>clz<u64>(~word), 8);
      pos += min<u32>(prefix + 1, 8) + varbitSize(prefix);
      left--;
    }
    if (pos > end) return false;
  }
  return true;
}

function readInteger(isFirst: bool, state: usize, row: usize, positive: u32, negative: u32, withBuckets: bool): bool {
  const zero = state + STATE_BYTES;
  const sum = zero + STATE_BYTES;
  store<f64>(row, <f64>(isFirst ? readFirstWhole(state, false) : readNextWhole(state)), ROW_COUNT);
  store<f64>(row, <f64>(isFirst ? readFirstWhole(zero, false) : readNextWhole(zero)), ROW_ZERO_COUNT);
  if (pos > end) return false;
  const bits = isFirst ? readFirstDouble(sum) : readDouble(sum);
  store<u64>(row, bits, ROW_SUM);
  if (pos > end) return false;
  // A marker that says that the series ended has no buckets.
  if (!isFirst && bits == STALE_BITS) return true;
  if (!withBuckets) return skipWholes(positive + negative);
  if (isFirst) return readFirstBuckets(sum + STATE_BYTES, row + ROW_BUCKETS, positive, negative);
  return readNextBuckets(sum + STATE_BYTES, row + ROW_BUCKETS, positive, negative);
}

function readFloat(isFirst: bool, state: usize, row: usize, buckets: u32, withBuckets: bool): bool {
  const numbers: u32 = 3 + buckets;
  for (let i: u32 = 0; i < numbers; i++) {
    row += 8;
    const bits = isFirst ? readFirstDouble(state) : readDouble(state);
    if (withBuckets || i < 3) store<u64>(row, bits);
    if (pos > end) return false;
    if (!isFirst && i == 2 && bits == STALE_BITS) return true;
    state += STATE_BYTES;
  }
  return true;
}

// Decodes `count` samples, which begin at a bit of the data, to rows. `state` has room for 16 bytes for each of a sample's numbers but its time. What a row of
// a stale marker says of buckets means nothing. Rows have no buckets unless `withBuckets`. Loads stay within 32 bytes of the data.
export function decodeHistogramRows(
  data: usize,
  dataBytes: u32,
  firstBit: u32,
  isFloat: bool,
  count: u32,
  positive: u32,
  negative: u32,
  withBuckets: bool,
  state: usize,
  out: usize,
): i32 {
  if (<u64>data + dataBytes + 32 > <u64>memory.size() << 16) return OUT_OF_MEMORY_BOUNDS;
  base = data;
  pos = firstBit;
  end = <u64>dataBytes << 3;
  if (pos > end) return DAMAGED;
  const rowBytes = withBuckets ? ROW_BUCKETS + (<usize>(positive + negative) << 3) : ROW_BUCKETS;
  let t: i64 = 0;
  let delta: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i > 0) delta += readWhole(true);
    t = i == 0 ? readWhole(true) : t + delta;
    if (pos > end) return DAMAGED;
    store<f64>(out, <f64>t);
    const isRead = isFloat
      ? readFloat(i == 0, state, out, positive + negative, withBuckets)
      : readInteger(i == 0, state, out, positive, negative, withBuckets);
    if (!isRead) return DAMAGED;
    out += rowBytes;
  }
  return <i32>count;
}
