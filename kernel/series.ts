// Series slots and their chunks. The writer publishes: a chunk by an atomic store of its pointer, a sample by one of the count.
import { arenaAllocate, arenaClassBytes, arenaRetire } from "./arena";
import { blockBytes, chunkCount, chunkEncoding, isClosed, isXor, setChunkCount } from "./chunk";
import { noteClosed } from "./closed-chunks";
import {
  CHUNK_CAPACITY,
  CHUNK_CLOSED,
  CHUNK_DATA_BYTES,
  CHUNK_ENCODING,
  CHUNK_FLAGS,
  CHUNK_HEADER,
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_OLDER,
  CHUNK_TOTAL,
  ENCODING_XOR,
  SERIES_COUNT,
  SERIES_DIRECTORY,
  SERIES_HIGHEST_REF,
  SLACK,
  SLOT_BIT_POS,
  SLOT_BYTES,
  SLOT_CHUNK,
  SLOT_LABELS,
  SLOT_LAST_DELTA,
  SLOT_LAST_TIMESTAMP,
  SLOT_LAST_VALUE,
  SLOT_LEADING,
  SLOT_NEXT_CUT,
  SLOT_PAGES_MAX,
  SLOT_REF,
  SLOT_TRAILING,
  SLOTS_PER_PAGE,
} from "./layout";
import { seriesOf, slotOf } from "./slot";
import {
  NO_WINDOW,
  putCount,
  putFirst,
  putSecondTime,
  putTime,
  putValue,
  SAMPLE_BYTES_MAX,
} from "./xor";

// An open chunk's block has room for so many bytes beside the next sample; when they are used up, the chunk moves to one with as many more. Most series are
// in the same phase of their chunks, so that what is reserved for later is missing now.
const OPEN_ROOM_BYTES: u32 = 48;
// Upstream cuts before a chunk of more than this many bytes takes another sample.
const CHUNK_BYTES_MAX: u32 = 1024;
const CHUNK_BYTES_BEFORE_APPEND_MAX: u32 = CHUNK_BYTES_MAX - 19;

// In place of the bit position: the newest chunk came from a file, and its last value will be known when the log tells it again.
const VALUE_UNKNOWN: u32 = 0;

export const STATUS_OK: u8 = 0;
export const STATUS_OUT_OF_ORDER: u8 = 1;
export const STATUS_DUPLICATE: u8 = 2;
export const STATUS_REPEATED: u8 = 3;
export const STATUS_OUT_OF_BOUNDS: u8 = 4;
export const STATUS_TOO_FAR: u8 = 5;
export const STATUS_MEMORY_FULL: u8 = 6;
export const STATUS_UNKNOWN_SERIES: u8 = 7;

export function seriesCreate(ref: u32, labels: u32): u32 {
  const page = (ref >> 14) & (SLOT_PAGES_MAX - 1);
  if (ref == 0) return 0;
  const word = SERIES_DIRECTORY + (page << 2);
  if (load<u32>(word) == 0) {
    const bytes = SLOTS_PER_PAGE * SLOT_BYTES;
    const fresh = arenaAllocate(bytes);
    if (fresh == 0) return 0;
    memory.fill(fresh, 0, bytes);
    atomic.store<u32>(word, fresh);
  }
  const slot = slotOf(ref);
  store<u32>(slot, ref, SLOT_REF);
  atomic.store<u32>(slot + SLOT_LABELS, labels);
  if (ref > load<u32>(SERIES_HIGHEST_REF)) atomic.store<u32>(SERIES_HIGHEST_REF, ref);
  atomic.store<u32>(SERIES_COUNT, load<u32>(SERIES_COUNT) + 1);
  return <u32>slot;
}

// @ts-ignore: decorator
@inline
function countChunks(difference: u32): void {
  atomic.store<u32>(CHUNK_TOTAL, load<u32>(CHUNK_TOTAL) + difference);
}

export function seriesRelease(ref: u32): void {
  const slot = seriesOf(ref);
  if (slot == 0) return;
  let chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  atomic.store<u32>(slot + SLOT_LABELS, 0);
  atomic.store<u32>(slot + SLOT_CHUNK, 0);
  while (chunk != 0) {
    const older = load<u32>(chunk, CHUNK_OLDER);
    arenaRetire(<u32>chunk, blockBytes(chunk));
    countChunks(-1);
    chunk = older;
  }
  memory.fill(slot, 0, SLOT_BYTES);
  atomic.store<u32>(SERIES_COUNT, load<u32>(SERIES_COUNT) - 1);
}

// Retires chunks that end before minTimestamp; returns how many.
export function seriesTruncate(ref: u32, minTimestampMs: f64): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  const minTimestamp = <i64>minTimestampMs;
  let link = slot + SLOT_CHUNK;
  let chunk = <usize>load<u32>(link);
  while (chunk != 0 && load<i64>(chunk, CHUNK_MAX) >= minTimestamp) {
    link = chunk + CHUNK_OLDER;
    chunk = load<u32>(link);
  }
  atomic.store<u32>(link, 0);
  let dropped: u32 = 0;
  while (chunk != 0) {
    const older = load<u32>(chunk, CHUNK_OLDER);
    arenaRetire(<u32>chunk, blockBytes(chunk));
    chunk = older;
    dropped++;
  }
  countChunks(-dropped);
  return dropped;
}

// A block for a chunk with at least `capacity` bytes of data: its whole size class is used. 0 when memory is full.
function newChunk(capacity: u32): usize {
  const bytes = arenaClassBytes(CHUNK_HEADER + capacity + SLACK);
  const chunk = arenaAllocate(bytes);
  if (chunk == 0) return 0;
  memory.fill(chunk, 0, bytes);
  store<u32>(chunk, bytes - CHUNK_HEADER - SLACK, CHUNK_CAPACITY);
  store<u8>(chunk, ENCODING_XOR, CHUNK_ENCODING);
  return chunk;
}

function copyChunk(from: usize, to: usize, dataBytes: u32): void {
  store<u32>(to, load<u32>(from, CHUNK_OLDER), CHUNK_OLDER);
  setChunkCount(to, chunkCount(from));
  store<u8>(to, chunkEncoding(from), CHUNK_ENCODING);
  store<i64>(to, load<i64>(from, CHUNK_MIN), CHUNK_MIN);
  store<i64>(to, load<i64>(from, CHUNK_MAX), CHUNK_MAX);
  memory.copy(to + CHUNK_HEADER, from + CHUNK_HEADER, dataBytes);
}

// Closes the open chunk, whose bytes are final then. Whoever writes other encodings keeps the count in their data.
function close(slot: usize, chunk: usize): void {
  if (isXor(chunk)) putCount(chunk + CHUNK_HEADER, chunkCount(chunk));
  store<u32>(chunk, (load<u32>(slot, SLOT_BIT_POS) + 7) >> 3, CHUNK_DATA_BYTES);
  atomic.store<u8>(chunk + CHUNK_FLAGS, CHUNK_CLOSED);
  noteClosed(slot);
}

export function seriesCloseChunk(ref: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  const chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  if (chunk == 0 || isClosed(chunk)) return 0;
  close(slot, chunk);
  return 1;
}

// Puts chunks that are in files on a series that has none yet; false when it has.
export function seriesAttachChunks(ref: u32, newest: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0 || load<u32>(slot, SLOT_CHUNK) != 0) return 0;
  for (let chunk = newest; chunk != 0; chunk = load<u32>(chunk, CHUNK_OLDER)) countChunks(1);
  store<i64>(slot, load<i64>(newest, CHUNK_MAX), SLOT_LAST_TIMESTAMP);
  store<u32>(slot, VALUE_UNKNOWN, SLOT_BIT_POS);
  atomic.store<u32>(slot + SLOT_CHUNK, newest);
  return 1;
}

// The newest sample of a series whose newest chunk came from a file is told again: now its value is known. False when it was.
function learnLastValue(slot: usize, bits: u64): bool {
  if (!isXor(load<u32>(slot, SLOT_CHUNK)) || load<u32>(slot, SLOT_BIT_POS) != VALUE_UNKNOWN) return false;
  store<u64>(slot, bits, SLOT_LAST_VALUE);
  store<u32>(slot, 1, SLOT_BIT_POS);
  return true;
}

// Upstream's estimate of where a chunk that is a quarter full should end.
function computeChunkEnd(start: i64, current: i64, limit: i64): i64 {
  const n = <f64>(limit - start) / (<f64>(current - start + 1) * 4.0);
  if (n <= 1) return limit;
  return <i64>(<f64>start + <f64>(limit - start) / Math.floor(n));
}

// Opens a chunk with its first sample; false when memory is full.
function cut(slot: usize, chunk: usize, t: i64, bits: u64, chunkRange: i64): bool {
  const fresh = newChunk(OPEN_ROOM_BYTES);
  if (fresh == 0) return false;
  if (chunk != 0 && !isClosed(chunk)) close(slot, chunk);
  store<u32>(slot, putFirst(fresh + CHUNK_HEADER, t, bits), SLOT_BIT_POS);
  store<u32>(fresh, <u32>chunk, CHUNK_OLDER);
  setChunkCount(fresh, 1);
  store<i64>(fresh, t, CHUNK_MIN);
  store<i64>(fresh, t, CHUNK_MAX);
  store<u8>(slot, NO_WINDOW, SLOT_LEADING);
  store<u8>(slot, 0, SLOT_TRAILING);
  store<i64>(slot, 0, SLOT_LAST_DELTA);
  store<i64>(slot, (t / chunkRange) * chunkRange + chunkRange, SLOT_NEXT_CUT);
  atomic.store<u32>(slot + SLOT_CHUNK, <u32>fresh);
  countChunks(1);
  return true;
}

// Moves the open chunk to a larger block; returns it, or 0.
function grow(slot: usize, chunk: usize): usize {
  const dataBytes = (load<u32>(slot, SLOT_BIT_POS) + 7) >> 3;
  const larger = newChunk(dataBytes + SAMPLE_BYTES_MAX + 1 + OPEN_ROOM_BYTES);
  if (larger == 0) return 0;
  copyChunk(chunk, larger, dataBytes);
  atomic.store<u32>(slot + SLOT_CHUNK, <u32>larger);
  arenaRetire(<u32>chunk, blockBytes(chunk));
  return larger;
}

// Appends to a series; a status. `samplesPerChunk` ≤ 30,000.
// @ts-ignore: decorator
@inline
export function appendSample(slot: usize, t: i64, bits: u64, chunkRange: i64, samplesPerChunk: u32): u8 {
  let chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  if (chunk == 0) {
    if (!cut(slot, 0, t, bits, chunkRange)) return STATUS_MEMORY_FULL;
    store<i64>(slot, t, SLOT_LAST_TIMESTAMP);
    store<u64>(slot, bits, SLOT_LAST_VALUE);
    return STATUS_OK;
  }
  const lastTimestamp = load<i64>(slot, SLOT_LAST_TIMESTAMP);
  const lastBits = load<u64>(slot, SLOT_LAST_VALUE);
  if (t <= lastTimestamp) {
    if (t < lastTimestamp) return STATUS_OUT_OF_ORDER;
    if (learnLastValue(slot, bits)) return STATUS_REPEATED;
    return bits == lastBits && isXor(chunk) ? STATUS_REPEATED : STATUS_DUPLICATE;
  }
  const count = chunkCount(chunk);
  let pos = load<u32>(slot, SLOT_BIT_POS);
  if (count == samplesPerChunk >> 2 && isXor(chunk))
    store<i64>(
      slot,
      computeChunkEnd(load<i64>(chunk, CHUNK_MIN), lastTimestamp, load<i64>(slot, SLOT_NEXT_CUT)),
      SLOT_NEXT_CUT,
    );
  if (
    t >= load<i64>(slot, SLOT_NEXT_CUT) ||
    count >= samplesPerChunk << 1 ||
    pos > CHUNK_BYTES_BEFORE_APPEND_MAX << 3 ||
    !isXor(chunk) ||
    isClosed(chunk)
  ) {
    if (!cut(slot, chunk, t, bits, chunkRange)) return STATUS_MEMORY_FULL;
  } else {
    if ((pos >> 3) + SAMPLE_BYTES_MAX + 1 > load<u32>(chunk, CHUNK_CAPACITY)) {
      chunk = grow(slot, chunk);
      if (chunk == 0) return STATUS_MEMORY_FULL;
    }
    const data = chunk + CHUNK_HEADER;
    const delta = t - lastTimestamp;
    if (count == 1) pos = putSecondTime(data, pos, <u64>delta);
    else pos = putTime(data, pos, delta - load<i64>(slot, SLOT_LAST_DELTA));
    pos = putValue(data, pos, bits ^ lastBits, slot + SLOT_LEADING);
    store<u32>(slot, pos, SLOT_BIT_POS);
    store<i64>(slot, delta, SLOT_LAST_DELTA);
    store<i64>(chunk, t, CHUNK_MAX);
    setChunkCount(chunk, count + 1);
  }
  store<i64>(slot, t, SLOT_LAST_TIMESTAMP);
  store<u64>(slot, bits, SLOT_LAST_VALUE);
  return STATUS_OK;
}
