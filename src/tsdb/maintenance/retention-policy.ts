import { type Disk, errorMessage, type Logger } from "../../base/index.ts";
import { blockSizeBytes } from "../block/block.ts";
import type { RetentionLimits } from "../block/maintenance.ts";
import type { BlockMeta } from "../block/meta.ts";
import { blocksBeyondSize, blocksBeyondTime } from "../block/retention.ts";
import { directoryBytes } from "../directory-bytes.ts";
import type { BlockKeeper } from "../block/keeper.ts";

/** What is kept; 0 sets no bound. Of the oldest blocks, those beyond one of the bounds are deleted as a whole. */
export interface Retention {
  readonly timeMs: number;
  /** Of blocks, logs and head chunks together. */
  readonly sizeBytes: number;
  /** Share of the filesystem, used or not, from 0 to 100; it stands instead of `sizeBytes`. */
  readonly percentage: number;
}

export interface RetentionParts {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly directory: string;
}

/** What takes room beside the blocks and counts like them. */
const otherDirectories = ["wal", "wbl", "chunks_head"];

/** Deletes blocks that are beyond the retention, which may change at any time. */
export class RetentionPolicy {
  retention: Retention;
  /** How often blocks were deleted for their age, and for what all take together. */
  timeRetentions = 0;
  sizeRetentions = 0;
  readonly #parts: RetentionParts;

  /** What is left out sets no bound. */
  constructor(parts: RetentionParts, retention: Partial<Retention>) {
    this.#parts = parts;
    this.retention = { timeMs: 0, sizeBytes: 0, percentage: 0, ...retention };
  }

  /** Has the keeper delete what is beyond the retention, if anything is. Rejects with the disk's error. */
  async apply(keeper: BlockKeeper, blocks: readonly BlockMeta[]): Promise<void> {
    const { disk, directory } = this.#parts;
    const limits = this.#limits();
    const sized = blocks.map((meta) => ({
      meta,
      sizeBytes: limits.bytesMax === 0 ? 0 : blockSizeBytes(disk, `${directory}/${meta.ulid}`),
    }));
    const isBeyondTime = blocksBeyondTime(blocks, limits.retentionMs).length > 0;
    const isBeyondSize = blocksBeyondSize(sized, limits.otherBytes, limits.bytesMax).length > 0;
    if (!isBeyondTime && !isBeyondSize) return;
    await keeper.applyRetention(limits);
    this.timeRetentions += Number(isBeyondTime);
    this.sizeRetentions += Number(isBeyondSize);
  }

  #limits(): RetentionLimits {
    const { disk, directory } = this.#parts;
    const bytesMax = this.#bytesMax();
    const others = bytesMax === 0 ? [] : otherDirectories;
    const otherBytes = others.reduce(
      (bytes, name) => bytes + directoryBytes(disk, `${directory}/${name}`),
      0,
    );
    return { retentionMs: this.retention.timeMs, bytesMax, otherBytes };
  }

  #bytesMax(): number {
    const { percentage, sizeBytes } = this.retention;
    if (percentage === 0) return sizeBytes;
    const { disk, directory, logger } = this.#parts;
    try {
      return Math.floor((disk.capacityBytes(directory) * percentage) / 100);
    } catch (error) {
      const err = errorMessage(error);
      logger.warn("size of the filesystem is unknown, retention by percentage does not hold", { err });
      return sizeBytes;
    }
  }
}
