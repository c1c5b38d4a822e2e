// Chunks of head series as a block has them: those that are whole are copied, of others the samples that belong to the block are encoded anew. For any thread within an epoch.
import { chunkCount, chunkEncoding, hasFloats, isClosed, isInFile } from "./chunk";
import { frameChunk } from "./chunk-frame";
import { recordData, recordDataBytes } from "./chunk-record";
import { FILE_BYTES, FILE_CHUNK, FILE_ENTRY, FILE_RECORD, LEFT_OUT } from "./file-chunks";
import { decodeFloats, encodeFloats } from "./floats";
import {
  BLOCK_CHUNK_BYTES,
  BLOCK_CHUNK_DATA_BYTES,
  BLOCK_CHUNK_MAX,
  BLOCK_CHUNK_MIN,
  BLOCK_CHUNK_REF,
  BLOCK_CHUNK_SAMPLES,
  BLOCK_SERIES_ALONE,
  BLOCK_SERIES_BYTES,
  BLOCK_SERIES_CHUNKS,
  BR_CHUNK_REF,
  BR_CHUNKS,
  BR_CHUNKS_END,
  BR_COLUMNS,
  BR_COUNT,
  BR_DONE,
  BR_FILES,
  BR_FILES_COUNT,
  BR_MAX_MS,
  BR_MIN_MS,
  BR_NOTES,
  BR_OUT,
  BR_OUT_END,
  BR_REFS,
  BR_SAMPLES_MAX,
  BR_SERIES,
  BR_UNTILS,
  CHUNK_CAPACITY,
  CHUNK_DATA_BYTES,
  CHUNK_HEADER,
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_OLDER,
  ENCODING_XOR2,
  ISOLATION_NEXT,
  SLOT_BIT_POS,
  SLOT_CHUNK,
} from "./layout";
import { seriesOf } from "./slot";
import { putCount } from "./xor";

// How a call ended.
const DONE: u32 = 0;
const FULL: u32 = 1;
const NOT_LOADED: u32 = 2;
const DAMAGED_FILE: u32 = 3;
const ALONE: u32 = 4;
const NOTED: u32 = 5;

// As upstream's.
const SAMPLES_PER_CHUNK: u32 = 120;
const ENCODED_BYTES_MAX: u32 = 64 + 29 * SAMPLES_PER_CHUNK;
// In front of a chunk's data its length and encoding, behind it its checksum.
const FRAME_BYTES_MAX: u32 = 10;

// A chunk that was found in a series, the newest first, from the end of the table of chunks downwards: { u32 chunk, u32 data, u32 its bytes, u32 whether it is closed }.
const FOUND_BYTES: usize = 16;
const FOUND_DATA: usize = 4;
const FOUND_DATA_BYTES: usize = 8;
const FOUND_CLOSED: usize = 12;

// Where the next chunk goes, and its ref.
let out: usize = 0;
let outEnd: usize = 0;
let chunks: usize = 0;
let chunkRef: f64 = 0;
// What `find` found: the chunks from here to the table's end.
let found: usize = 0;
let filesLeft: usize = 0;

// Copies series from the first of the state on, and says of how many in BR_DONE, where the chunks and their table end, and why it ends.
export function copyBlockRun(state: usize): u32 {
  const count = load<u32>(state, BR_COUNT);
  const refs = <usize>load<u32>(state, BR_REFS);
  const untils = <usize>load<u32>(state, BR_UNTILS);
  const series = <usize>load<u32>(state, BR_SERIES);
  const maxMs = load<f64>(state, BR_MAX_MS);
  out = load<u32>(state, BR_OUT);
  outEnd = load<u32>(state, BR_OUT_END);
  chunks = load<u32>(state, BR_CHUNKS);
  chunkRef = load<f64>(state, BR_CHUNK_REF);
  filesLeft = load<u32>(state, BR_FILES);
  let event = DONE;
  let done: u32 = 0;
  for (; done < count && event == DONE; done++) {
    const outBefore = out;
    const chunksBefore = chunks;
    const refBefore = chunkRef;
    const entry = series + done * BLOCK_SERIES_BYTES;
    const untilMs = untils == 0 ? maxMs : min<f64>(maxMs, load<f64>(untils + (<usize>done << 3)));
    event = load<u32>(entry, BLOCK_SERIES_ALONE) != 0 ? ALONE : copySeries(state, load<u32>(refs + (<usize>done << 2)), untilMs);
    if (event != DONE) {
      chunkRef = refBefore;
      out = outBefore;
      chunks = chunksBefore;
      break;
    }
    store<u32>(entry, <u32>((chunks - chunksBefore) / BLOCK_CHUNK_BYTES), BLOCK_SERIES_CHUNKS);
  }
  store<u32>(state, done, BR_DONE);
  store<u32>(state, <u32>out, BR_OUT);
  store<u32>(state, <u32>chunks, BR_CHUNKS);
  store<f64>(state, chunkRef, BR_CHUNK_REF);
  return event;
}

// All samples of a series from the block's first time until `untilMs`.
function copySeries(state: usize, ref: u32, untilMs: f64): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return DONE;
  const minMs = load<f64>(state, BR_MIN_MS);
  const event = find(state, slot, minMs, untilMs);
  if (event != DONE) return event;
  const tableEnd = <usize>load<u32>(state, BR_CHUNKS_END);
  for (let at = found; at < tableEnd; at += FOUND_BYTES) {
    const chunk = <usize>load<u32>(at);
    const isWhole = <f64>load<i64>(chunk, CHUNK_MIN) >= minMs && <f64>load<i64>(chunk, CHUNK_MAX) <= untilMs;
    let failure: u32;
    if (!isWhole) failure = copyPart(state, at, minMs, untilMs);
    else if (load<u32>(at, FOUND_CLOSED) != 0) failure = copyWhole(at);
    else failure = copyOpen(state, slot, at);
    if (failure != DONE) return failure;
  }
  // What was read holds together, and nothing of it is too new, when no commit began meanwhile: who appends tells before. The addition keeps the loads in this order.
  atomic.add<u32>(state + BR_DONE, 0);
  return atomic.load<u32>(ISOLATION_NEXT) == load<u32>(state, BR_NOTES) ? DONE : NOTED;
}

// Finds the chunks with samples of the time.
function find(state: usize, slot: usize, minMs: f64, untilMs: f64): u32 {
  const filesEnd = <usize>load<u32>(state, BR_FILES) + load<u32>(state, BR_FILES_COUNT) * FILE_ENTRY;
  let files = filesLeft;
  found = load<u32>(state, BR_CHUNKS_END);
  for (let chunk = <usize>atomic.load<u32>(slot + SLOT_CHUNK); chunk != 0; chunk = <usize>atomic.load<u32>(chunk + CHUNK_OLDER)) {
    // Looked at once, and before the rest: what follows is then that of a closed chunk, or may still grow.
    const closed = isClosed(chunk);
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minMs) break;
    let data = chunk + CHUNK_HEADER;
    let dataBytes: u32 = 0;
    if (isInFile(chunk)) {
      if (<f64>load<i64>(chunk, CHUNK_MIN) > load<f64>(state, BR_MAX_MS)) continue;
      while (files != filesEnd && load<u32>(files, FILE_CHUNK) != <u32>chunk) files += FILE_ENTRY;
      const record = files == filesEnd ? 0 : load<u32>(files, FILE_RECORD);
      if (record == 0) return NOT_LOADED;
      const bytes = load<u32>(files, FILE_BYTES);
      files += FILE_ENTRY;
      if (record == LEFT_OUT) continue;
      if (!hasFloats(chunk)) return ALONE;
      data = recordData(chunk, record, bytes);
      if (data == 0) {
        store<u32>(files - FILE_ENTRY, LEFT_OUT, FILE_RECORD);
        return DAMAGED_FILE;
      }
      dataBytes = recordDataBytes;
    } else if (closed) dataBytes = load<u32>(chunk, CHUNK_DATA_BYTES);
    if (<f64>load<i64>(chunk, CHUNK_MIN) > untilMs) continue;
    if (!hasFloats(chunk)) return ALONE;
    if (found - FOUND_BYTES < chunks) return FULL;
    found -= FOUND_BYTES;
    store<u32>(found, <u32>chunk);
    store<u32>(found, <u32>data, FOUND_DATA);
    store<u32>(found, dataBytes, FOUND_DATA_BYTES);
    store<u32>(found, closed ? 1 : 0, FOUND_CLOSED);
  }
  filesLeft = files;
  return DONE;
}

// Puts a chunk behind the others; false when there is no room.
function put(encoding: u32, data: usize, dataBytes: u32, samples: u32, firstMs: f64, lastMs: f64, unread: usize): bool {
  if (out + FRAME_BYTES_MAX + dataBytes > outEnd || chunks + BLOCK_CHUNK_BYTES > unread) return false;
  const bytes = frameChunk(encoding, data, dataBytes, out);
  store<f64>(chunks, firstMs, BLOCK_CHUNK_MIN);
  store<f64>(chunks, lastMs, BLOCK_CHUNK_MAX);
  store<f64>(chunks, chunkRef, BLOCK_CHUNK_REF);
  store<u32>(chunks, samples, BLOCK_CHUNK_SAMPLES);
  store<u32>(chunks, dataBytes, BLOCK_CHUNK_DATA_BYTES);
  chunks += BLOCK_CHUNK_BYTES;
  chunkRef += <f64>bytes;
  out += bytes;
  return true;
}

function copyWhole(at: usize): u32 {
  const chunk = <usize>load<u32>(at);
  const firstMs = <f64>load<i64>(chunk, CHUNK_MIN);
  const lastMs = <f64>load<i64>(chunk, CHUNK_MAX);
  const data = <usize>load<u32>(at, FOUND_DATA);
  // What was found is in the way of the table no more, once it is read.
  return put(chunkEncoding(chunk), data, load<u32>(at, FOUND_DATA_BYTES), chunkCount(chunk), firstMs, lastMs, at + FOUND_BYTES) ? DONE : FULL;
}

// Where chunks are put together that are not copied from where they are.
// @ts-ignore: decorator
@inline
function encodedAt(state: usize): usize {
  return <usize>load<u32>(state, BR_COLUMNS) + 3 * (<usize>load<u32>(state, BR_SAMPLES_MAX) << 3);
}

// An open chunk as far as it has come: the bits behind its last sample are 0, and how many there are its data does not say yet.
function copyOpen(state: usize, slot: usize, at: usize): u32 {
  const chunk = <usize>load<u32>(at);
  const samples = chunkCount(chunk);
  const dataBytes = (load<u32>(slot, SLOT_BIT_POS) + 7) >> 3;
  if (dataBytes > load<u32>(chunk, CHUNK_CAPACITY)) return NOTED;
  if (dataBytes > ENCODED_BYTES_MAX) return ALONE;
  const data = encodedAt(state);
  memory.copy(data, chunk + CHUNK_HEADER, dataBytes);
  putCount(data, samples);
  const firstMs = <f64>load<i64>(chunk, CHUNK_MIN);
  const lastMs = <f64>load<i64>(chunk, CHUNK_MAX);
  return put(chunkEncoding(chunk), data, dataBytes, samples, firstMs, lastMs, at + FOUND_BYTES) ? DONE : FULL;
}

// The samples of a chunk in the time, encoded anew as the chunk is.
function copyPart(state: usize, at: usize, minMs: f64, untilMs: f64): u32 {
  const chunk = <usize>load<u32>(at);
  const encoding = chunkEncoding(chunk);
  const samplesMax = load<u32>(state, BR_SAMPLES_MAX);
  const columnBytes = <usize>samplesMax << 3;
  const ts = <usize>load<u32>(state, BR_COLUMNS);
  const vs = ts + columnBytes;
  let starts: usize = encoding == ENCODING_XOR2 ? vs + columnBytes : 0;
  const encoded = encodedAt(state);
  const samples = chunkCount(chunk);
  const data = <usize>load<u32>(at, FOUND_DATA);
  const dataBytes = load<u32>(at, FOUND_CLOSED) != 0 ? load<u32>(at, FOUND_DATA_BYTES) : load<u32>(chunk, CHUNK_CAPACITY);
  if (decodeFloats(encoding, data, dataBytes, samples, ts, vs, starts, samplesMax) < 0) return ALONE;
  let from: u32 = 0;
  let to = samples;
  while (from < to && load<f64>(ts + (<usize>from << 3)) < minMs) from++;
  while (from < to && load<f64>(ts + (<usize>(to - 1) << 3)) > untilMs) to--;
  if (starts != 0 && !hasStarts(starts, from, to)) starts = 0;
  for (; from < to; from += SAMPLES_PER_CHUNK) {
    const count = min<u32>(to - from, SAMPLES_PER_CHUNK);
    const first = ts + (<usize>from << 3);
    const bytes = encodeFloats(encoding, first, vs + (<usize>from << 3), starts == 0 ? 0 : starts + (<usize>from << 3), count, encoded, ENCODED_BYTES_MAX);
    if (bytes == 0) return ALONE;
    if (!put(encoding, encoded, bytes, count, load<f64>(first), load<f64>(first + (<usize>(count - 1) << 3)), at)) return FULL;
  }
  return DONE;
}

function hasStarts(starts: usize, from: u32, to: u32): bool {
  for (let i = from; i < to; i++) if (load<f64>(starts + (<usize>i << 3)) != 0) return true;
  return false;
}
