/** Samples that came out of order: in the shared memory, in `chunks_head`, in the write-behind log, and on their way to blocks of their own. */
export { OutOfOrderAppender } from "./appender.ts";
export { outOfOrderRuns } from "./chunks.ts";
export { compactOutOfOrder, outOfOrderHint } from "./compaction.ts";
export { OutOfOrderHead } from "./head.ts";
export { OutOfOrderLog } from "./log.ts";
export { OutOfOrderMapper } from "./mapper.ts";
export { type OutOfOrderReplayResult, replayOutOfOrder } from "./replay.ts";
export { rewriteOutOfOrderLog, writeOutOfOrderLog } from "./rewrite.ts";
export { type RunData, runDataOf } from "./run.ts";
