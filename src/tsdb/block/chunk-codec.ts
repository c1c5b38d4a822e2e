import { assert } from "../../base/index.ts";
import { type Kernel, staleMarkerBits } from "../../kernel/index.ts";
import type { HistogramNeed, StartTimestamps, StoredHistogram } from "../../storage/index.ts";
import { decodeHistogramChunk, type HistogramEncoding } from "../chunk/histogram-chunk.ts";
import { decodeXor2Chunk, xor2Encoding } from "../chunk/xor2.ts";

/** How the bytes of one chunk encoding become columns of floats, or histograms: a codec decodes one of the two. */
export interface ChunkCodec {
  readonly name: string;
  /** The samples' kind in a block's statistics. */
  readonly kind: "float" | "histogram";
  /** The bits of the first two bytes, big-endian, that count the samples. */
  readonly countMask: number;
  /**
   * Decodes `count` samples from `dataBytes` at `dataPtr` in the shared memory, the count's two bytes included. Throws ChunkDamagedError.
   * Absent where samples are not floats.
   */
  readonly decode?: (
    kernel: Kernel,
    dataPtr: number,
    dataBytes: number,
    count: number,
    timestamps: number,
    values: number,
    capacity: number,
  ) => number;
  /** Since when the floats of a chunk count, as far as that is known. Throws ChunkDamagedError. Absent where it is not kept. */
  readonly decodeStarts?: (bytes: Uint8Array) => StartTimestamps;
  /** Decodes a chunk's data, the count's two bytes included, in the order of their times. Throws ChunkDamagedError. Absent where samples are floats. */
  readonly decodeHistograms?: (bytes: Uint8Array, need?: HistogramNeed) => Iterable<StoredHistogram>;
}

export const xorEncoding = 1;

const wholeCount = 0xffff;
/** Encodings with start timestamps keep two flags in the count. */
const flaggedCount = 0x3fff;

/** By the encoding byte in front of a chunk's data. */
export const chunkCodecs: Readonly<Record<number, ChunkCodec>> = {
  [xorEncoding]: {
    name: "XOR",
    kind: "float",
    countMask: wholeCount,
    decode: (kernel, dataPtr, dataBytes, count, timestamps, values, capacity) =>
      kernel.decodeChunk(dataPtr, dataBytes, count, timestamps, values, capacity),
  },
  2: histogramCodec("histogram", 2),
  3: histogramCodec("floathistogram", 3),
  [xor2Encoding]: {
    name: "XOR2",
    kind: "float",
    countMask: wholeCount,
    decode: decodeXor2,
    decodeStarts: decodeXor2Starts,
  },
  5: histogramCodec("histogramST", 5),
  6: histogramCodec("floathistogramST", 6),
};

function histogramCodec(name: string, encoding: HistogramEncoding): ChunkCodec {
  return {
    name,
    kind: "histogram",
    countMask: encoding >= 5 ? flaggedCount : wholeCount,
    decodeHistograms: (bytes, need) => decodeHistogramChunk(encoding, bytes, undefined, need),
  };
}

function decodeXor2(
  { views: { u8, f64, u64 } }: Kernel,
  dataPtr: number,
  dataBytes: number,
  count: number,
  timestamps: number,
  values: number,
  capacity: number,
): number {
  assert(count <= capacity, "the columns hold a chunk");
  let at = 0;
  for (const { timestampMs, value, isStale } of decodeXor2Chunk(u8.subarray(dataPtr, dataPtr + dataBytes))) {
    f64[timestamps / 8 + at] = timestampMs;
    if (isStale) u64[values / 8 + at] = staleMarkerBits;
    else f64[values / 8 + at] = value;
    at++;
  }
  return at;
}

function decodeXor2Starts(bytes: Uint8Array): StartTimestamps {
  const starts = new Map<number, number>();
  for (const { timestampMs, startTimestampMs } of decodeXor2Chunk(bytes))
    if (startTimestampMs !== 0) starts.set(timestampMs, startTimestampMs);
  return starts;
}
