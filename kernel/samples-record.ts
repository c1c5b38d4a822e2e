// Reads samples records of a log into the columns of a batch. On any thread: of the series it only reads, while the writer may append to them.
import { SLOT_CHUNK, SLOT_LAST_TIMESTAMP } from "./layout";
import { seriesOf } from "./slot";

const RECORD_SAMPLES: u8 = 2;
const HEADER_BYTES: u32 = 17;
// Two varints and the value.
const SAMPLE_BYTES_MIN: usize = 10;

const TRUNCATED: i32 = -1;
const WRONG_TYPE: i32 = -2;
const REF_TOO_LARGE: i32 = -3;
const TOO_MANY: i32 = -4;

// The bytes of the varint that a word begins with, 0 when it is longer than the word.
// @ts-ignore: decorator
@inline
function varintBytes(word: u64): usize {
  if ((word & 0x80) == 0) return 1;
  const stops = ~word & 0x8080808080808080;
  return stops == 0 ? 0 : (<usize>ctz<u64>(stops) + 1) >> 3;
}

// The number that a varint of so many bytes, at most 8, stands for.
// @ts-ignore: decorator
@inline
function varintOf(word: u64, bytes: usize): u64 {
  if (bytes == 1) return word & 0x7f;
  let groups = word & (u64.MAX_VALUE >> (64 - 8 * bytes)) & 0x7f7f7f7f7f7f7f7f;
  groups = (groups & 0x007f007f007f007f) | ((groups & 0x7f007f007f007f00) >> 1);
  groups = (groups & 0x00003fff00003fff) | ((groups & 0x3fff00003fff0000) >> 2);
  return (groups & 0x000000000fffffff) | ((groups & 0x0fffffff00000000) >> 4);
}

// Where the long varint that was read last ends, 0 when it has more than 10 bytes.
let longEnd: usize = 0;
function longVarint(at: usize): u64 {
  let raw: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 7) {
    const byte = <u64>load<u8>(at++);
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      longEnd = at;
      return raw;
    }
  }
  longEnd = 0;
  return 0;
}

// @ts-ignore: decorator
@inline
function unzigzag(raw: u64): i64 {
  return <i64>(raw >> 1) ^ -(<i64>(raw & 1));
}

// Whether the series has a later sample.
// @ts-ignore: decorator
@inline
function isPassed(ref: u32, t: i64): bool {
  const slot = seriesOf(ref);
  return slot != 0 && load<u32>(slot, SLOT_CHUNK) != 0 && t < load<i64>(slot, SLOT_LAST_TIMESTAMP);
}

// Puts the samples of a record, behind which 24 bytes may be loaded, into columns; returns how many, or a negative number. Left out are those before `minTimeMs`, and of
// those up to `storedUntilMs` what is older than its series' newest sample. `aliases` has, for `aliasCount` refs from `firstAlias` on, the u32 ref that is to stand for each, or 0.
export function decodeSamplesRecord(
  record: usize,
  recordBytes: u32,
  refs: usize,
  timestamps: usize,
  values: usize,
  capacity: u32,
  minTimeMs: f64,
  storedUntilMs: f64,
  aliases: usize,
  firstAlias: u32,
  aliasCount: u32,
): i32 {
  if (recordBytes < 1) return TRUNCATED;
  if (load<u8>(record) != RECORD_SAMPLES) return WRONG_TYPE;
  if (recordBytes == 1) return 0;
  if (recordBytes < HEADER_BYTES) return TRUNCATED;
  const end = record + recordBytes;
  const firstRef = <i64>bswap<u64>(load<u64>(record, 1));
  const firstTime = <i64>bswap<u64>(load<u64>(record, 9));
  let at = record + HEADER_BYTES;
  let n: u32 = 0;
  while (at < end) {
    if (n == capacity) return TOO_MANY;
    if (end - at < SAMPLE_BYTES_MIN) return TRUNCATED;
    let word = load<u64>(at);
    let bytes = varintBytes(word);
    let raw: u64;
    if (bytes != 0) {
      raw = varintOf(word, bytes);
      at += bytes;
    } else {
      raw = longVarint(at);
      at = longEnd;
      if (at == 0) return TRUNCATED;
    }
    const logRef = firstRef + unzigzag(raw);
    word = load<u64>(at);
    bytes = varintBytes(word);
    if (bytes != 0) {
      raw = varintOf(word, bytes);
      at += bytes;
    } else {
      raw = longVarint(at);
      at = longEnd;
      if (at == 0) return TRUNCATED;
    }
    const t = firstTime + unzigzag(raw);
    if (at + 8 > end) return TRUNCATED;
    if (<u64>logRef > <u64>u32.MAX_VALUE) return REF_TOO_LARGE;
    let ref = <u32>logRef;
    if (ref - firstAlias < aliasCount) {
      const other = load<u32>(aliases + (<usize>(ref - firstAlias) << 2));
      if (other != 0) ref = other;
    }
    const bits = bswap<u64>(load<u64>(at));
    at += 8;
    const timestampMs = <f64>t;
    if (timestampMs < minTimeMs || (timestampMs <= storedUntilMs && isPassed(ref, t))) continue;
    store<u32>(refs + (<usize>n << 2), ref);
    store<f64>(timestamps + (<usize>n << 3), timestampMs);
    store<u64>(values + (<usize>n << 3), bits);
    n++;
  }
  return <i32>n;
}
