// The head of an in-memory chunk, field by field: src/kernel/layout.ts says what they mean.
import {
  CHUNK_CAPACITY,
  CHUNK_CLOSED,
  CHUNK_COUNT,
  CHUNK_ENCODING,
  CHUNK_FLAGS,
  CHUNK_HEADER,
  CHUNK_IN_FILE,
  CHUNK_PLACE,
  CHUNK_TOTAL,
  ENCODING_XOR,
  ENCODING_XOR2,
  SLACK,
} from "./layout";

// A place counts a record's length in these units.
const PLACE_UNIT_BITS: u32 = 6;
export const RECORD_BYTES_MAX: u32 = 0xffff << PLACE_UNIT_BITS;

// @ts-ignore: decorator
@inline
export function chunkCount(chunk: usize): u32 {
  return <u32>atomic.load<u16>(chunk + CHUNK_COUNT);
}

// Publishes samples: readers see as many as this says.
// @ts-ignore: decorator
@inline
export function setChunkCount(chunk: usize, count: u32): void {
  atomic.store<u16>(chunk + CHUNK_COUNT, <u16>count);
}

// @ts-ignore: decorator
@inline
export function chunkEncoding(chunk: usize): u32 {
  return load<u8>(chunk, CHUNK_ENCODING);
}

// Chunks of other encodings are written and read outside of the kernel, which only closes and drops them.
// @ts-ignore: decorator
@inline
export function hasFloats(chunk: usize): bool {
  const encoding = chunkEncoding(chunk);
  return encoding == ENCODING_XOR || encoding == ENCODING_XOR2;
}

// @ts-ignore: decorator
@inline
export function isClosed(chunk: usize): bool {
  return (atomic.load<u8>(chunk + CHUNK_FLAGS) & CHUNK_CLOSED) != 0;
}

// Whether only the head of the chunk is in memory.
// @ts-ignore: decorator
@inline
export function isInFile(chunk: usize): bool {
  return (load<u8>(chunk, CHUNK_FLAGS) & CHUNK_IN_FILE) != 0;
}

// What the chunk was allocated with.
// @ts-ignore: decorator
@inline
export function blockBytes(chunk: usize): u32 {
  return isInFile(chunk) ? CHUNK_HEADER : CHUNK_HEADER + load<u32>(chunk, CHUNK_CAPACITY) + SLACK;
}

export function packPlace(file: u32, offset: u32, recordBytes: u32): u64 {
  const units = (recordBytes + ((1 << PLACE_UNIT_BITS) - 1)) >> PLACE_UNIT_BITS;
  return (<u64>file << 43) | (<u64>offset << 16) | units;
}

// @ts-ignore: decorator
@inline
export function fileOf(chunk: usize): u32 {
  return <u32>(load<u64>(chunk, CHUNK_PLACE) >> 43);
}

// @ts-ignore: decorator
@inline
export function offsetOf(chunk: usize): u32 {
  return <u32>(load<u64>(chunk, CHUNK_PLACE) >> 16) & 0x7ffffff;
}

// At least the record's length, at most 63 bytes more.
// @ts-ignore: decorator
@inline
export function recordBytesOf(chunk: usize): u32 {
  return (<u32>load<u64>(chunk, CHUNK_PLACE) & 0xffff) << PLACE_UNIT_BITS;
}

// Counts chunks of all series, created or, with a negative difference, dropped. Writer thread only.
// @ts-ignore: decorator
@inline
export function countChunks(difference: u32): void {
  atomic.store<u32>(CHUNK_TOTAL, load<u32>(CHUNK_TOTAL) + difference);
}
