import type { Matcher } from "../../model/index.ts";
import type { CompactionResult, RetentionLimits } from "./maintenance.ts";
import type { BlockMeta } from "./meta.ts";
import type { WrittenChunks } from "./written-chunks.ts";

/** Who writes and compacts blocks: the maintenance thread. */
export interface BlockKeeper {
  /** Hears of chunks that went from the head to a block. */
  onChunks?: ((chunks: WrittenChunks) => void) | undefined;
  /** Writes a block of all series of the head or of some. Resolves when queries see it; undefined when the head had nothing in the range. */
  cut(
    minTime: number,
    maxTime: number,
    hints?: readonly string[],
    refs?: Uint32Array,
  ): Promise<BlockMeta | undefined>;
  compact(ranges: readonly number[]): Promise<CompactionResult>;
  /** Deletes what is beyond the limits; resolves to how many blocks. */
  applyRetention(limits: RetentionLimits): Promise<number>;
  /** Marks samples of blocks as deleted, both times included; resolves to how many series were hit. */
  deleteSeries(matchers: readonly Matcher[], minTimestampMs: number, maxTimestampMs: number): Promise<number>;
  /** Makes the snapshot `name` of the blocks and, with a range, of what the head has from its start until before its end. */
  snapshot(name: string, headRange?: readonly [minTime: number, maxTime: number]): Promise<void>;
  /** Rewrites blocks without what was deleted. */
  cleanTombstones(): Promise<CompactionResult>;
  close(): Promise<void>;
}
