// Reading head series, by any thread while the writer appends: what is loaded once is not loaded again.
import { chunkCount, chunkEncoding, hasFloats, isClosed, isInFile } from "./chunk";
import { recordData, recordDataBytes } from "./chunk-record";
import { FILE_BYTES, FILE_CHUNK, FILE_ENTRY, FILE_RECORD, LEFT_OUT } from "./file-chunks";
import { decodeFloats } from "./floats";
import {
  CHUNK_CAPACITY,
  CHUNK_DATA_BYTES,
  CHUNK_HEADER,
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_OLDER,
  SLOT_CHUNK,
  STALE_BITS,
} from "./layout";
import { seriesOf } from "./slot";

// What decodeSeries and decodeSeriesRun give instead of a count.
const DAMAGED_SERIES: i32 = i32.MIN_VALUE;
const NOT_LOADED: i32 = i32.MIN_VALUE + 1;
const DAMAGED_FILE: i32 = i32.MIN_VALUE + 2;

// Samples in the chunks that overlap [minTimestamp, maxTimestamp]. The newest chunk may get samples meanwhile, so its count is the caller's.
function overlappingSamples(newest: usize, newestCount: u32, minTimestampMs: f64, maxTimestampMs: f64): u32 {
  let samples: u32 = 0;
  for (let chunk = newest; chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!hasFloats(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    samples += chunk == newest ? newestCount : chunkCount(chunk);
  }
  return samples;
}

// An upper bound of what decodeSeries gives.
export function seriesSampleCount(ref: u32, minTimestampMs: f64, maxTimestampMs: f64): u32 {
  const newest = newestChunk(ref);
  if (newest == 0) return 0;
  return overlappingSamples(newest, chunkCount(newest), minTimestampMs, maxTimestampMs);
}

// While it is open, a chunk's data ends somewhere within its capacity.
// @ts-ignore: decorator
@inline
function dataBytesOf(chunk: usize): u32 {
  return isClosed(chunk) ? load<u32>(chunk, CHUNK_DATA_BYTES) : load<u32>(chunk, CHUNK_CAPACITY);
}

// Where the samples are that decodeOverlapping found: indices of the first and the one behind the last.
let decodedFrom: u32 = 0;
let decodedTo: u32 = 0;
// Behind the last of the file chunks that it came to.
let filesLeft: usize = 0;

// Decodes the overlapping chunks of a series, newest first but each to its final place, and leaves out what lies outside of the time range. `files` are those
// of the series that are in files, as listFileChunks gave them, with their records loaded; others may follow. 0, or what went wrong.
function decodeOverlapping(
  newest: usize,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  ts: usize,
  vs: usize,
  starts: usize,
  capacity: u32,
  files: usize,
  filesEnd: usize,
): i32 {
  const newestCount = chunkCount(newest);
  const needed = overlappingSamples(newest, newestCount, minTimestampMs, maxTimestampMs);
  if (needed > capacity) return -<i32>needed;
  let at = needed;
  // The writer may truncate meanwhile: what is no longer linked is left out.
  for (let chunk = newest; chunk != 0 && at > 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!hasFloats(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    const count = chunk == newest ? newestCount : chunkCount(chunk);
    if (isInFile(chunk)) {
      while (files != filesEnd && load<u32>(files, FILE_CHUNK) != <u32>chunk) files += FILE_ENTRY;
      const record = files == filesEnd ? 0 : load<u32>(files, FILE_RECORD);
      if (record == 0) return NOT_LOADED;
      if (record == LEFT_OUT) continue;
      if (!decodeRecord(chunk, record, load<u32>(files, FILE_BYTES), count, ts, vs, starts, at)) {
        store<u32>(files, LEFT_OUT, FILE_RECORD);
        return DAMAGED_FILE;
      }
    } else if (!decodeBefore(chunkEncoding(chunk), chunk + CHUNK_HEADER, dataBytesOf(chunk), count, ts, vs, starts, at)) return DAMAGED_SERIES;
    at -= count;
  }
  let to = needed;
  while (at < to && load<f64>(ts + (<usize>at << 3)) < minTimestampMs) at++;
  while (at < to && load<f64>(ts + (<usize>(to - 1) << 3)) > maxTimestampMs) to--;
  decodedFrom = at;
  decodedTo = to;
  filesLeft = files;
  return 0;
}

// @ts-ignore: decorator
@inline
function newestChunk(ref: u32): usize {
  const slot = seriesOf(ref);
  return slot == 0 ? 0 : <usize>atomic.load<u32>(slot + SLOT_CHUNK);
}

// The samples of a series in the time range, moved to the front of the columns. `starts` is a third column, of which dropStale takes no account, or 0.
export function decodeSeries(
  ref: u32,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  dropStale: u32,
  ts: usize,
  vs: usize,
  starts: usize,
  capacity: u32,
  files: usize,
  filesCount: u32,
): i32 {
  const newest = newestChunk(ref);
  if (newest == 0) return 0;
  const filesEnd = files + filesCount * FILE_ENTRY;
  const failure = decodeOverlapping(newest, minTimestampMs, maxTimestampMs, ts, vs, starts, capacity, files, filesEnd);
  if (failure != 0) return failure;
  const kept = decodedTo - decodedFrom;
  if (decodedFrom > 0) {
    const from = <usize>decodedFrom << 3;
    memory.copy(ts, ts + from, <usize>kept << 3);
    memory.copy(vs, vs + from, <usize>kept << 3);
    if (starts != 0) memory.copy(starts, starts + from, <usize>kept << 3);
  }
  return <i32>(dropStale != 0 ? dropStaleMarkers(ts, vs, kept) : kept);
}

// Series of one run: { u32 ref, u32 index of its first sample, u32 samples, u32 0 }.
export const RUN_ENTRY: usize = 16;
export const RUN_FIRST: usize = 4;
export const RUN_SAMPLES: usize = 8;

// Decodes one series behind the other, as decodeSeries does, until the columns are full or one has chunks that are not the kernel's to read. `files` are
// those of all series of the run, in their order. Returns how many series it were, NOT_LOADED when it would be none for want of that, or DAMAGED_FILE.
export function decodeSeriesRun(
  run: usize,
  series: u32,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  dropStale: u32,
  ts: usize,
  vs: usize,
  capacity: u32,
  files: usize,
  filesCount: u32,
): i32 {
  const filesEnd = files + filesCount * FILE_ENTRY;
  filesLeft = files;
  let at: u32 = 0;
  for (let i: u32 = 0; i < series; i++) {
    const entry = run + i * RUN_ENTRY;
    const newest = newestChunk(load<u32>(entry));
    let samples: u32 = 0;
    let from: u32 = 0;
    if (newest != 0) {
      if (!hasFloatsOnly(newest, minTimestampMs)) return i;
      const offset = <usize>at << 3;
      const failure = decodeOverlapping(newest, minTimestampMs, maxTimestampMs, ts + offset, vs + offset, 0, capacity - at, filesLeft, filesEnd);
      if (failure == DAMAGED_FILE || (failure == NOT_LOADED && i == 0)) return failure;
      if (failure != 0) return i;
      from = at + decodedFrom;
      samples = decodedTo - decodedFrom;
      at += decodedTo;
      if (dropStale != 0) samples = dropStaleMarkers(ts + (<usize>from << 3), vs + (<usize>from << 3), samples);
    }
    store<u32>(entry, from, RUN_FIRST);
    store<u32>(entry, samples, RUN_SAMPLES);
  }
  return series;
}

// Whether the chunks that end at or after a time are all the kernel's to read.
function hasFloatsOnly(newest: usize, minTimestampMs: f64): bool {
  for (let chunk = newest; chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) return true;
    if (!hasFloats(chunk)) return false;
  }
  return true;
}

// Decodes `count` samples to the places that end before `at`.
function decodeBefore(
  encoding: u32,
  data: usize,
  dataBytes: u32,
  count: u32,
  tsOut: usize,
  vsOut: usize,
  startsOut: usize,
  at: u32,
): bool {
  const offset = <usize>(at - count) << 3;
  return decodeFloats(encoding, data, dataBytes, count, tsOut + offset, vsOut + offset, startsOut == 0 ? 0 : startsOut + offset, count) >= 0;
}

function decodeRecord(
  chunk: usize,
  record: usize,
  bytes: u32,
  count: u32,
  tsOut: usize,
  vsOut: usize,
  startsOut: usize,
  at: u32,
): bool {
  const data = recordData(chunk, record, bytes);
  return data != 0 && decodeBefore(chunkEncoding(chunk), data, recordDataBytes, count, tsOut, vsOut, startsOut, at);
}

// Takes out the staleness markers; returns how many samples are left.
export function dropStaleMarkers(ts: usize, vs: usize, count: u32): u32 {
  let n: u32 = 0;
  while (n < count && load<u64>(vs + (<usize>n << 3)) != STALE_BITS) n++;
  for (let i = n; i < count; i++) {
    const bits = load<u64>(vs + (<usize>i << 3));
    if (bits == STALE_BITS) continue;
    store<u64>(vs + (<usize>n << 3), bits);
    store<f64>(ts + (<usize>n << 3), load<f64>(ts + (<usize>i << 3)));
    n++;
  }
  return n;
}
