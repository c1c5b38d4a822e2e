import type { Registry } from "@narthex/client";
import type { Clock, Disk, Logger } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Appendable, Appender, ExemplarQueryable, Queryable } from "../storage/index.ts";
import type { BlockKeeper } from "./block/keeper.ts";
import type { BlockMeta } from "./block/meta.ts";
import { newestCutMs } from "./block/plan.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { TsdbDurations } from "./durations.ts";
import { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import { HeadAppendable } from "./head/appendable.ts";
import { BatchPool } from "./head/batch-pool.ts";
import { Head } from "./head/head.ts";
import { headStats, type HeadStats } from "./head/stats.ts";
import { HeadChunks } from "./head-chunks/index.ts";
import { HeadTruncation } from "./maintenance/head-truncation.ts";
import { Maintenance } from "./maintenance/maintenance.ts";
import { MemoryPressure } from "./maintenance/memory-pressure.ts";
import type { Retention } from "./maintenance/retention-policy.ts";
import type { SeriesDeletion } from "./maintenance/series-deletion.ts";
import { outOfOrderDelta, registerTsdbMetrics } from "./metrics/index.ts";
import {
  type ExemplarLimits,
  type FloatEncodingName,
  floatEncodings,
  resolveOptions,
  type TsdbOptions,
} from "./options.ts";
import { OutOfOrderAppender, OutOfOrderLog, OutOfOrderMapper } from "./out-of-order/index.ts";
import { createQueryable, type StoredQueryable } from "./queryable.ts";
import { HeadRestore } from "./restore.ts";
import { publishDataDirectory } from "./shared-blocks.ts";
import type { ReplayResult } from "./wal/record-replay.ts";
import type { ReplayProgress } from "./wal/replay.ts";
import { Wal } from "./wal/wal.ts";

export interface TsdbParts {
  kernel: Kernel;
  disk: Disk;
  clock: Clock;
  directory: string;
  logger: Logger;
  registry: Registry;
  options?: TsdbOptions;
  /** Writes blocks from the head, compacts and deletes them; without it what is too old leaves the head for good. The storage closes it. */
  keeper?: BlockKeeper;
}

/**
 * Opens the storage in `directory`, which is created when it is missing, and takes its lock. Throws `unavailable` when another process has it
 * or it cannot be written, and what is wrong when the parts do not come together; then it is not locked. The WAL is replayed meanwhile, see `ready` and `isAppendable`.
 */
export function openTsdb(parts: TsdbParts): Tsdb {
  const directory = openDataDirectory(parts);
  try {
    return new Tsdb(parts, directory);
  } catch (error) {
    directory.lock.release();
    throw error;
  }
}

/**
 * The time series of this process: a head in the shared memory, and the WAL that outlives it. It puts the parts together, owns and closes them: `HeadRestore` fills the head at
 * the start, `HeadAppendable` gives out what appends to it, `Maintenance` does all that comes later. Main thread only.
 */
export class Tsdb implements Appendable {
  /**
   * Resolves when the WAL is replayed. Until then queries see what was replayed so far. Rejects when the WAL cannot be read at all, when the
   * memory cannot hold it, and with `canceled` after `close`.
   */
  readonly ready: Promise<void>;
  /** Head and blocks. Other threads make their own with `createQueryable`. */
  readonly queryable: Queryable;
  readonly #parts: TsdbParts;
  readonly #directory: DataDirectory;
  readonly #stored: StoredQueryable;
  readonly #exemplars: ExemplarStorage;
  readonly #pool: BatchPool;
  readonly #wal: Wal;
  readonly #headChunks: HeadChunks;
  readonly #outOfOrderLog: OutOfOrderLog;
  readonly #outOfOrder: OutOfOrderAppender;
  readonly #appendable: HeadAppendable;
  readonly #restore: HeadRestore;
  readonly #maintenance: Maintenance;
  #isClosed = false;

  /** The directory is released by `close`. */
  constructor(parts: TsdbParts, dataDirectory: DataDirectory) {
    this.#parts = parts;
    this.#directory = dataDirectory;
    const options = resolveOptions(parts.options);
    const { kernel, disk, clock, logger, directory, registry } = parts;
    const { chunkRangeMs, memoryPressureRatio } = options;
    kernel.floatEncoding = floatEncodings[options.floatEncoding];
    const cutMs = newestCutMs(dataDirectory.blocks, chunkRangeMs);
    const minValidTimeMs = Math.max(options.minValidTimeMs, cutMs);
    const logOptions = {
      ...parts,
      compression: options.walCompression,
      segmentBytes: options.walSegmentBytes,
      syncIntervalMs: options.walSyncIntervalMs,
    };

    const head = new Head(kernel, { seriesMax: options.seriesMax });
    this.#exemplars = new ExemplarStorage((ref) => head.labels(ref));
    this.#exemplars.resize(options.exemplarsMax);
    this.#exemplars.outOfOrderWindowMs = options.exemplarWindowMs;
    this.#pool = new BatchPool(kernel, options.batchSamples);
    this.#wal = new Wal({ ...logOptions, head });
    this.#headChunks = new HeadChunks({ ...parts, head });
    this.#outOfOrderLog = new OutOfOrderLog(logOptions);
    const outOfOrderMapper = new OutOfOrderMapper({
      ...parts,
      head: head.outOfOrder,
      files: this.#headChunks,
    });
    this.#outOfOrder = new OutOfOrderAppender({
      head,
      log: this.#outOfOrderLog,
      mapper: outOfOrderMapper,
      clock,
      onDelta: outOfOrderDelta(registry),
    });
    this.#outOfOrder.windowMs = options.outOfOrderWindowMs;
    publishDataDirectory(kernel, directory);
    this.queryable = this.#stored = createQueryable({
      kernel,
      disk,
      onLeftOut: ({ message }) => logger.error("left out of a query", { err: message }),
    });

    const appendable = (this.#appendable = new HeadAppendable({
      head,
      pool: this.#pool,
      mapper: this.#headChunks.mapper,
      clock,
      exemplars: this.#exemplars,
      outOfOrder: this.#outOfOrder,
      keepsMetadata: options.keepsMetadata,
      zeroesStarts: options.zeroesStarts,
      storesStarts: options.storesStarts,
      chunkRangeMs,
      samplesPerChunk: options.samplesPerChunk,
      futureMaxMs: options.futureMaxMs,
      minValidTimeMs,
    }));

    // Each part takes what it needs.
    const shared = {
      ...parts,
      ...options,
      minValidTimeMs,
      head,
      exemplars: this.#exemplars,
      wal: this.#wal,
      headChunks: this.#headChunks,
      outOfOrder: this.#outOfOrder,
      outOfOrderLog: this.#outOfOrderLog,
      outOfOrderMapper,
      appendable,
      pressure: new MemoryPressure({ head, logger, chunkRangeMs, memoryPressureRatio }),
      durations: new TsdbDurations(registry, clock),
      blocks: () => this.blocks(),
    };
    const truncation = new HeadTruncation(shared);
    this.#restore = new HeadRestore({ ...shared, truncation });
    this.#maintenance = new Maintenance({ ...shared, truncation });
    registerTsdbMetrics(registry, {
      ...shared,
      truncation,
      restore: this.#restore,
      maintenance: this.#maintenance,
      pool: this.#pool,
      queryable: this.#stored,
      dataDirectory,
    });

    this.ready = this.#start();
    // Who awaits `ready` hears of the failure; nobody has to.
    this.ready.catch(() => {});
  }

  /**
   * Whether there are appenders: mostly from the start or, when the WAL is long, soon after, else from `ready` on. What is committed before `ready` is acknowledged and safe, and
   * can be queried from `ready` on; whether it comes too late for its series shows only then.
   */
  get isAppendable(): boolean {
    return this.#appendable.isOpen;
  }

  /** Resolves once `isAppendable`. */
  get appendable(): Promise<void> {
    return this.#appendable.opened;
  }

  /** An appender for one scrape or request. Throws `unavailable` unless `isAppendable`. */
  appender(): Appender {
    return this.#appendable.appender();
  }

  /** The newest exemplars, on the main thread only. */
  get exemplars(): ExemplarQueryable {
    return this.#exemplars;
  }

  /** Changes how many exemplars are kept, the newest stay, and how much older than its series' newest one may be. */
  setExemplarLimits({ exemplarsMax, exemplarWindowMs }: ExemplarLimits): void {
    this.#exemplars.outOfOrderWindowMs = exemplarWindowMs;
    const from = this.#exemplars.capacity;
    const migrated = this.#exemplars.resize(exemplarsMax);
    const to = this.#exemplars.capacity;
    if (to !== from) this.#parts.logger.info("Exemplar storage resized", { from, to, migrated });
  }

  /** The blocks that are read, in the order of their times. Throws the disk's error. */
  blocks(): BlockMeta[] {
    return this.#stored.blocks();
  }

  /** Resolves when the maintenance that is under way, if any, is over. */
  get maintained(): Promise<void> {
    return this.#maintenance.settled;
  }

  /** Share of stale series, from 0 to 1, from which on they leave the head for blocks of their own; 0 leaves them. */
  setStaleSeriesThreshold(threshold: number): void {
    this.#maintenance.staleSeries.threshold = threshold;
  }

  /** How much older than the newest of all samples one may be that comes out of order; 0 refuses those. What came so far stays. */
  setOutOfOrderWindow(windowMs: number): void {
    this.#outOfOrder.windowMs = windowMs;
  }

  /** How chunks of floats are encoded that are begun from now on, and samples that compaction merges. */
  setFloatEncoding(name: FloatEncodingName): void {
    this.#parts.kernel.floatEncoding = floatEncodings[name];
  }

  /** What is kept from now on; what is beyond is deleted within a minute. */
  setRetention(retention: Retention): void {
    this.#maintenance.retention.retention = retention;
  }

  /** The `limit` largest of each kind. */
  stats(limit = 10): HeadStats & { chunkCount: number } {
    const { kernel } = this.#parts;
    return { ...headStats(kernel, limit), chunkCount: kernel.series.chunkCount };
  }

  /** Segments of the WAL that are being replayed; undefined before and after. */
  get replayProgress(): ReplayProgress | undefined {
    return this.#restore.progress;
  }

  /** What the replay found, once `ready`. */
  get replayResult(): ReplayResult | undefined {
    return this.#restore.result;
  }

  /**
   * Drops whole chunks that end before `minTimeMs`, series that have none left, and the part of the WAL that is no longer needed.
   * Rejects when that fails; then less was dropped.
   */
  truncate(minTimeMs: number): Promise<void> {
    return this.#maintenance.truncate(minTimeMs);
  }

  /**
   * Marks samples as deleted: no query sees them any more. Compaction leaves them out, and `cleanTombstones` frees their space in blocks. Rejects with
   * `unavailable` when the WAL cannot be written, then nothing is deleted; with what is wrong when a block cannot be read or written, then other blocks may be done.
   */
  deleteSeries(deletion: SeriesDeletion): Promise<void> {
    return this.#maintenance.deleteSeries(deletion);
  }

  /** Rewrites the blocks without what was deleted. Rejects with `internal` when that fails for one; then that one is as it was. */
  cleanTombstones(): Promise<void> {
    return this.#maintenance.cleanTombstones();
  }

  /** Makes a snapshot of blocks and, if asked to, head, and resolves to its name in `snapshots/`. Rejects when that fails; then there is none. */
  snapshot(what: { withHead: boolean }): Promise<string> {
    return this.#maintenance.snapshot(what);
  }

  /** Ends the WAL cleanly and releases the directory; a replay that still goes on is cut short. Appenders must not be used any more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#appendable.close();
    this.#restore.cancel();
    this.#maintenance.stop();
    await this.ready.catch(() => {});
    await this.#maintenance.close();
    await this.#wal.close();
    await this.#outOfOrderLog.close();
    await this.#headChunks.close();
    this.#pool.close();
    this.#stored.close();
    this.#directory.lock.release();
  }

  /** What comes before the first `await` happens before `openTsdb` returns. */
  async #start(): Promise<void> {
    await this.#restore.run();
    this.#maintenance.begin();
  }
}
