import type { Histogram } from "../../model/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";

/** Writes the samples of a chunk; all have the chunk's layout, or are stale markers. */
export interface HistogramEncoder {
  encodeFirst(bits: BitWriter, timestampMs: number, histogram: Histogram): void;
  encodeNext(bits: BitWriter, timestampMs: number, histogram: Histogram): void;
}

/**
 * Reads the samples of a chunk. A sample is read without being made, and its time before the rest, so that who does not need it, or not once the next one's time is
 * known, is spared the buckets.
 */
export interface HistogramDecoder {
  /** Whether the sample that was read last is a stale marker. */
  readonly isStale: boolean;
  /** Reads the first sample; returns its time. */
  readFirst(bits: BitReader): number;
  /** Reads the next sample's time, and returns it; until `readRest` the sample before is the one that was read last. */
  readTime(bits: BitReader): number;
  readRest(bits: BitReader): void;
  /** The sample that was read last, without hint. */
  histogram(): Histogram;
}
