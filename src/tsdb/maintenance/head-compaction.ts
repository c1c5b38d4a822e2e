import type { Clock } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";

/** The head is cut when it spans so many chunk ranges, and keeps at least half of one. */
const rangesMax = 1.5;

export interface HeadCompactionParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly keeper: Pick<BlockKeeper, "cut">;
  readonly head: { readonly minTimeMs: number; readonly maxTimeMs: number };
  readonly chunkRangeMs: number;
  /** Refuses samples before `timeMs` from now on. */
  readonly refuseBefore: (timeMs: number) => void;
  /** Takes samples before `timeMs` out of the head and the WAL. */
  readonly truncate: (timeMs: number) => Promise<void>;
  /** Whether the head shall be cut although it is short, as long as there is a whole range. */
  readonly isUrgent: () => boolean;
}

/**
 * Moves whole chunk ranges from the head to blocks, oldest first, while the head is long. Every sample is in the head, in a block or in both at any time. Returns how many
 * blocks were written. Rejects when one cannot be written or the head not be truncated; then nothing is lost, and it is tried again the next time.
 */
export async function compactHead(parts: HeadCompactionParts): Promise<number> {
  const { kernel, clock, keeper, head, chunkRangeMs } = parts;
  let blocks = 0;
  for (let previousMs = -Infinity; ;) {
    const { minTimeMs } = head;
    const startMs = Math.floor(minTimeMs / chunkRangeMs) * chunkRangeMs;
    const endMs = startMs + chunkRangeMs;
    // A sample from the future does not make the head long.
    const newestMs = Math.min(head.maxTimeMs, clock.nowMs());
    const isLong = newestMs - minTimeMs > rangesMax * chunkRangeMs;
    if (!isLong && !(parts.isUrgent() && endMs <= newestMs)) return blocks;
    // The truncation before could not take out everything: not again now.
    if (startMs <= previousMs) return blocks;
    previousMs = startMs;
    parts.refuseBefore(endMs);
    if ((await keeper.cut(startMs, endMs)) !== undefined) blocks++;
    await earlierQueriesEnded(kernel, clock);
    await parts.truncate(endMs);
  }
}
