import type { Disk } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { MergeQuerier, type Querier, type Queryable } from "../storage/index.ts";
import { BlockCache, blockCacheBytesDefault } from "./block/cache.ts";
import { BlockList } from "./block/block-list.ts";
import { type BlockDamagedError, BlockNotices } from "./block/damage.ts";
import type { BlockMeta } from "./block/meta.ts";
import { BlockQuerier } from "./block/querier.ts";
import { blocksVersion, countLeftOut, publishedDataDirectory } from "./shared-blocks.ts";
import { createHeadQueryable } from "./head/querier.ts";

export interface QueryableParts {
  kernel: Kernel;
  disk: Disk;
  /** The data directory, whose blocks are read. Default: the one in which this memory's storage was opened, from then on. */
  directory?: string;
  /** What this thread remembers of the blocks' indexes, in bytes. Default 16 MiB. */
  cacheBytesMax?: number;
  /** What hears of what queries leave out; it is counted for all threads in any case. */
  onLeftOut?: (error: BlockDamagedError) => void;
}

/** All that is stored, on one thread; `close` closes the blocks' files. */
export interface StoredQueryable extends Queryable {
  /** The blocks that are read, in the order of their times. Throws the disk's error. */
  blocks(): BlockMeta[];
  /** How often this thread read which blocks there are, and could not. */
  reloads(): { total: number; failed: number };
  close(): void;
}

/**
 * Head and blocks together, as any thread can query them. It follows the set of blocks by the word that `blocksChanged` counts up.
 * Where both have a sample of the same time, the block's is taken.
 */
export function createQueryable(parts: QueryableParts): StoredQueryable {
  const { kernel, onLeftOut } = parts;
  const notices = new BlockNotices((error) => {
    countLeftOut(kernel);
    onLeftOut?.(error);
  });
  const head = createHeadQueryable(kernel, { disk: parts.disk, notices });
  let list: BlockList | undefined;
  /** Undefined while there is no directory. */
  const blocks = (): BlockList | undefined => (list ??= openList(parts, notices));
  return {
    querier(minTimestampMs, maxTimestampMs, snapshot) {
      // The head first: what moves from it into a block meanwhile is then in both rather than in neither.
      const headQuerier = head.querier(minTimestampMs, maxTimestampMs, snapshot);
      const queriers: Querier[] = [];
      try {
        for (const block of blocks()?.overlapping(minTimestampMs, maxTimestampMs) ?? [])
          queriers.push(new BlockQuerier(block, notices));
      } catch (error) {
        for (const querier of [...queriers, headQuerier]) querier.close();
        throw error;
      }
      return queriers.length === 0 ? headQuerier : new MergeQuerier(kernel, [...queriers, headQuerier]);
    },
    filesUntilMs: () => blocks()?.untilMs() ?? -Infinity,
    storedSeriesMax(minTimestampMs, maxTimestampMs) {
      const inRange = ({ minTime, maxTime }: BlockMeta): boolean =>
        minTime <= maxTimestampMs && maxTime > minTimestampMs;
      const metas = blocks()?.metas().filter(inRange) ?? [];
      return metas.reduce((most, { stats }) => Math.max(most, stats.numSeries), 0);
    },
    blocks: () => blocks()?.metas() ?? [],
    reloads: () => ({ total: list?.reloads ?? 0, failed: list?.reloadsFailed ?? 0 }),
    close() {
      list?.close();
      head.close();
    },
  };
}

function openList(
  { kernel, disk, directory, cacheBytesMax }: QueryableParts,
  notices: BlockNotices,
): BlockList | undefined {
  const dataDirectory = directory ?? publishedDataDirectory(kernel);
  if (dataDirectory === undefined) return undefined;
  const cache = new BlockCache(cacheBytesMax ?? blockCacheBytesDefault);
  return new BlockList({ kernel, disk, cache }, dataDirectory, notices, () => blocksVersion(kernel));
}
