import type { Kernel } from "../../kernel/index.ts";

/** How the bytes of one chunk encoding become columns of floats. */
export interface ChunkCodec {
  readonly name: string;
  /** The samples' kind in a block's statistics. */
  readonly kind: "float" | "histogram";
  /** The bits of the first two bytes, big-endian, that count the samples. */
  readonly countMask: number;
  /**
   * Decodes `count` samples from `dataBytes` at `dataPtr` in the shared memory, the count's two bytes included. Throws ChunkDamagedError.
   * Absent where samples are not floats, or the encoding is not read yet.
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
  2: { name: "histogram", kind: "histogram", countMask: wholeCount },
  3: { name: "floathistogram", kind: "histogram", countMask: wholeCount },
  4: { name: "XOR2", kind: "float", countMask: wholeCount },
  5: { name: "histogramST", kind: "histogram", countMask: flaggedCount },
  6: { name: "floathistogramST", kind: "histogram", countMask: flaggedCount },
};
