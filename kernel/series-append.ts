// Appending to series. The writer publishes: a chunk by an atomic store of its pointer, a sample by one of the count.
import { arenaAllocate, arenaClassBytes, arenaRetire } from "./arena";
import { blockBytes, chunkCount, chunkEncoding, countChunks, hasFloats, isClosed, setChunkCount } from "./chunk";
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
  ENCODING_XOR,
  ENCODING_XOR2,
  FLOAT_ENCODING,
  SLACK,
  SLOT_BIT_POS,
  SLOT_CHUNK,
  SLOT_LAST_DELTA,
  SLOT_LAST_TIMESTAMP,
  SLOT_LAST_VALUE,
  SLOT_LEADING,
  SLOT_NEXT_CUT,
  SLOT_TRAILING,
} from "./layout";
import { seriesOf } from "./slot";
import {
  FIRST_BIT,
  NO_WINDOW,
  putCount,
  putFirst,
  putSecondTime,
  putTime,
  putValue,
  SAMPLE_BYTES_MAX,
} from "./xor";
import { putXor2First, putXor2Next, XOR2_SAMPLE_BYTES_MAX } from "./xor2";

// A chunk begins in a block with room for so many bytes.
const FIRST_ROOM_BYTES: u32 = 48;
// With each so many samples, of which the 120 of a chunk are a multiple, it moves to a block that fits the next so many, if they take what those before took.
// Most series are in the same phase of their chunks: what is reserved for later is missing now, and since they leave their blocks at the same time, they leave
// whole slabs behind, where a few that stayed would hold them.
const FIT_SAMPLES: u32 = 15;
// About what the first sample of a chunk takes, which tells nothing of the next ones.
const FIRST_SAMPLE_BYTES: u32 = 16;
// Upstream cuts before a chunk of more than this many bytes takes another sample.
const CHUNK_BYTES_MAX: u32 = 1024;
const CHUNK_BYTES_BEFORE_APPEND_MAX: u32 = CHUNK_BYTES_MAX - 19;

// In place of the bit position: the newest chunk came from a file, and its last value will be known when the log tells it again.
export const VALUE_UNKNOWN: u32 = 0;

export const STATUS_OK: u8 = 0;
export const STATUS_OUT_OF_ORDER: u8 = 1;
export const STATUS_DUPLICATE: u8 = 2;
export const STATUS_REPEATED: u8 = 3;
export const STATUS_OUT_OF_BOUNDS: u8 = 4;
export const STATUS_TOO_FAR: u8 = 5;
export const STATUS_MEMORY_FULL: u8 = 6;
export const STATUS_UNKNOWN_SERIES: u8 = 7;

// A block for a chunk with at least `capacity` bytes of data: its whole size class is used. 0 when memory is full.
function newChunk(encoding: u8, capacity: u32): usize {
  const bytes = arenaClassBytes(CHUNK_HEADER + capacity + SLACK);
  const chunk = arenaAllocate(bytes);
  if (chunk == 0) return 0;
  memory.fill(chunk, 0, bytes);
  store<u32>(chunk, bytes - CHUNK_HEADER - SLACK, CHUNK_CAPACITY);
  store<u8>(chunk, encoding, CHUNK_ENCODING);
  return chunk;
}

// Closes the open chunk, whose bytes are final then. Whoever writes other encodings keeps the count in their data.
export function closeChunk(slot: usize, chunk: usize): void {
  if (hasFloats(chunk)) putCount(chunk + CHUNK_HEADER, chunkCount(chunk));
  store<u32>(chunk, (load<u32>(slot, SLOT_BIT_POS) + 7) >> 3, CHUNK_DATA_BYTES);
  atomic.store<u8>(chunk + CHUNK_FLAGS, CHUNK_CLOSED);
  noteClosed(slot);
}

// The newest sample of a series whose newest chunk came from a file is told again: now its value is known. False when it was.
function learnLastValue(slot: usize, bits: u64): bool {
  if (!hasFloats(load<u32>(slot, SLOT_CHUNK)) || load<u32>(slot, SLOT_BIT_POS) != VALUE_UNKNOWN) return false;
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

// The notes of who writes an open XOR2 chunk: in the slack behind its data.
// @ts-ignore: decorator
@inline
function notesOf(chunk: usize): usize {
  return chunk + CHUNK_HEADER + load<u32>(chunk, CHUNK_CAPACITY);
}

// Opens a chunk with its first sample; false when memory is full. Only XOR2 keeps a start (0: not known).
function cut(slot: usize, chunk: usize, t: i64, bits: u64, start: i64, chunkRange: i64): bool {
  const encoding = start == 0 ? load<u8>(FLOAT_ENCODING) : ENCODING_XOR2;
  const fresh = newChunk(encoding, FIRST_ROOM_BYTES);
  if (fresh == 0) return false;
  if (chunk != 0 && !isClosed(chunk)) closeChunk(slot, chunk);
  const data = fresh + CHUNK_HEADER;
  let pos: u32;
  if (encoding == ENCODING_XOR) pos = putFirst(data, FIRST_BIT, t, bits);
  else pos = putXor2First(data, t, bits, start, notesOf(fresh));
  store<u32>(slot, pos, SLOT_BIT_POS);
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

// What the samples until the next fit will take, as far as those so far tell, with an eighth to spare.
function bytesAhead(dataBytes: u32, count: u32): u32 {
  const samples = FIT_SAMPLES - (count % FIT_SAMPLES);
  const expected = ((dataBytes - min<u32>(dataBytes, FIRST_SAMPLE_BYTES)) * samples) / count;
  return expected + (expected >> 3);
}

// Moves the open chunk, which has `count` samples, to a block that fits, with room for a sample of `bytesMax` at least; returns it, or 0.
function fit(slot: usize, chunk: usize, count: u32, bytesMax: u32): usize {
  const dataBytes = (load<u32>(slot, SLOT_BIT_POS) + 7) >> 3;
  const fitting = newChunk(<u8>chunkEncoding(chunk), dataBytes + bytesMax + 1 + bytesAhead(dataBytes, count));
  if (fitting == 0) return 0;
  store<u32>(fitting, load<u32>(chunk, CHUNK_OLDER), CHUNK_OLDER);
  setChunkCount(fitting, count);
  store<i64>(fitting, load<i64>(chunk, CHUNK_MIN), CHUNK_MIN);
  store<i64>(fitting, load<i64>(chunk, CHUNK_MAX), CHUNK_MAX);
  memory.copy(fitting + CHUNK_HEADER, chunk + CHUNK_HEADER, dataBytes);
  v128.store(notesOf(fitting), v128.load(notesOf(chunk)));
  atomic.store<u32>(slot + SLOT_CHUNK, <u32>fitting);
  arenaRetire(<u32>chunk, blockBytes(chunk));
  return fitting;
}

// Appends to a series; a status. `start` is since when the sample counts, 0 where that is not known; `samplesPerChunk` ≤ 30,000.
// @ts-ignore: decorator
@inline
export function appendSample(
  slot: usize,
  t: i64,
  bits: u64,
  start: i64,
  chunkRange: i64,
  samplesPerChunk: u32,
): u8 {
  const chunk = <usize>load<u32>(slot, SLOT_CHUNK);
  if (chunk == 0) {
    if (!cut(slot, 0, t, bits, start, chunkRange)) return STATUS_MEMORY_FULL;
    store<i64>(slot, t, SLOT_LAST_TIMESTAMP);
    store<u64>(slot, bits, SLOT_LAST_VALUE);
    return STATUS_OK;
  }
  const lastTimestamp = load<i64>(slot, SLOT_LAST_TIMESTAMP);
  if (t <= lastTimestamp) {
    if (t < lastTimestamp) return STATUS_OUT_OF_ORDER;
    if (learnLastValue(slot, bits)) return STATUS_REPEATED;
    return bits == load<u64>(slot, SLOT_LAST_VALUE) && hasFloats(chunk) ? STATUS_REPEATED : STATUS_DUPLICATE;
  }
  const count = chunkCount(chunk);
  const encoding = chunkEncoding(chunk);
  if (count == samplesPerChunk >> 2 && hasFloats(chunk))
    store<i64>(
      slot,
      computeChunkEnd(load<i64>(chunk, CHUNK_MIN), lastTimestamp, load<i64>(slot, SLOT_NEXT_CUT)),
      SLOT_NEXT_CUT,
    );
  const isFull =
    t >= load<i64>(slot, SLOT_NEXT_CUT) ||
    count >= samplesPerChunk << 1 ||
    load<u32>(slot, SLOT_BIT_POS) > CHUNK_BYTES_BEFORE_APPEND_MAX << 3 ||
    isClosed(chunk);
  // A change of the encoding for new chunks does not end an open one. Only XOR2 keeps starts.
  let isDone: bool;
  if (!isFull && encoding == ENCODING_XOR && start == 0) isDone = putXor(slot, chunk, t, bits, count);
  else if (!isFull && encoding == ENCODING_XOR2) isDone = putXor2(slot, chunk, t, bits, start, count);
  else isDone = cut(slot, chunk, t, bits, start, chunkRange);
  if (!isDone) return STATUS_MEMORY_FULL;
  store<i64>(slot, t, SLOT_LAST_TIMESTAMP);
  store<u64>(slot, bits, SLOT_LAST_VALUE);
  return STATUS_OK;
}

// The open chunk, or the block that takes its place, with room for a sample of so many bytes; 0 when memory is full.
// @ts-ignore: decorator
@inline
function withRoom(slot: usize, chunk: usize, pos: u32, count: u32, bytesMax: u32): usize {
  const isTight = (pos >> 3) + bytesMax + 1 > load<u32>(chunk, CHUNK_CAPACITY);
  if (!isTight && count % FIT_SAMPLES != 0) return chunk;
  const fitting = fit(slot, chunk, count, bytesMax);
  return fitting != 0 || isTight ? fitting : chunk;
}

// Puts a sample behind the others of an open chunk of `count`; false when memory is full.
// @ts-ignore: decorator
@inline
function putXor(slot: usize, chunk: usize, t: i64, bits: u64, count: u32): bool {
  let pos = load<u32>(slot, SLOT_BIT_POS);
  chunk = withRoom(slot, chunk, pos, count, SAMPLE_BYTES_MAX);
  if (chunk == 0) return false;
  const data = chunk + CHUNK_HEADER;
  const delta = t - load<i64>(slot, SLOT_LAST_TIMESTAMP);
  if (count == 1) pos = putSecondTime(data, pos, <u64>delta);
  else pos = putTime(data, pos, delta - load<i64>(slot, SLOT_LAST_DELTA));
  pos = putValue(data, pos, bits ^ load<u64>(slot, SLOT_LAST_VALUE), slot + SLOT_LEADING);
  publish(slot, chunk, t, delta, pos, count + 1);
  return true;
}

// As putXor; by itself, so that XOR pays nothing for it.
function putXor2(slot: usize, chunk: usize, t: i64, bits: u64, start: i64, count: u32): bool {
  let pos = load<u32>(slot, SLOT_BIT_POS);
  chunk = withRoom(slot, chunk, pos, count, XOR2_SAMPLE_BYTES_MAX);
  if (chunk == 0) return false;
  const lastTimestamp = load<i64>(slot, SLOT_LAST_TIMESTAMP);
  pos = putXor2Next(
    chunk + CHUNK_HEADER,
    pos,
    count,
    lastTimestamp,
    load<i64>(slot, SLOT_LAST_DELTA),
    load<u64>(slot, SLOT_LAST_VALUE),
    t,
    bits,
    start,
    slot + SLOT_LEADING,
    notesOf(chunk),
  );
  publish(slot, chunk, t, t - lastTimestamp, pos, count + 1);
  return true;
}

// @ts-ignore: decorator
@inline
function publish(slot: usize, chunk: usize, t: i64, delta: i64, pos: u32, count: u32): void {
  store<u32>(slot, pos, SLOT_BIT_POS);
  store<i64>(slot, delta, SLOT_LAST_DELTA);
  store<i64>(chunk, t, CHUNK_MAX);
  setChunkCount(chunk, count);
}
