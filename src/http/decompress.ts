import { snappyUncompressor } from "hysnappy";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { errorMessage, NarthexError } from "../base/index.ts";

/** There are more bytes, once unpacked, than were allowed. */
export class BodyTooLargeError extends NarthexError {
  constructor(bytesMax: number) {
    super("bad_data", `decompressed body exceeds the limit of ${bytesMax} bytes`);
    this.name = "BodyTooLargeError";
  }
}

export type ContentEncoding = "identity" | "gzip" | "deflate" | "zstd" | "snappy";

/** Compressed bytes up to here are decompressed on the spot; more would hold up the thread and go to the pool. */
const inlineBytesMax = 64 * 1024;

const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const inflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate);
const zstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Reads a Content-Encoding header; throws `bad_data` for one that is not supported. */
export function parseContentEncoding(header: string | null | undefined): ContentEncoding {
  const name = (header ?? "").trim().toLowerCase();
  switch (name) {
    case "":
    case "identity":
      return "identity";
    case "x-gzip":
    case "gzip":
      return "gzip";
    case "deflate":
    case "zstd":
    case "snappy":
      return name;
    default:
      throw new NarthexError("bad_data", `unsupported content encoding ${JSON.stringify(name)}`);
  }
}

/**
 * The one way by which compressed bytes from outside come in. Never yields more than `bytesMax` bytes: a small message that
 * would unfold to more is refused with `bad_data` before it has done so. Large input is worked on by the thread pool.
 */
export async function decompress(
  encoding: ContentEncoding,
  bytes: Uint8Array,
  bytesMax: number,
): Promise<Uint8Array> {
  if (bytes.length <= inlineBytesMax || encoding === "identity" || encoding === "snappy") {
    return decompressNow(encoding, bytes, bytesMax);
  }
  const options = { maxOutputLength: bytesMax };
  try {
    if (encoding === "gzip") return await gunzip(bytes, options);
    return await (encoding === "deflate" ? inflate(bytes, options) : zstd(bytes, options));
  } catch (error) {
    throw refusal(encoding, bytesMax, error);
  }
}

/** As `decompress`, at once; for input that is known to be small. */
export function decompressNow(encoding: ContentEncoding, bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (encoding === "identity") {
    if (bytes.length > bytesMax) throw new BodyTooLargeError(bytesMax);
    return bytes;
  }
  if (encoding === "snappy") return unsnappy(bytes, bytesMax);
  const options = { maxOutputLength: bytesMax };
  try {
    if (encoding === "gzip") return zlib.gunzipSync(bytes, options);
    return encoding === "deflate"
      ? zlib.inflateSync(bytes, options)
      : zlib.zstdDecompressSync(bytes, options);
  } catch (error) {
    throw refusal(encoding, bytesMax, error);
  }
}

let uncompressor: ReturnType<typeof snappyUncompressor> | undefined;

/** Snappy's block format: a varint with the size of the output, which is checked before anything is allocated. */
function unsnappy(bytes: Uint8Array, bytesMax: number): Uint8Array {
  let size = 0;
  let shift = 0;
  let at = 0;
  for (; ; at++, shift += 7) {
    const byte = bytes[at];
    if (byte === undefined || at === 5) throw new NarthexError("bad_data", "snappy: corrupt input");
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (size > bytesMax) throw new BodyTooLargeError(bytesMax);
  uncompressor ??= snappyUncompressor();
  try {
    return uncompressor(bytes, size);
  } catch (error) {
    throw new NarthexError("bad_data", "snappy: corrupt input", { cause: error });
  }
}

function refusal(encoding: ContentEncoding, bytesMax: number, error: unknown): NarthexError {
  if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
    return new BodyTooLargeError(bytesMax);
  return new NarthexError("bad_data", `${encoding}: ${errorMessage(error)}`, { cause: error });
}
