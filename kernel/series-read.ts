// Reading head series, by any thread while the writer appends: what is loaded once is not loaded again.
import { chunkCount, isClosed, isInFile, isXor } from "./chunk";
import { FILE_BYTES, FILE_CHUNK, FILE_ENTRY, FILE_RECORD, LEFT_OUT, recordData, recordDataBytes } from "./head-chunks";
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
import { decodeChunk } from "./xor";

const DAMAGED_SERIES: i32 = i32.MIN_VALUE;
const NOT_LOADED: i32 = i32.MIN_VALUE + 1;
const DAMAGED_FILE: i32 = i32.MIN_VALUE + 2;

// Samples in the chunks that overlap [minTimestamp, maxTimestamp]. The newest chunk may get samples meanwhile, so its count is the caller's.
function overlappingSamples(newest: usize, newestCount: u32, minTimestampMs: f64, maxTimestampMs: f64): u32 {
  let samples: u32 = 0;
  for (let chunk = newest; chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!isXor(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    samples += chunk == newest ? newestCount : chunkCount(chunk);
  }
  return samples;
}

// An upper bound of what decodeSeries gives.
export function seriesSampleCount(ref: u32, minTimestampMs: f64, maxTimestampMs: f64): u32 {
  const slot = seriesOf(ref);
  const newest = slot == 0 ? 0 : <usize>atomic.load<u32>(slot + SLOT_CHUNK);
  if (newest == 0) return 0;
  return overlappingSamples(newest, chunkCount(newest), minTimestampMs, maxTimestampMs);
}

// While it is open, a chunk's data ends somewhere within its capacity.
// @ts-ignore: decorator
@inline
function dataBytesOf(chunk: usize): u32 {
  return isClosed(chunk) ? load<u32>(chunk, CHUNK_DATA_BYTES) : load<u32>(chunk, CHUNK_CAPACITY);
}

// Decodes the overlapping chunks, newest first but each to its final place, then trims. `files` are those of the series that are in files, as listFileChunks
// gave them, with their records loaded.
export function decodeSeries(
  ref: u32,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  dropStale: u32,
  tsOut: usize,
  vsOut: usize,
  capacity: u32,
  files: usize,
  filesCount: u32,
): i32 {
  const slot = seriesOf(ref);
  const newest = slot == 0 ? 0 : <usize>atomic.load<u32>(slot + SLOT_CHUNK);
  if (newest == 0) return 0;
  const newestCount = chunkCount(newest);
  const needed = overlappingSamples(newest, newestCount, minTimestampMs, maxTimestampMs);
  if (needed > capacity) return -<i32>needed;
  const filesEnd = files + filesCount * FILE_ENTRY;
  let at = needed;
  // The writer may truncate meanwhile: what is no longer linked is left out.
  for (let chunk = newest; chunk != 0 && at > 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!isXor(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    const count = chunk == newest ? newestCount : chunkCount(chunk);
    if (isInFile(chunk)) {
      while (files != filesEnd && load<u32>(files, FILE_CHUNK) != <u32>chunk) files += FILE_ENTRY;
      const record = files == filesEnd ? 0 : load<u32>(files, FILE_RECORD);
      if (record == 0) return NOT_LOADED;
      if (record == LEFT_OUT) continue;
      if (!decodeRecord(chunk, record, load<u32>(files, FILE_BYTES), count, tsOut, vsOut, at)) {
        store<u32>(files, LEFT_OUT, FILE_RECORD);
        return DAMAGED_FILE;
      }
    } else if (!decodeBefore(chunk + CHUNK_HEADER, dataBytesOf(chunk), count, tsOut, vsOut, at)) return DAMAGED_SERIES;
    at -= count;
  }
  return trim(minTimestampMs, maxTimestampMs, dropStale != 0, tsOut, vsOut, at, needed);
}

// Decodes `count` samples to the places that end before `at`.
function decodeBefore(data: usize, dataBytes: u32, count: u32, tsOut: usize, vsOut: usize, at: u32): bool {
  const offset = <usize>(at - count) << 3;
  return decodeChunk(data, dataBytes, count, tsOut + offset, vsOut + offset, count) >= 0;
}

function decodeRecord(chunk: usize, record: usize, bytes: u32, count: u32, tsOut: usize, vsOut: usize, at: u32): bool {
  const data = recordData(chunk, record, bytes);
  return data != 0 && decodeBefore(data, recordDataBytes, count, tsOut, vsOut, at);
}

// Moves those of the samples [from, to) that lie in the time range to the front; returns how many.
function trim(
  minTimestampMs: f64,
  maxTimestampMs: f64,
  dropStale: bool,
  ts: usize,
  vs: usize,
  from: u32,
  to: u32,
): i32 {
  while (from < to && load<f64>(ts + (<usize>from << 3)) < minTimestampMs) from++;
  while (from < to && load<f64>(ts + (<usize>(to - 1) << 3)) > maxTimestampMs) to--;
  if (from > 0) {
    const bytes = <usize>(to - from) << 3;
    memory.copy(ts, ts + (<usize>from << 3), bytes);
    memory.copy(vs, vs + (<usize>from << 3), bytes);
  }
  const kept = to - from;
  return dropStale ? compactStale(ts, vs, kept) : <i32>kept;
}

function compactStale(ts: usize, vs: usize, count: u32): i32 {
  let n: u32 = 0;
  while (n < count && load<u64>(vs + (<usize>n << 3)) != STALE_BITS) n++;
  for (let i = n; i < count; i++) {
    const bits = load<u64>(vs + (<usize>i << 3));
    if (bits == STALE_BITS) continue;
    store<u64>(vs + (<usize>n << 3), bits);
    store<f64>(ts + (<usize>n << 3), load<f64>(ts + (<usize>i << 3)));
    n++;
  }
  return <i32>n;
}
