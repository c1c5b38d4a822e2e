import { slackBytes } from "./layout.ts";

/** A series of a block that is written, in the shared memory: offsets in bytes. */
export const blockSeries = {
  bytes: 16,
  /** u32: the words of its labels, which are symbols of the block's index: name, value, name, value …. */
  words: 0,
  /** u32: how many chunks it has; without any it is no series of the block. */
  chunks: 4,
  /** u32: where its entry is in the index, once it is encoded, in units of 16 bytes. */
  ref: 8,
  /** u32: not 0 when the kernel may not copy it. */
  alone: 12,
} as const;

/** A chunk of such a series. */
export const blockChunk = {
  bytes: 32,
  /** f64 milliseconds: its first and its last sample. */
  minTimestampMs: 0,
  maxTimestampMs: 8,
  /** f64: segment × 2³² + offset. */
  ref: 16,
  /** u32. */
  samples: 24,
  /** u32. */
  dataBytes: 28,
} as const;

/** Series that follow one another in a block: tables of series, of the words of their labels and of their chunks. */
export interface BlockRun {
  readonly seriesPtr: number;
  readonly count: number;
  readonly wordsPtr: number;
  readonly words: number;
  readonly chunksPtr: number;
  readonly chunks: number;
}

/** Room that the entries of a run need, encoded. */
export function blockEntriesBytesMax({ count, words, chunks }: BlockRun): number {
  return 5 * words + 30 * chunks + 34 * count + slackBytes;
}
