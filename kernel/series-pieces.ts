// What a block is made of: closed chunks of a head series as they are, and the time between them that must be read.
import { chunkEncoding, hasFloats, isClosed, isInFile } from "./chunk";
import { crc32c } from "./hash";
import { recordData, recordDataBytes } from "./chunk-record";
import { FILE_BYTES, FILE_CHUNK, FILE_ENTRY, FILE_RECORD, LEFT_OUT } from "./file-chunks";
import { CHUNK_DATA_BYTES, CHUNK_HEADER, CHUNK_MAX, CHUNK_MIN, CHUNK_OLDER, SLOT_CHUNK } from "./layout";
import { seriesOf } from "./slot";

// A piece: { f64 first time, f64 last time, u32 data of the chunk, u32 its bytes, u32 its encoding, u32 0 }. Where `data` is 0, the samples between the times are to be read.
const PIECE: u32 = 32;
const PIECE_DATA: usize = 16;
const PIECE_BYTES: usize = 20;
const PIECE_ENCODING: usize = 24;

const ENCODED: i32 = -1;
const NOT_LOADED: i32 = -2;
const DAMAGED_FILE: i32 = -3;
const TOO_MANY: i32 = -4;

// Adds a piece before those there are, which are younger; joins it with a neighbour that is to be read as well. Returns how many there are.
function addPiece(out: usize, count: u32, firstMs: f64, lastMs: f64, data: usize, dataBytes: u32, encoding: u32): u32 {
  if (data == 0 && count > 0) {
    const younger = out + (count - 1) * PIECE;
    if (load<u32>(younger, PIECE_DATA) == 0) {
      store<f64>(younger, firstMs);
      return count;
    }
  }
  const piece = out + count * PIECE;
  store<f64>(piece, firstMs);
  store<f64>(piece, lastMs, 8);
  store<u32>(piece, <u32>data, PIECE_DATA);
  store<u32>(piece, dataBytes, PIECE_BYTES);
  store<u64>(piece, encoding, PIECE_ENCODING);
  return count + 1;
}

// The pieces of a series in a time range, the youngest first; chunks with samples after `untilMs` are to be read. `files` as listFileChunks gave them for the range, with
// their records loaded. ENCODED when there are chunks that the kernel cannot read.
export function seriesPieces(
  ref: u32,
  minMs: f64,
  maxMs: f64,
  untilMs: f64,
  files: usize,
  filesCount: u32,
  out: usize,
  capacity: u32,
): i32 {
  const slot = seriesOf(ref);
  if (slot == 0) return 0;
  const filesEnd = files + filesCount * FILE_ENTRY;
  const wholeMaxMs = min<f64>(maxMs, untilMs);
  let count: u32 = 0;
  let chunk = <usize>atomic.load<u32>(slot + SLOT_CHUNK);
  while (chunk != 0) {
    if (count == capacity) return TOO_MANY;
    // Looked at once, and before the rest: what follows is then that of a closed chunk, or may still grow.
    const closed = isClosed(chunk);
    let data: usize = chunk + CHUNK_HEADER;
    let dataBytes: u32 = 0;
    if (files != filesEnd && load<u32>(files, FILE_CHUNK) == <u32>chunk) {
      const record = load<u32>(files, FILE_RECORD);
      if (record == 0) return NOT_LOADED;
      data = record == LEFT_OUT ? 0 : recordData(chunk, record, load<u32>(files, FILE_BYTES));
      if (data == 0 && record != LEFT_OUT) {
        store<u32>(files, LEFT_OUT, FILE_RECORD);
        return DAMAGED_FILE;
      }
      dataBytes = recordDataBytes;
      files += FILE_ENTRY;
    }
    const firstMs = <f64>load<i64>(chunk, CHUNK_MIN);
    const lastMs = <f64>load<i64>(chunk, CHUNK_MAX);
    if (lastMs < minMs) break;
    if (data != 0 && firstMs <= maxMs) {
      if (!hasFloats(chunk)) return ENCODED;
      if (isInFile(chunk) && dataBytes == 0) return NOT_LOADED;
      if (!isInFile(chunk)) dataBytes = load<u32>(chunk, CHUNK_DATA_BYTES);
      if (closed && firstMs >= minMs && lastMs <= wholeMaxMs)
        count = addPiece(out, count, firstMs, lastMs, data, dataBytes, chunkEncoding(chunk));
      else count = addPiece(out, count, max<f64>(firstMs, minMs), closed ? min<f64>(lastMs, maxMs) : maxMs, 0, 0, 0);
    }
    chunk = <usize>atomic.load<u32>(chunk + CHUNK_OLDER);
  }
  return <i32>count;
}

const CHECKSUM_BYTES: u32 = 4;

// A chunk as it stands in a block: uvarint length of the data, u8 encoding, data, u32 CRC-32C of both. Returns its bytes, at most 10 more than the data.
export function frameChunk(encoding: u32, data: usize, dataBytes: u32, out: usize): u32 {
  let ptr = out;
  let rest = dataBytes;
  for (; rest >= 0x80; rest >>= 7) store<u8>(ptr++, <u8>rest | 0x80);
  store<u8>(ptr++, <u8>rest);
  store<u8>(ptr, <u8>encoding);
  memory.copy(ptr + 1, data, dataBytes);
  const end = ptr + 1 + dataBytes;
  store<u32>(end, bswap<u32>(crc32c(ptr, dataBytes + 1, 0)));
  return <u32>(end - out) + CHECKSUM_BYTES;
}
