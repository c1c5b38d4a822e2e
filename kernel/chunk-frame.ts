// A chunk as it stands in a block.
import { storeUvarint } from "./bits";
import { crc32c } from "./hash";

const CHECKSUM_BYTES: u32 = 4;

// Writes a chunk: uvarint length of the data, u8 encoding, data, u32 CRC-32C of both. Returns its bytes, at most 10 more than the data.
export function frameChunk(encoding: u32, data: usize, dataBytes: u32, out: usize): u32 {
  const ptr = storeUvarint(out, dataBytes);
  store<u8>(ptr, <u8>encoding);
  memory.copy(ptr + 1, data, dataBytes);
  const end = ptr + 1 + dataBytes;
  store<u32>(end, bswap<u32>(crc32c(ptr, dataBytes + 1, 0)));
  return <u32>(end - out) + CHECKSUM_BYTES;
}
