import { type FloatEncoding, type Kernel, layout } from "../../kernel/index.ts";
import {
  type HistogramNeed,
  noStarts,
  type StartTimestamps,
  type StoredHistogram,
} from "../../storage/index.ts";
import type { HistogramEncoding } from "../chunk/histogram-encoding.ts";
import { readHistogramChunk } from "../chunk/histogram-reader.ts";

/** How the bytes of one chunk encoding become columns of floats, or histograms: a codec decodes one of the two. */
export interface ChunkCodec {
  readonly name: string;
  /** The samples' kind in a block's statistics. */
  readonly kind: "float" | "histogram";
  /** The bits of the first two bytes, big-endian, that count the samples. */
  readonly countMask: number;
  /** How the kernel calls it. Absent where samples are not floats. */
  readonly floatEncoding?: FloatEncoding;
  /** Decodes a chunk's data, the count's two bytes included, in the order of their times. Throws ChunkDamagedError. Absent where samples are floats. */
  readonly decodeHistograms?: (kernel: Kernel, bytes: Uint8Array, need?: HistogramNeed) => StoredHistogram[];
}

const wholeCount = 0xffff;
/** Encodings with start timestamps keep two flags in the count. */
const flaggedCount = 0x3fff;

/** By the encoding byte in front of a chunk's data. */
export const chunkCodecs: Readonly<Record<number, ChunkCodec>> = {
  [layout.chunkEncodingXor]: floatCodec("XOR", layout.chunkEncodingXor),
  2: histogramCodec("histogram", 2),
  3: histogramCodec("floathistogram", 3),
  [layout.chunkEncodingXor2]: floatCodec("XOR2", layout.chunkEncodingXor2),
  5: histogramCodec("histogramST", 5),
  6: histogramCodec("floathistogramST", 6),
};

function floatCodec(name: string, floatEncoding: FloatEncoding): ChunkCodec {
  return { name, kind: "float", countMask: wholeCount, floatEncoding };
}

function histogramCodec(name: string, encoding: HistogramEncoding): ChunkCodec {
  return {
    name,
    kind: "histogram",
    countMask: encoding >= 5 ? flaggedCount : wholeCount,
    decodeHistograms: (kernel, bytes, need) => readHistogramChunk(kernel, encoding, bytes, undefined, need),
  };
}

/** An encoded chunk in the shared memory: `dataBytes` at `dataPtr`, the count's two bytes included. */
export interface ChunkData {
  readonly dataPtr: number;
  readonly dataBytes: number;
  readonly count: number;
}

/** Since when the floats of a chunk count, as far as that is known; nothing of histograms. Throws ChunkDamagedError. */
export function decodeStarts(
  kernel: Kernel,
  { floatEncoding }: ChunkCodec,
  data: ChunkData,
): StartTimestamps {
  if (floatEncoding !== layout.chunkEncodingXor2) return noStarts;
  const { dataPtr, dataBytes, count } = data;
  return startsOf(kernel, count, (timestamps, values, starts) =>
    kernel.decodeChunk(floatEncoding, dataPtr, dataBytes, count, timestamps, values, count, starts),
  );
}

/** The start timestamps that `decode` puts into columns, which have room for `capacity` samples; it says how many there are. */
export function startsOf(
  { scratch, views: { f64 } }: Kernel,
  capacity: number,
  decode: (timestamps: number, values: number, starts: number) => number,
): StartTimestamps {
  const mark = scratch.mark();
  try {
    const [timestamps, values, starts] = Array.from({ length: 3 }, () =>
      scratch.allocate(8 * capacity + layout.slackBytes),
    ) as [number, number, number];
    const count = decode(timestamps, values, starts);
    const known = new Map<number, number>();
    for (let i = 0; i < count; i++)
      if (f64[starts / 8 + i] !== 0) known.set(f64[timestamps / 8 + i]!, f64[starts / 8 + i]!);
    return known;
  } finally {
    scratch.release(mark);
  }
}
