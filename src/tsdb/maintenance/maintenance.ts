import { type Clock, type Disk, type Logger, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { snapshotName } from "../block/directory.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { TsdbDurations } from "../durations.ts";
import type { HeadAppendable } from "../head/appendable.ts";
import type { Head } from "../head/head.ts";
import type { HeadChunks } from "../head-chunks/index.ts";
import type { OutOfOrderLog, OutOfOrderMapper } from "../out-of-order/index.ts";
import type { Wal } from "../wal/wal.ts";
import { Compactor } from "./compactor.ts";
import type { HeadTruncation } from "./head-truncation.ts";
import { type MemoryPressure, rangeStart } from "./memory-pressure.ts";
import { type Retention, RetentionPolicy } from "./retention-policy.ts";
import { MaintenanceSchedule } from "./schedule.ts";
import { deleteSeries, type SeriesDeletion } from "./series-deletion.ts";
import { StaleSeriesCompaction } from "./stale-series-compaction.ts";

export interface MaintenanceParts {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly directory: string;
  /** Without it what is too old leaves the head for good. */
  readonly keeper?: BlockKeeper;
  readonly head: Head;
  readonly appendable: HeadAppendable;
  readonly headChunks: HeadChunks;
  readonly wal: Wal;
  readonly outOfOrderLog: OutOfOrderLog;
  readonly outOfOrderMapper: OutOfOrderMapper;
  readonly truncation: HeadTruncation;
  readonly pressure: MemoryPressure;
  readonly durations: TsdbDurations;
  /** The blocks there are. */
  readonly blocks: () => BlockMeta[];
  /** What is left out sets no bound. */
  readonly retention: Partial<Retention>;
  readonly chunkRangeMs: number;
  /** The widest that blocks become, 0 when the retention decides. */
  readonly blockRangeMsMax: number;
}

/**
 * All that changes a storage beside appending: one thing after the other, each minute by itself or when it is asked for. Owns the keeper of the blocks; who made it must
 * `close` it. What is asked for rejects with `unavailable` before the head has all that is in the WAL, and after `stop`.
 */
export class Maintenance {
  readonly retention: RetentionPolicy;
  readonly staleSeries: StaleSeriesCompaction;
  readonly compactor: Compactor;
  readonly #parts: MaintenanceParts;
  readonly #schedule: MaintenanceSchedule;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    const { kernel, headChunks } = parts;
    this.retention = new RetentionPolicy(parts, parts.retention);
    this.staleSeries = new StaleSeriesCompaction(parts);
    this.compactor = new Compactor({
      ...parts,
      retention: this.retention,
      staleSeries: this.staleSeries,
    });
    this.#schedule = new MaintenanceSchedule({
      ...parts,
      tend: () => {
        kernel.arena.reclaim();
        headChunks.mapper.run();
      },
      maintain: () => this.#maintain(),
    });
  }

  /** Who changes blocks; undefined when nobody does. */
  get keeper(): BlockKeeper | undefined {
    return this.#parts.keeper;
  }

  /** Resolves when the work that is under way, if any, is over. */
  get settled(): Promise<void> {
    return this.#schedule.settled;
  }

  /** The first minute begins. */
  begin(): void {
    this.#schedule.begin();
  }

  /** See `HeadTruncation`. */
  truncate(minTimeMs: number): Promise<void> {
    return this.#schedule.inTurn(() => this.#parts.truncation.truncate(minTimeMs));
  }

  /** See the function `deleteSeries`. */
  deleteSeries(deletion: SeriesDeletion): Promise<void> {
    const { head, wal } = this.#parts;
    return this.#schedule.inTurn(() => {
      const keeper = this.#blockKeeper();
      return deleteSeries(head, wal.log, keeper, deletion);
    });
  }

  /** Rewrites the blocks without what was deleted. Rejects with `internal` when that fails for one; then that one is as it was. */
  cleanTombstones(): Promise<void> {
    return this.#schedule.inTurn(() => this.compactor.cleanTombstones(this.#blockKeeper()));
  }

  /** Makes a snapshot of blocks and, if asked to, head, and resolves to its name in `snapshots/`. Rejects when that fails; then there is none. */
  async snapshot({ withHead }: { withHead: boolean }): Promise<string> {
    const { clock, head } = this.#parts;
    const name = snapshotName(clock.nowMs());
    await this.#schedule.inTurn(async () => {
      const { minTimeMs, maxTimeMs } = head;
      const hasHead = withHead && minTimeMs <= maxTimeMs;
      await this.#blockKeeper().snapshot(name, hasHead ? [minTimeMs, maxTimeMs + 1] : undefined);
    });
    return name;
  }

  /** Begins nothing more. */
  stop(): void {
    this.compactor.stop();
    this.#schedule.stop();
  }

  /** Ends the keeper, and resolves when what was under way is over. */
  async close(): Promise<void> {
    this.stop();
    await this.#parts.keeper?.close();
    await this.settled;
  }

  /** Keeps the head within its retention, and within its memory while no blocks are written from it. */
  async #maintain(): Promise<void> {
    const { clock, keeper, head, truncation, pressure, chunkRangeMs } = this.#parts;
    const isKept = keeper !== undefined && (await this.compactor.tryToCompact(keeper));
    const nowMs = clock.nowMs();
    const retentionMs = this.retention.retention.timeMs || Infinity;
    const retainedMs = rangeStart(nowMs - retentionMs, chunkRangeMs);
    if (rangeStart(head.minTimeMs, chunkRangeMs) < retainedMs) await truncation.truncate(retainedMs);
    // What was moved to blocks may not be free yet; more must not be dropped for that.
    const relievingMs = isKept ? undefined : pressure.relievingTimeMs(nowMs);
    if (relievingMs !== undefined) await truncation.truncate(relievingMs);
  }

  /** Who changes blocks, once the head has all that is in the WAL. */
  #blockKeeper(): BlockKeeper {
    const { keeper, appendable } = this.#parts;
    if (keeper === undefined) throw new NarthexError("unavailable", "blocks are not maintained here");
    appendable.assertReady();
    return keeper;
  }
}
