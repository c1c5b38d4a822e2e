import { type Clock, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import type { BlockMeta } from "../block/meta.ts";
import { blockRangeMaxDefault, compactionRanges, planCompaction } from "../block/plan.ts";
import type { TsdbDurations } from "../durations.ts";
import type { HeadAppendable } from "../head/appendable.ts";
import type { Head } from "../head/head.ts";
import type { HeadChunks } from "../head-chunks/index.ts";
import { compactOutOfOrder, type OutOfOrderLog, type OutOfOrderMapper } from "../out-of-order/index.ts";
import { compactHead } from "./head-compaction.ts";
import type { HeadTruncation } from "./head-truncation.ts";
import type { MemoryPressure } from "./memory-pressure.ts";
import type { RetentionPolicy } from "./retention-policy.ts";
import type { StaleSeriesCompaction } from "./stale-series-compaction.ts";

export interface CompactorParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly head: Head;
  readonly appendable: HeadAppendable;
  readonly headChunks: HeadChunks;
  readonly outOfOrderLog: OutOfOrderLog;
  readonly outOfOrderMapper: OutOfOrderMapper;
  readonly truncation: HeadTruncation;
  readonly pressure: MemoryPressure;
  readonly retention: RetentionPolicy;
  readonly staleSeries: StaleSeriesCompaction;
  readonly durations: TsdbDurations;
  /** The blocks there are. */
  readonly blocks: () => BlockMeta[];
  readonly chunkRangeMs: number;
  /** The widest that blocks become, 0 when the retention decides. */
  readonly blockRangeMsMax: number;
}

/** Moves samples from the head to blocks, and keeps those compact and within the retention. One piece of work at a time. */
export class Compactor {
  /** Blocks written from the head, and compactions of blocks. */
  compactions = 0;
  /** Of these, those of blocks that overlapped. */
  verticalCompactions = 0;
  compactionsTriggered = 0;
  compactionsFailed = 0;
  readonly #parts: CompactorParts;
  #isStopped = false;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
  }

  /** Does what there is to do; resolves to whether all went well. What failed is logged, and nothing is lost. */
  async tryToCompact(keeper: BlockKeeper): Promise<boolean> {
    try {
      await this.#compact(keeper);
      return true;
    } catch (error) {
      if (!this.#isStopped) {
        this.compactionsFailed++;
        const err = errorMessage(error);
        this.#parts.logger.error("head cannot be compacted, it is tried again in a minute", { err });
      }
      return false;
    }
  }

  /** Rewrites the blocks without what was deleted. Rejects with `internal` when that fails for one; then that one is as it was. */
  async cleanTombstones(keeper: BlockKeeper): Promise<void> {
    const { durations } = this.#parts;
    const { compactions, failures } = await durations.writing(durations.tombstoneCleanup, () =>
      keeper.cleanTombstones(),
    );
    this.compactions += compactions;
    this.compactionsFailed += failures;
    if (failures > 0)
      throw new NarthexError("internal", `${failures} blocks cannot be rewritten, the log says why`);
  }

  /** What fails from now on is no failure: the keeper ends. */
  stop(): void {
    this.#isStopped = true;
  }

  async #compact(keeper: BlockKeeper): Promise<void> {
    const { pressure, staleSeries, retention, blocks } = this.#parts;
    this.compactionsTriggered++;
    const written = await this.#compactHead(keeper);
    if (written > 0 || pressure.isHigh) await this.#compactOutOfOrder(keeper);
    await staleSeries.run(keeper, written > 0);
    await this.#compactBlocks(keeper);
    await retention.apply(keeper, blocks());
  }

  /** Returns how many blocks were written. */
  #compactHead(keeper: BlockKeeper): Promise<number> {
    const { clock, head, appendable, truncation, pressure, chunkRangeMs } = this.#parts;
    return compactHead({
      kernel: head.kernel,
      clock,
      keeper: this.#countedCut(keeper),
      head,
      chunkRangeMs,
      refuseBefore: (timeMs) => appendable.refuseBefore(timeMs),
      truncate: (timeMs) => truncation.truncate(timeMs),
      isUrgent: () => pressure.isHigh,
    });
  }

  async #compactOutOfOrder(keeper: BlockKeeper): Promise<void> {
    const { clock, head, headChunks, outOfOrderLog, outOfOrderMapper, chunkRangeMs } = this.#parts;
    await compactOutOfOrder({
      kernel: head.kernel,
      clock,
      keeper: this.#countedCut(keeper),
      head: head.outOfOrder,
      log: outOfOrderLog,
      mapper: outOfOrderMapper,
      chunkRangeMs,
    });
    // Waits for queries, and nothing waits for it.
    void headChunks.removeBefore(head.minTimeMs);
  }

  async #compactBlocks(keeper: BlockKeeper): Promise<void> {
    const { durations, retention, blocks, chunkRangeMs, blockRangeMsMax } = this.#parts;
    const widestMs = blockRangeMsMax || blockRangeMaxDefault(retention.retention.timeMs, chunkRangeMs);
    const ranges = compactionRanges(chunkRangeMs, widestMs);
    // The thread is woken only when there is something to do.
    if (planCompaction(blocks(), ranges).length === 0) return;
    const result = await durations.writing(durations.compaction, () => keeper.compact(ranges));
    this.compactions += result.compactions;
    this.verticalCompactions += result.vertical;
    this.compactionsFailed += result.failures;
  }

  #countedCut(keeper: BlockKeeper): Pick<BlockKeeper, "cut"> {
    const { durations } = this.#parts;
    const cut: BlockKeeper["cut"] = async (...given) => {
      const meta = await durations.writing(durations.compaction, () => keeper.cut(...given));
      // At once: it is there, whatever fails behind it.
      if (meta !== undefined) this.compactions++;
      return meta;
    };
    return { cut };
  }
}
