import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { snappyCompressor } from "hysnappy";
import { type ByteBuffer, type Kernel, sharedPtr } from "../../kernel/index.ts";
import { snappyBit, zstdBit } from "./segment.ts";

export type WalCompression = "none" | "snappy" | "zstd";

/** What a record may unfold to; no true record comes near it, a damaged length would. */
export const recordBytesMax = 128 * 1024 * 1024;

const compressSnappy = snappyCompressor();

/** A record as it is written: its bytes, and the compression bits for its fragments. Kept as it is when compression does not help. */
export function compressRecord(
  record: Uint8Array,
  compression: WalCompression,
): { data: Uint8Array; bits: number } {
  if (compression === "none" || record.length === 0) return { data: record, bits: 0 };
  const data = compression === "snappy" ? compressSnappy(record) : zstdCompressSync(record);
  if (data.length >= record.length) return { data: record, bits: 0 };
  return { data, bits: compression === "snappy" ? snappyBit : zstdBit };
}

/**
 * The inverse of `compressRecord`, for data in the shared memory: the record is put into `buffer`, unless it is not compressed, and returned as a view. Throws RangeError or a
 * codec's error when the data is damaged.
 */
export function decompressRecord(
  kernel: Kernel,
  data: Uint8Array,
  bits: number,
  buffer: ByteBuffer,
): Uint8Array {
  if ((bits & (zstdBit | snappyBit)) === 0) return data;
  buffer.clear();
  if ((bits & zstdBit) !== 0)
    buffer.append(
      zstdDecompressSync(data, {
        maxOutputLength: recordBytesMax,
        params: { [constants.ZSTD_d_windowLogMax]: 27 },
      }),
    );
  else {
    const length = snappyLength(data);
    const ptr = buffer.reserve(length);
    const got = kernel.exports.uncompressSnappy(sharedPtr(kernel, data), data.length, ptr, length);
    if (got !== length) throw new RangeError("snappy record is damaged");
    buffer.setLength(length);
  }
  return buffer.view();
}

/** The first byte of a record, which is its type, as far as that can be told without decompressing it. */
export function peekRecordType(data: Uint8Array, bits: number): number | undefined {
  if ((bits & zstdBit) !== 0) return undefined;
  if ((bits & snappyBit) === 0) return data[0];
  let at = 0;
  while (data[at]! >= 0x80) at++;
  // Behind the length comes a literal, as there is nothing to copy yet; longer ones have one to four bytes of length of their own.
  const tag = data[++at];
  if (tag === undefined || (tag & 3) !== 0) return undefined;
  return data[at + 1 + Math.max(0, (tag >> 2) - 59)];
}

/** The length that a snappy block announces. */
function snappyLength(data: Uint8Array): number {
  let length = 0;
  for (let i = 0, scale = 1; i < 5 && i < data.length; i++, scale *= 128) {
    length += (data[i]! & 0x7f) * scale;
    if (data[i]! >= 0x80) continue;
    // Three bytes of input make at most 64 of output.
    if (length > recordBytesMax || length > data.length * 22 + 64)
      throw new RangeError(`snappy record of ${data.length} bytes claims to hold ${length}`);
    return length;
  }
  throw new RangeError("snappy record without a length");
}
