import type { Disk } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { MergeQuerier, type Querier, type Queryable } from "../storage/index.ts";
import { BlockCache, blockCacheBytesDefault } from "./block/cache.ts";
import { BlockList } from "./block/block-list.ts";
import { BlockNotices } from "./block/damage.ts";
import { BlockQuerier } from "./block/querier.ts";
import { blocksVersion } from "./blocks-version.ts";
import { createHeadQueryable } from "./head/querier.ts";

export interface QueryableParts {
  kernel: Kernel;
  disk: Disk;
  /** The data directory, whose blocks are read. */
  directory: string;
  /** What this thread remembers of the blocks' indexes, in bytes. Default 64 MiB. */
  cacheBytesMax?: number;
  notices?: BlockNotices;
}

/** All that is stored, on one thread; `close` closes the blocks' files. */
export interface StoredQueryable extends Queryable {
  close(): void;
}

/**
 * Head and blocks together, as any thread can query them. It follows the set of blocks by the word that `blocksChanged` counts up.
 * Where both have a sample of the same time, the block's is taken.
 */
export function createQueryable(parts: QueryableParts): StoredQueryable {
  const { kernel, disk, directory } = parts;
  const head = createHeadQueryable(kernel);
  const notices = parts.notices ?? new BlockNotices();
  const cache = new BlockCache(parts.cacheBytesMax ?? blockCacheBytesDefault);
  const blocks = new BlockList({ kernel, disk, cache }, directory, notices, () => blocksVersion(kernel));
  return {
    querier(minTimestampMs, maxTimestampMs) {
      // The head first: what moves from it into a block meanwhile is then in both rather than in neither.
      const headQuerier = head.querier(minTimestampMs, maxTimestampMs);
      const queriers: Querier[] = [];
      try {
        for (const block of blocks.overlapping(minTimestampMs, maxTimestampMs))
          queriers.push(new BlockQuerier(block, notices));
      } catch (error) {
        for (const querier of [...queriers, headQuerier]) querier.close();
        throw error;
      }
      return queriers.length === 0 ? headQuerier : new MergeQuerier(kernel, [...queriers, headQuerier]);
    },
    close: () => blocks.close(),
  };
}
