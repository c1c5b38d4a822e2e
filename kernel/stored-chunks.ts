// Chunks of floats as they stand in a block's file: { uvarint bytes of the data, u8 encoding, data, u32 CRC-32C of encoding and data }, big-endian.
import { afterUvarint, uvarintAt } from "./bits";
import { decodeFloats } from "./floats";
import { crc32c } from "./hash";
import { ENCODING_XOR, ENCODING_XOR2 } from "./layout";

const LENGTH_BYTES_MAX: usize = 5;
const ENCODING_BYTES: usize = 1;
const CHECKSUM_BYTES: usize = 4;
const COUNT_BYTES: usize = 2;

// A table of chunks: { u32 samples, out }, then for each chunk u32 its place from the first byte that is loaded.
const TABLE_HEADER: usize = 4;

// Of the chunk that findFloats found; the count's two bytes come first.
let foundData: usize = 0;
let foundBytes: u32 = 0;

// The `index`th chunk of a table; false when it is not whole in the `bytes` that are loaded, or not of floats.
function findFloats(loaded: usize, bytes: u32, table: usize, index: u32): bool {
  const place = load<u32>(table + TABLE_HEADER + (<usize>index << 2));
  if (place >= bytes) return false;
  const chunk = loaded + place;
  const end = loaded + bytes;
  const dataBytes = uvarintAt(chunk, min<usize>(end, chunk + LENGTH_BYTES_MAX));
  const encodingAt = afterUvarint;
  if (encodingAt == 0 || dataBytes < COUNT_BYTES || dataBytes > <u64>bytes) return false;
  if (encodingAt + ENCODING_BYTES + <usize>dataBytes + CHECKSUM_BYTES > end) return false;
  const encoding = <u32>load<u8>(encodingAt);
  if (encoding != ENCODING_XOR && encoding != ENCODING_XOR2) return false;
  foundData = encodingAt + ENCODING_BYTES;
  foundBytes = <u32>dataBytes;
  return true;
}

// @ts-ignore: decorator
@inline
function foundCount(): u32 {
  return <u32>bswap<u16>(load<u16>(foundData));
}

// Counts the samples of a table's chunks, up to the first that findFloats does not find. Returns how many chunks it were.
export function countStoredFloats(loaded: usize, bytes: u32, table: usize, chunks: u32): u32 {
  let samples: u32 = 0;
  let index: u32 = 0;
  for (; index < chunks && findFloats(loaded, bytes, table, index); index++) samples += foundCount();
  store<u32>(table, samples);
  return index;
}

// Decodes a table's chunks to columns, one behind the other, up to the first that is not found, is damaged, or has no room. Returns how many chunks it were.
// The loaded bytes have readable slack behind them.
export function decodeStoredFloats(
  loaded: usize,
  bytes: u32,
  table: usize,
  chunks: u32,
  ts: usize,
  vs: usize,
  capacity: u32,
): u32 {
  let samples: u32 = 0;
  let index: u32 = 0;
  for (; index < chunks && findFloats(loaded, bytes, table, index); index++) {
    const data = foundData;
    const checksum = bswap<u32>(load<u32>(data + foundBytes));
    if (crc32c(data - ENCODING_BYTES, foundBytes + <u32>ENCODING_BYTES, 0) != checksum) break;
    const offset = <usize>samples << 3;
    const encoding = <u32>load<u8>(data - ENCODING_BYTES);
    const decoded = decodeFloats(encoding, data, foundBytes, foundCount(), ts + offset, vs + offset, 0, capacity - samples);
    if (decoded < 0) break;
    samples += <u32>decoded;
  }
  store<u32>(table, samples);
  return index;
}
