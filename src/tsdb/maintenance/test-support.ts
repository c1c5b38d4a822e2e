import { type Clock, type Disk, type Logger, silentLogger, systemDisk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { BlockCache } from "../block/cache.ts";
import { deleteFromBlock } from "../block/delete-series.ts";
import { writeHeadBlock } from "../block/head-block.ts";
import {
  applyRetention,
  type BlockMaintenance,
  cleanTombstones,
  compactAll,
  listBlocks,
} from "../block/maintenance.ts";
import { writeSnapshot } from "../block/snapshot.ts";
import { createUlid } from "../block/ulid.ts";
import { createHeadQueryable } from "../head/querier.ts";
import { outOfOrderHint } from "../out-of-order/index.ts";
import { blocksChanged } from "../shared-blocks.ts";
import type { BlockKeeper } from "../block/keeper.ts";

export interface InlineKeeper extends BlockKeeper {
  /** Whether blocks cannot be cut. */
  fails: boolean;
}

export interface InlineKeeperParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly directory: string;
  readonly disk?: Disk;
  readonly logger?: Logger;
}

/** What the maintenance thread does, on this thread and with a given clock and disk. */
export function createInlineKeeper(parts: InlineKeeperParts): InlineKeeper {
  const { kernel, clock, directory, disk = systemDisk, logger = silentLogger } = parts;
  const maintenance: BlockMaintenance = {
    context: { kernel, disk, cache: new BlockCache() },
    clock,
    logger,
    dataDirectory: directory,
    onChange: () => blocksChanged(kernel),
  };
  const target = (dataDirectory = directory) => ({
    kernel,
    disk,
    dataDirectory,
    ulid: createUlid(clock.nowMs()),
  });
  return {
    fails: false,
    async cut(minTime, maxTime, hints, refs) {
      if (this.fails) throw new Error("ENOSPC: injected");
      const part = hints?.includes(outOfOrderHint) ? "outOfOrder" : "inOrder";
      const source = createHeadQueryable(kernel, { among: refs, part });
      const meta = writeHeadBlock(source, target(), minTime, maxTime, hints);
      maintenance.onChange();
      return meta;
    },
    compact: async (ranges) => compactAll(maintenance, ranges),
    applyRetention: async (limits) => applyRetention(maintenance, limits),
    async deleteSeries(matchers, minTimestampMs, maxTimestampMs) {
      let hits = 0;
      for (const { ulid, minTime, maxTime } of listBlocks(maintenance))
        if (minTime <= maxTimestampMs && maxTime > minTimestampMs)
          hits += deleteFromBlock(
            maintenance.context,
            `${directory}/${ulid}`,
            matchers,
            minTimestampMs,
            maxTimestampMs,
          );
      maintenance.onChange();
      return hits;
    },
    cleanTombstones: async () => cleanTombstones(maintenance),
    async snapshot(name, headRange) {
      writeSnapshot(maintenance, name, (dataDirectory) => {
        if (headRange) writeHeadBlock(createHeadQueryable(kernel), target(dataDirectory), ...headRange);
      });
    },
    async close() {},
  };
}
