// Chunks of the head in files: records of upstream's chunks_head format, written from closed chunks, read back, and the heads that stand for them.
import { arenaAllocate, arenaFree, arenaRetire } from "./arena";
import {
  blockBytes,
  chunkCount,
  chunkEncoding,
  fileOf,
  isClosed,
  isInFile,
  offsetOf,
  packPlace,
  RECORD_BYTES_MAX,
  recordBytesOf,
  setChunkCount,
} from "./chunk";
import { closedAt, closedCount, takeClosed } from "./closed-chunks";
import { crc32c } from "./hash";
import {
  CHUNK_CLOSED,
  CHUNK_DATA_BYTES,
  CHUNK_ENCODING,
  CHUNK_FLAGS,
  CHUNK_HEADER,
  CHUNK_IN_FILE,
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_OLDER,
  CHUNK_PLACE,
  SLOT_CHUNK,
  SLOT_REF,
} from "./layout";
import { seriesOf } from "./slot";

// A record: u64 series, i64 first and last time, u8 encoding, uvarint length, data, u32 CRC-32C of all before; big-endian.
const LENGTH_AT: u32 = 25;
const CHECKSUM_BYTES: u32 = 4;
// What upstream wants to see before it reads a record.
const RECORD_SEEN_MIN: u32 = 34;

// @ts-ignore: decorator
@inline
function uvarintBytes(value: u32): u32 {
  let bytes: u32 = 1;
  for (; value >= 0x80; value >>= 7) bytes++;
  return bytes;
}

// Writes one record of recordBytes(dataBytes) bytes; returns how many.
function encodeHeadChunk(ref: u64, minTimestamp: i64, maxTimestamp: i64, encoding: u32, data: usize, dataBytes: u32, out: usize): u32 {
  store<u64>(out, bswap<u64>(ref));
  store<u64>(out, bswap<u64>(minTimestamp), 8);
  store<u64>(out, bswap<u64>(maxTimestamp), 16);
  store<u8>(out, <u8>encoding, 24);
  let ptr = out + LENGTH_AT;
  let rest = dataBytes;
  for (; rest >= 0x80; rest >>= 7) store<u8>(ptr++, <u8>rest | 0x80);
  store<u8>(ptr++, <u8>rest);
  memory.copy(ptr, data, dataBytes);
  ptr += dataBytes;
  store<u32>(ptr, bswap<u32>(crc32c(out, <u32>(ptr - out), 0)));
  return <u32>(ptr - out) + CHECKSUM_BYTES;
}

// @ts-ignore: decorator
@inline
function recordBytes(dataBytes: u32): u32 {
  return LENGTH_AT + uvarintBytes(dataBytes) + dataBytes + CHECKSUM_BYTES;
}

// A chunk's head for a record in a file; 0 when memory is full.
function newStub(older: u32, minTimestamp: i64, maxTimestamp: i64, count: u32, encoding: u32, place: u64): usize {
  const stub = <usize>arenaAllocate(CHUNK_HEADER);
  if (stub == 0) return 0;
  store<u32>(stub, older, CHUNK_OLDER);
  setChunkCount(stub, count);
  store<u8>(stub, <u8>encoding, CHUNK_ENCODING);
  store<u8>(stub, CHUNK_CLOSED | CHUNK_IN_FILE, CHUNK_FLAGS);
  store<i64>(stub, minTimestamp, CHUNK_MIN);
  store<i64>(stub, maxTimestamp, CHUNK_MAX);
  store<u64>(stub, place, CHUNK_PLACE);
  return stub;
}

export function headChunkStub(
  older: u32,
  minTimestampMs: f64,
  maxTimestampMs: f64,
  count: u32,
  encoding: u32,
  file: u32,
  offset: u32,
  bytes: u32,
): u32 {
  return <u32>newStub(older, <i64>minTimestampMs, <i64>maxTimestampMs, count, encoding, packPlace(file, offset, bytes));
}

// Gives back heads that were never published, from the newest on.
export function freeHeadChunkStubs(newest: u32): void {
  while (newest != 0) {
    const older = load<u32>(newest, CHUNK_OLDER);
    arenaFree(newest, CHUNK_HEADER);
    newest = older;
  }
}

// The table of a write: { u32 chunks, u32 bytes, u32 series of the queue that are done, u32 bytes that the next record needs, f64 newest time },
// then for each chunk { u32 series, u32 chunk, u32 head that shall replace it, u32 0 }.
const WRITE_CHUNKS: usize = 0;
const WRITE_BYTES: usize = 4;
const WRITE_SERIES: usize = 8;
const WRITE_NEEDED: usize = 12;
const WRITE_MAX_TIME: usize = 16;
const WRITE_HEADER: u32 = 24;
const WRITE_ENTRY: u32 = 16;

// The closed chunks of a series that are in memory, the oldest first, as entries; returns how many there are, which may be more than fit.
function listClosed(slot: usize, entries: usize, capacity: u32): u32 {
  let count: u32 = 0;
  for (let chunk = <usize>load<u32>(slot, SLOT_CHUNK); chunk != 0 && !isInFile(chunk); chunk = load<u32>(chunk, CHUNK_OLDER))
    if (isClosed(chunk)) count++;
  let i = count;
  for (let chunk = <usize>load<u32>(slot, SLOT_CHUNK); chunk != 0 && !isInFile(chunk); chunk = load<u32>(chunk, CHUNK_OLDER)) {
    if (!isClosed(chunk) || --i >= capacity) continue;
    const entry = entries + i * WRITE_ENTRY;
    store<u32>(entry, load<u32>(slot, SLOT_REF));
    store<u32>(entry, <u32>chunk, 4);
  }
  return count;
}

// Encodes closed chunks of the series in the queue, as many as fit, as records at `offset` of `file`, and prepares the heads that shall replace
// them. `table` says what was done; finishClosedWrite must follow. Chunks of a series go in the order of time, so one that cannot go holds up the later ones.
export function encodeClosedChunks(out: usize, capacity: u32, table: usize, entriesMax: u32, file: u32, offset: u32): void {
  const series = closedCount();
  let entries: u32 = 0;
  let bytes: u32 = 0;
  let needed: u32 = 0;
  let done: u32 = 0;
  let maxTime = i64.MIN_VALUE;
  while (done < series && needed == 0) {
    const slot = seriesOf(closedAt(done));
    const first = table + WRITE_HEADER + entries * WRITE_ENTRY;
    const room = entriesMax - entries;
    const closed: u32 = slot == 0 ? 0 : listClosed(slot, first, room);
    let i: u32 = 0;
    for (; i < min<u32>(closed, room); i++) {
      const entry = first + i * WRITE_ENTRY;
      const chunk = <usize>load<u32>(entry, 4);
      const dataBytes = load<u32>(chunk, CHUNK_DATA_BYTES);
      const size = recordBytes(dataBytes);
      if (size > RECORD_BYTES_MAX) {
        i = closed;
        break;
      }
      const minTimestamp = load<i64>(chunk, CHUNK_MIN);
      const maxTimestamp = load<i64>(chunk, CHUNK_MAX);
      const place = packPlace(file, offset + bytes, size);
      let stub: usize = 0;
      if (bytes + size <= capacity) stub = newStub(0, minTimestamp, maxTimestamp, chunkCount(chunk), chunkEncoding(chunk), place);
      if (stub == 0) {
        needed = size;
        break;
      }
      store<u32>(entry, <u32>stub, 8);
      bytes += encodeHeadChunk(load<u32>(slot, SLOT_REF), minTimestamp, maxTimestamp, chunkEncoding(chunk), chunk + CHUNK_HEADER, dataBytes, out + bytes);
      maxTime = max<i64>(maxTime, maxTimestamp);
      entries++;
    }
    if (i < closed) break;
    done++;
  }
  store<u32>(table, entries, WRITE_CHUNKS);
  store<u32>(table, bytes, WRITE_BYTES);
  store<u32>(table, done, WRITE_SERIES);
  store<u32>(table, needed, WRITE_NEEDED);
  store<f64>(table, <f64>maxTime, WRITE_MAX_TIME);
}

// After encodeClosedChunks, in the same turn. When the records were written, the heads replace the chunks, whose blocks are retired; else all is as before.
export function finishClosedWrite(table: usize, isWritten: u32): void {
  const entries = load<u32>(table, WRITE_CHUNKS);
  for (let i: u32 = 0; i < entries; i++) {
    const entry = table + WRITE_HEADER + i * WRITE_ENTRY;
    const chunk = <usize>load<u32>(entry, 4);
    const stub = <usize>load<u32>(entry, 8);
    if (isWritten == 0) {
      arenaFree(<u32>stub, CHUNK_HEADER);
      continue;
    }
    let link = seriesOf(load<u32>(entry)) + SLOT_CHUNK;
    while (load<u32>(link) != <u32>chunk) link = <usize>load<u32>(link) + CHUNK_OLDER;
    store<u32>(stub, load<u32>(chunk, CHUNK_OLDER), CHUNK_OLDER);
    atomic.store<u32>(link, <u32>stub);
    arenaRetire(<u32>chunk, blockBytes(chunk));
  }
  if (isWritten != 0) takeClosed(load<u32>(table, WRITE_SERIES));
}

// What a scan of a file found: { u32 records, u32 bytes of them, u32 status, u32 bytes that the next record needs },
// then for each record { f64 series, f64 first time, f64 last time, u32 offset, u32 bytes, u32 samples, u32 encoding }.
const SCAN_HEADER: u32 = 16;
const SCAN_ENTRY: u32 = 40;
const SCAN_MORE: u32 = 0;
const SCAN_END: u32 = 1;
const SCAN_SHORT: u32 = 2;
const SCAN_MALFORMED: u32 = 3;
const SCAN_CHECKSUM: u32 = 4;

// Bytes of the length at `ptr`, at most 5; 0 when it is too large, in `scannedLength` otherwise.
let scannedLength: u32 = 0;
function scanLength(ptr: usize): u32 {
  let length: u64 = 0;
  for (let i: u32 = 0; i < 5; i++) {
    const byte = load<u8>(ptr + i);
    length |= <u64>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      scannedLength = <u32>length;
      return length >= 2 && length <= <u64>RECORD_BYTES_MAX ? i + 1 : 0;
    }
  }
  return 0;
}

function isZero(data: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) if (load<u8>(data + i) != 0) return false;
  return true;
}

// The records in `bytes` at `data`, of which `isEnd` says whether the file ends with them.
export function scanHeadChunks(data: usize, bytes: u32, isEnd: u32, table: usize, entriesMax: u32): void {
  let at: u32 = 0;
  let entries: u32 = 0;
  let status = SCAN_MORE;
  let needed = RECORD_SEEN_MIN;
  while (entries < entriesMax) {
    const left = bytes - at;
    const record = data + at;
    if (left < RECORD_SEEN_MIN) {
      if (isEnd != 0) status = isZero(record, left) ? SCAN_END : SCAN_SHORT;
      break;
    }
    // Room that was taken in advance.
    if (isZero(record, 24)) {
      status = SCAN_END;
      break;
    }
    const lengthBytes = scanLength(record + LENGTH_AT);
    const minTimestamp = <i64>bswap<u64>(load<u64>(record, 8));
    const maxTimestamp = <i64>bswap<u64>(load<u64>(record, 16));
    if (lengthBytes == 0 || minTimestamp > maxTimestamp) {
      status = SCAN_MALFORMED;
      break;
    }
    const dataAt = LENGTH_AT + lengthBytes;
    const checksumAt = dataAt + scannedLength;
    const size = checksumAt + CHECKSUM_BYTES;
    if (size > left) {
      needed = size;
      if (isEnd != 0) status = SCAN_SHORT;
      break;
    }
    if (bswap<u32>(load<u32>(record + checksumAt)) != crc32c(record, checksumAt, 0)) {
      status = SCAN_CHECKSUM;
      break;
    }
    const entry = table + SCAN_HEADER + entries * SCAN_ENTRY;
    store<f64>(entry, <f64>bswap<u64>(load<u64>(record)));
    store<f64>(entry, <f64>minTimestamp, 8);
    store<f64>(entry, <f64>maxTimestamp, 16);
    store<u32>(entry, at, 24);
    store<u32>(entry, size, 28);
    store<u32>(entry, bswap<u16>(load<u16>(record + dataAt)), 32);
    store<u32>(entry, load<u8>(record, 24), 36);
    entries++;
    at += size;
  }
  store<u32>(table, entries);
  store<u32>(table, at, 4);
  store<u32>(table, status, 8);
  store<u32>(table, needed, 12);
}

// Chunks of a query that are in files: { f64 place: file × 2²⁷ + offset, u32 chunk, u32 bytes at most, u32 record, u32 0 }. `record` is where the record is
// in memory, and LEFT_OUT when it is to be left out.
export const FILE_ENTRY: u32 = 24;
export const FILE_CHUNK: usize = 8;
export const FILE_BYTES: usize = 12;
export const FILE_RECORD: usize = 16;
export const LEFT_OUT: u32 = 1;

// The series' chunks that overlap the time range and are in files, the newest first; returns how many there are, which may be more than fit.
export function listFileChunks(ref: u32, minTimestampMs: f64, maxTimestampMs: f64, entries: usize, capacity: u32): u32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  let count: u32 = 0;
  for (let chunk = <usize>atomic.load<u32>(slot + SLOT_CHUNK); chunk != 0; chunk = <usize>load<u32>(chunk, CHUNK_OLDER)) {
    if (<f64>load<i64>(chunk, CHUNK_MAX) < minTimestampMs) break;
    if (!isInFile(chunk) || <f64>load<i64>(chunk, CHUNK_MIN) > maxTimestampMs) continue;
    if (count < capacity) {
      const entry = entries + count * FILE_ENTRY;
      store<f64>(entry, <f64>fileOf(chunk) * 134217728.0 + <f64>offsetOf(chunk));
      store<u32>(entry, <u32>chunk, FILE_CHUNK);
      store<u32>(entry, recordBytesOf(chunk), FILE_BYTES);
      store<u32>(entry, 0, FILE_RECORD);
    }
    count++;
  }
  return count;
}

const DIGIT_BITS: u32 = 8;
const DIGITS: u32 = 256;
// A place has 21 bits of file and 27 of offset.
const PLACE_BITS: u32 = 48;

// @ts-ignore: decorator
@inline
function digitOf(entries: usize, entry: u32, shift: u32): u32 {
  return <u32>(<u64>load<f64>(entries + entry * FILE_ENTRY) >> shift) & (DIGITS - 1);
}

// The indexes of listed chunks in the order of their places, at `order` (a radix sort). `spare` is as large, `digits` a table of 256 u32.
export function orderFileChunks(entries: usize, count: u32, order: usize, spare: usize, digits: usize): void {
  let isOrdered = true;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(order + (i << 2), i);
    if (i > 0 && load<f64>(entries + i * FILE_ENTRY) < load<f64>(entries + (i - 1) * FILE_ENTRY)) isOrdered = false;
  }
  if (isOrdered) return;
  // An even number of rounds, so that the result ends in `order`.
  for (let shift: u32 = 0; shift < PLACE_BITS; shift += DIGIT_BITS) {
    memory.fill(digits, 0, DIGITS << 2);
    for (let i: u32 = 0; i < count; i++) {
      const at = digits + (digitOf(entries, i, shift) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    let sum: u32 = 0;
    for (let digit: u32 = 0; digit < DIGITS; digit++) {
      const own = load<u32>(digits + (digit << 2));
      store<u32>(digits + (digit << 2), sum);
      sum += own;
    }
    for (let i: u32 = 0; i < count; i++) {
      const entry = load<u32>(order + (i << 2));
      const at = digits + (digitOf(entries, entry, shift) << 2);
      const to = load<u32>(at);
      store<u32>(at, to + 1);
      store<u32>(spare + (to << 2), entry);
    }
    const ordered = spare;
    spare = order;
    order = ordered;
  }
}

// Records of listed chunks, `count` of them in `order`, of which the bytes of their file from `start` on were read to `source`: puts each behind the other to `out`, and says in
// its entry where it is and how much of it was there. Returns where they end.
export function placeRecords(
  entries: usize,
  order: usize,
  count: u32,
  start: f64,
  source: usize,
  sourceBytes: u32,
  out: usize,
): usize {
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + load<u32>(order + (i << 2)) * FILE_ENTRY;
    const offset = <u32>(load<f64>(entry) - start);
    const bytes = load<u32>(entry, FILE_BYTES);
    const got = offset < sourceBytes ? min<u32>(bytes, sourceBytes - offset) : 0;
    memory.copy(out, source + offset, got);
    store<u32>(entry, <u32>out, FILE_RECORD);
    store<u32>(entry, got, FILE_BYTES);
    out += bytes;
  }
  return out;
}

// Where the data of a chunk is within its record, and its length in `recordDataBytes`; 0 when the record, of which `bytes` are there, is not the chunk's.
export let recordDataBytes: u32 = 0;
export function recordData(chunk: usize, record: usize, bytes: u32): usize {
  if (bytes < RECORD_SEEN_MIN) return 0;
  const lengthBytes = scanLength(record + LENGTH_AT);
  if (
    lengthBytes == 0 ||
    <i64>bswap<u64>(load<u64>(record, 8)) != load<i64>(chunk, CHUNK_MIN) ||
    <i64>bswap<u64>(load<u64>(record, 16)) != load<i64>(chunk, CHUNK_MAX) ||
    load<u8>(record, 24) != chunkEncoding(chunk)
  )
    return 0;
  const data = record + LENGTH_AT + lengthBytes;
  const checksumAt = LENGTH_AT + lengthBytes + scannedLength;
  if (checksumAt + CHECKSUM_BYTES > bytes) return 0;
  if (bswap<u32>(load<u32>(record + checksumAt)) != crc32c(record, checksumAt, 0)) return 0;
  recordDataBytes = scannedLength;
  return data;
}

// The data of a listed chunk whose record is loaded; 0 when it is damaged, which is marked.
export function fileChunkData(entry: usize): usize {
  const record = load<u32>(entry, FILE_RECORD);
  const data = record <= LEFT_OUT ? 0 : recordData(load<u32>(entry, FILE_CHUNK), record, load<u32>(entry, FILE_BYTES));
  if (data == 0) store<u32>(entry, LEFT_OUT, FILE_RECORD);
  return data;
}

export function fileChunkDataBytes(): u32 {
  return recordDataBytes;
}
