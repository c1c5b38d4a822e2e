// A head chunk's record in a file of upstream's chunks_head format: u64 series, i64 first and last time, u8 encoding, uvarint length, data, u32 CRC-32C of all before;
// big-endian.
import { storeUvarint } from "./bits";
import { chunkEncoding, RECORD_BYTES_MAX } from "./chunk";
import { crc32c } from "./hash";
import { CHUNK_MAX, CHUNK_MIN } from "./layout";

export const LENGTH_AT: u32 = 25;
export const CHECKSUM_BYTES: u32 = 4;
// What upstream wants to see before it reads a record.
export const RECORD_SEEN_MIN: u32 = 34;

// @ts-ignore: decorator
@inline
function uvarintBytes(value: u32): u32 {
  let bytes: u32 = 1;
  for (; value >= 0x80; value >>= 7) bytes++;
  return bytes;
}

// Writes one record of recordBytes(dataBytes) bytes; returns how many.
export function encodeRecord(ref: u64, minTimestamp: i64, maxTimestamp: i64, encoding: u32, data: usize, dataBytes: u32, out: usize): u32 {
  store<u64>(out, bswap<u64>(ref));
  store<u64>(out, bswap<u64>(minTimestamp), 8);
  store<u64>(out, bswap<u64>(maxTimestamp), 16);
  store<u8>(out, <u8>encoding, 24);
  let ptr = storeUvarint(out + LENGTH_AT, dataBytes);
  memory.copy(ptr, data, dataBytes);
  ptr += dataBytes;
  store<u32>(ptr, bswap<u32>(crc32c(out, <u32>(ptr - out), 0)));
  return <u32>(ptr - out) + CHECKSUM_BYTES;
}

// @ts-ignore: decorator
@inline
export function recordBytes(dataBytes: u32): u32 {
  return LENGTH_AT + uvarintBytes(dataBytes) + dataBytes + CHECKSUM_BYTES;
}

// Bytes of the length at `ptr`, at most 5; 0 when it is too large, in `scannedLength` otherwise.
export let scannedLength: u32 = 0;
export function scanLength(ptr: usize): u32 {
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
