import { type Kernel, layout } from "../../kernel/index.ts";
import { ByteWriter } from "../block/bytes.ts";

/** What a record says of its chunk. */
export interface HeadChunkHeader {
  readonly ref: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** As the file has it. */
  readonly encoding: number;
}

const lengthAt = 25;
const checksumBytes = 4;

/** The record of a chunk, as the kernel writes those that came in order. A copy. */
export function encodeHeadChunkRecord(kernel: Kernel, header: HeadChunkHeader, data: Uint8Array): Uint8Array {
  const writer = headerOf(header).uvarint(data.length).bytes(data);
  return Uint8Array.from(writer.u32(checksum(kernel, writer.view())).view());
}

/** The data of a record that begins `bytes`; undefined when that is not the chunk's, or damaged. */
export function decodeHeadChunkRecord(
  kernel: Kernel,
  header: HeadChunkHeader,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const expected = headerOf(header).view();
  if (expected.compare(bytes.subarray(0, lengthAt)) !== 0) return undefined;
  let length = 0;
  let at = lengthAt;
  for (let scale = 1; at < bytes.length; scale *= 128) {
    const byte = bytes[at++]!;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  const end = at + length;
  if (end + checksumBytes > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(end) !== checksum(kernel, bytes.subarray(0, end))) return undefined;
  return bytes.slice(at, end);
}

function headerOf({ ref, minTimestampMs, maxTimestampMs, encoding }: HeadChunkHeader): ByteWriter {
  return new ByteWriter(512).u64(ref).i64(minTimestampMs).i64(maxTimestampMs).u8(encoding);
}

function checksum(kernel: Kernel, bytes: Uint8Array): number {
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  const ptr = scratch.allocate(bytes.length + layout.slackBytes);
  views.u8.set(bytes, ptr);
  const value = kernel.crc32c(ptr, bytes.length);
  scratch.release(mark);
  return value;
}
