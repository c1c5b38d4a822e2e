/** Samples that came out of order: in the shared memory, in the write-behind log, and on their way to blocks of their own. */
export { outOfOrderRuns } from "./chunks.ts";
export { OutOfOrderHead } from "./head.ts";
export { OutOfOrderLog } from "./log.ts";
export { mergeOutOfOrder, outOfOrderCountMax } from "./read.ts";
export { OutOfOrderAppender } from "./appender.ts";
export { compactOutOfOrder, outOfOrderHint } from "./compaction.ts";
export { type OutOfOrderReplayResult, replayOutOfOrder } from "./replay.ts";
