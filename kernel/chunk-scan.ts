// Reads the records of a file of head chunks one after the other.
import { CHECKSUM_BYTES, LENGTH_AT, RECORD_SEEN_MIN, scanLength, scannedLength } from "./chunk-record";
import { crc32c } from "./hash";

// What a scan of a file found: { u32 records, u32 bytes of them, u32 status, u32 bytes that the next record needs },
// then for each record { f64 series, f64 first time, f64 last time, u32 offset, u32 bytes, u32 samples, u32 encoding }.
export const SCAN_HEADER: u32 = 16;
export const SCAN_ENTRY: u32 = 40;
const SCAN_MORE: u32 = 0;
const SCAN_END: u32 = 1;
const SCAN_SHORT: u32 = 2;
const SCAN_MALFORMED: u32 = 3;
const SCAN_CHECKSUM: u32 = 4;

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
