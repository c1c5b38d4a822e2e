import type { Clock } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import type { OutOfOrderHead } from "./head.ts";
import type { OutOfOrderLog } from "./log.ts";

/** The hint of blocks that hold what came out of order, as upstream's. */
export const outOfOrderHint = "from-out-of-order";

export interface OutOfOrderCompactionParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly keeper: Pick<BlockKeeper, "cut">;
  readonly head: OutOfOrderHead;
  readonly log: OutOfOrderLog;
  readonly chunkRangeMs: number;
}

/**
 * Moves what came out of order to blocks of its own, one for each chunk range that it lies in. Returns how many were written. Every sample is in memory and log, in a block, or in both at any time; what
 * comes meanwhile stays. Rejects when a block cannot be written; then nothing is lost, and it is tried again the next time.
 */
export async function compactOutOfOrder(parts: OutOfOrderCompactionParts): Promise<number> {
  const { kernel, clock, keeper, head, log, chunkRangeMs } = parts;
  const ranges = rangesOf(head, chunkRangeMs);
  if (ranges.length === 0) return 0;
  // In this order: what is in an earlier segment is in a list that is closed now.
  const segment = log.cut();
  const generation = head.closeAll();
  let blocks = 0;
  for (const startMs of ranges)
    if ((await keeper.cut(startMs, startMs + chunkRangeMs, [outOfOrderHint])) !== undefined) blocks++;
  await earlierQueriesEnded(kernel, clock);
  head.drop(generation);
  log.removeBefore(segment);
  return blocks;
}

/** The starts of the chunk ranges that have samples, ascending. */
function rangesOf(head: OutOfOrderHead, chunkRangeMs: number): number[] {
  const starts = new Set<number>();
  for (const ref of head.refs())
    for (const { minTimestampMs, maxTimestampMs } of head.runs(ref)) {
      const first = Math.floor(minTimestampMs / chunkRangeMs);
      for (let range = first; range * chunkRangeMs <= maxTimestampMs; range++)
        starts.add(range * chunkRangeMs);
    }
  return [...starts].sort((a, b) => a - b);
}
