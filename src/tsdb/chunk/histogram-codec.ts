import type { Histogram } from "../../model/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";

/** Writes the samples of a chunk; all have the chunk's layout, or are stale markers. */
export interface HistogramEncoder {
  encodeFirst(bits: BitWriter, timestampMs: number, histogram: Histogram): void;
  encodeNext(bits: BitWriter, timestampMs: number, histogram: Histogram): void;
}

/** Reads the samples of a chunk; they come without hints. */
export interface HistogramDecoder {
  /** Of the sample that was read last. */
  readonly timestampMs: number;
  decodeFirst(bits: BitReader): Histogram;
  decodeNext(bits: BitReader): Histogram;
}
