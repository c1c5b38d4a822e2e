// Closed chunks on their way to files: their records, and the heads that stand for them in memory from then on.
import { arenaAllocate, arenaFree, arenaRetire } from "./arena";
import { blockBytes, chunkCount, chunkEncoding, isClosed, isInFile, packPlace, RECORD_BYTES_MAX, setChunkCount } from "./chunk";
import { encodeRecord, recordBytes } from "./chunk-record";
import { closedAt, closedCount, takeClosed } from "./closed-chunks";
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

// A chunk's head for a record in a file; 0 when memory is full.
export function newStub(older: u32, minTimestamp: i64, maxTimestamp: i64, count: u32, encoding: u32, place: u64): usize {
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
      bytes += encodeRecord(load<u32>(slot, SLOT_REF), minTimestamp, maxTimestamp, chunkEncoding(chunk), chunk + CHUNK_HEADER, dataBytes, out + bytes);
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
