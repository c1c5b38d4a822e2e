// Series as an index of a block has them: at a multiple of 16, uvarint length, labels, chunks, u32 CRC-32C of labels and chunks.
import { storeUvarint, storeVarint } from "./bits";
import { crc32c } from "./hash";
import {
  BLOCK_CHUNK_BYTES,
  BLOCK_CHUNK_MAX,
  BLOCK_CHUNK_MIN,
  BLOCK_CHUNK_REF,
  BLOCK_SERIES_BYTES,
  BLOCK_SERIES_CHUNKS,
  BLOCK_SERIES_REF,
  BLOCK_SERIES_WORDS,
} from "./layout";

const UNIT_BYTES: u32 = 16;
const LENGTH_BYTES_MAX: u32 = 5;
const CHECKSUM_BYTES: u32 = 4;

// The first chunk's times and ref, then differences.
function putChunks(ptr: usize, chunks: usize, count: u32): usize {
  ptr = storeUvarint(ptr, count);
  let lastMs: i64 = 0;
  let refBefore: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const chunk = chunks + i * BLOCK_CHUNK_BYTES;
    const minMs = <i64>load<f64>(chunk, BLOCK_CHUNK_MIN);
    const maxMs = <i64>load<f64>(chunk, BLOCK_CHUNK_MAX);
    const ref = <i64>load<f64>(chunk, BLOCK_CHUNK_REF);
    ptr = i == 0 ? storeVarint(ptr, minMs) : storeUvarint(ptr, <u64>(minMs - lastMs));
    ptr = storeUvarint(ptr, <u64>(maxMs - minMs));
    ptr = i == 0 ? storeUvarint(ptr, <u64>ref) : storeVarint(ptr, ref - refBefore);
    lastMs = maxMs;
    refBefore = ref;
  }
  return ptr;
}

// Writes the entries of `count` series one behind the other, of those that have chunks, and notes their refs; the first is at `unit`. `words` are the symbols of their labels.
// Returns the bytes, at most 5 for each word, 30 for each chunk and 34 for each series.
export function encodeSeriesEntries(series: usize, count: u32, words: usize, chunks: usize, unit: u32, out: usize): u32 {
  let at = out;
  for (let i: u32 = 0; i < count; i++) {
    const entry = series + i * BLOCK_SERIES_BYTES;
    const wordCount = load<u32>(entry, BLOCK_SERIES_WORDS);
    const chunkCount = load<u32>(entry, BLOCK_SERIES_CHUNKS);
    if (chunkCount != 0) {
      for (; ((at - out) & (UNIT_BYTES - 1)) != 0; at++) store<u8>(at, 0);
      store<u32>(entry, unit + <u32>((at - out) / UNIT_BYTES), BLOCK_SERIES_REF);
      const content = at + LENGTH_BYTES_MAX;
      let ptr = storeUvarint(content, wordCount >> 1);
      for (let word: u32 = 0; word < wordCount; word++) ptr = storeUvarint(ptr, load<u32>(words + (word << 2)));
      ptr = putChunks(ptr, chunks, chunkCount);
      const bytes = <u32>(ptr - content);
      at = storeUvarint(at, bytes);
      memory.copy(at, content, bytes);
      store<u32>(at + bytes, bswap<u32>(crc32c(at, bytes, 0)));
      at += bytes + CHECKSUM_BYTES;
    }
    words += wordCount << 2;
    chunks += chunkCount * BLOCK_CHUNK_BYTES;
  }
  return <u32>(at - out);
}
