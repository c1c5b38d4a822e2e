import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { snappyCompressor, snappyUncompressor } from "hysnappy";
import { snappyBit, zstdBit } from "./segment.ts";

export type WalCompression = "none" | "snappy" | "zstd";

/** What a record may unfold to; no true record comes near it, a damaged length would. */
export const recordBytesMax = 128 * 1024 * 1024;

const compressSnappy = snappyCompressor();
const uncompressSnappy = snappyUncompressor();

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

/** The inverse of `compressRecord`. Throws RangeError or a codec's error when the data is damaged. */
export function decompressRecord(data: Uint8Array, bits: number): Uint8Array {
  if ((bits & zstdBit) !== 0)
    return zstdDecompressSync(data, {
      maxOutputLength: recordBytesMax,
      params: { [constants.ZSTD_d_windowLogMax]: 27 },
    });
  if ((bits & snappyBit) !== 0) return uncompressSnappy(data, snappyLength(data));
  return data;
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
