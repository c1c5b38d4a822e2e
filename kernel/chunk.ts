// The head of an in-memory chunk, field by field: src/kernel/layout.ts says what they mean.
import { CHUNK_COUNT, CHUNK_ENCODING, CHUNK_FLAGS, CHUNK_CLOSED, ENCODING_XOR } from "./layout";

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
export function isXor(chunk: usize): bool {
  return chunkEncoding(chunk) == ENCODING_XOR;
}

// @ts-ignore: decorator
@inline
export function isClosed(chunk: usize): bool {
  return (atomic.load<u8>(chunk + CHUNK_FLAGS) & CHUNK_CLOSED) != 0;
}
