import type { Clock } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import { slicer } from "../head/slicer.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import { noChunk } from "../wal/marker-record.ts";
import type { OutOfOrderHead } from "./head.ts";
import type { OutOfOrderLog } from "./log.ts";
import type { OutOfOrderMapper } from "./mapper.ts";

/** The hint of blocks that hold what came out of order, as upstream's. */
export const outOfOrderHint = "from-out-of-order";

export interface OutOfOrderCompactionParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly keeper: Pick<BlockKeeper, "cut">;
  readonly head: OutOfOrderHead;
  readonly log: OutOfOrderLog;
  readonly mapper: OutOfOrderMapper;
  readonly chunkRangeMs: number;
}

/** Lists that are closed before the event loop may turn. */
const seriesPerStep = 64;

/**
 * Moves what came out of order to blocks of its own, one for each chunk range that it lies in. Returns how many were written. Every sample is in memory and log, in a block, or in both at any time; what
 * comes meanwhile stays. Rejects when a block cannot be written; then nothing is lost, and it is tried again the next time.
 */
export async function compactOutOfOrder(parts: OutOfOrderCompactionParts): Promise<number> {
  const { kernel, clock, keeper, head, log, chunkRangeMs } = parts;
  const refs = head.refs();
  if (refs.length === 0) return 0;
  // In this order: what is in an earlier segment is in a list that is closed from now on.
  const segment = log.cut();
  await beginCompaction(parts, refs);
  let blocks = 0;
  for (const startMs of rangesOf(head, refs, chunkRangeMs))
    if ((await keeper.cut(startMs, startMs + chunkRangeMs, [outOfOrderHint])) !== undefined) blocks++;
  await earlierQueriesEnded(kernel, clock);
  await inSteps(refs, (step) => step.forEach((ref) => head.dropCompacted(ref)));
  kernel.arena.reclaim();
  log.removeBefore(segment);
  return blocks;
}

/** Closes the lists, says so in the log, and sets apart what there is of each series by then. */
async function beginCompaction(
  { head, log, mapper }: OutOfOrderCompactionParts,
  refs: readonly number[],
): Promise<void> {
  await inSteps(refs, (step) => {
    mapper.move(step);
    // No later marker stands for what was closed now, which the log keeps until it is in blocks; and none names it, so that no start finds it again then.
    log.write(step.map(noChunk), []);
    for (const ref of step) head.beginCompaction(ref);
  });
}

async function inSteps(refs: readonly number[], work: (step: readonly number[]) => void): Promise<void> {
  const breathe = slicer(1);
  for (let at = 0; at < refs.length; at += seriesPerStep) {
    work(refs.slice(at, at + seriesPerStep));
    await breathe();
  }
}

/** The starts of the chunk ranges that have samples, ascending. */
function rangesOf(head: OutOfOrderHead, refs: readonly number[], chunkRangeMs: number): number[] {
  const starts = new Set<number>();
  for (const ref of refs)
    for (const { minTimestampMs, maxTimestampMs } of head.runs(ref)) {
      const first = Math.floor(minTimestampMs / chunkRangeMs);
      for (let range = first; range * chunkRangeMs <= maxTimestampMs; range++)
        starts.add(range * chunkRangeMs);
    }
  return [...starts].sort((a, b) => a - b);
}
