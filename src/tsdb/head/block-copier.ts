import type { BlockRunCopy, Snapshot } from "../../kernel/index.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";

/** So often a series is copied again because a commit began meanwhile. */
const attemptsMax = 100;

/**
 * Copies series of the head from `first` of `refs` on together, as they were when the snapshot was taken. Returns how many; 0 when the first has to be read by itself. What is damaged
 * is noticed and left out. Throws BlockUnreadableError.
 */
export function copyHeadRun(
  snapshot: Snapshot,
  chunks: HeadChunkReader,
  refs: Uint32Array,
  first: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  isAlone: (ref: number) => boolean,
  copy: BlockRunCopy,
): number {
  const wanted = refs.subarray(first, first + copy.seriesMax);
  copy.setSeries(wanted, isAlone);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const isCurrent = snapshot.isCurrent();
    const untilMs = isCurrent ? undefined : (series: number) => snapshot.untilMs(wanted[series]!);
    const files = chunks.filesOfRun(refs, first, wanted.length);
    const end = copy.copy(minTimestampMs, maxTimestampMs, files, snapshot.place, untilMs);
    const next = first + copy.done;
    if (end === "damagedFile") chunks.noticeDamage(refs, next);
    if (copy.done > 0) return copy.done;
    if (end === "notLoaded") chunks.load(refs, next, minTimestampMs, maxTimestampMs);
    else if (end !== "noted" && end !== "damagedFile") return 0;
  }
  return 0;
}
