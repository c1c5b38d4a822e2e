import { headChunkPlaceOf, type Kernel } from "../../kernel/index.ts";
import { isInFile, openEncoding } from "./chunks.ts";
import type { OutOfOrderHead } from "./head.ts";
import type { OutOfOrderLog } from "./log.ts";
import { readEntries, type RunData } from "./run.ts";

export interface RewriteParts {
  readonly kernel: Kernel;
  readonly head: OutOfOrderHead;
  readonly log: OutOfOrderLog;
  readonly data: RunData;
}

/** Writes all that there is in place of what the log has. Throws `unavailable` and the disk's errors; then nothing was removed. */
export function rewriteOutOfOrderLog(parts: RewriteParts): void {
  const segment = parts.log.cut();
  writeOutOfOrderLog(parts);
  parts.log.removeBefore(segment);
}

/**
 * Writes all that there is: of each series first what is in files, each chunk with a marker behind, which stands for all that the log has of the series by then. Throws
 * `unavailable`.
 */
export function writeOutOfOrderLog({ kernel, head, log, data }: RewriteParts): void {
  const { views } = kernel;
  for (const ref of head.refs()) {
    const runs = head.runs(ref).toReversed();
    const inFiles = runs.filter((run) => run.encoding !== openEncoding && isInFile(views, run.ptr));
    for (const run of inFiles) {
      log.write([], readEntries(kernel, ref, run, data));
      log.write([{ ref, ...headChunkPlaceOf(views, run.ptr) }], []);
    }
    for (const run of runs) if (!inFiles.includes(run)) log.write([], readEntries(kernel, ref, run, data));
  }
}
