import type { Registry } from "@narthex/client";
import { type Clock, type Disk, errorMessage, type Logger, NarthexError, type Timer } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Appendable, Appender, ExemplarQueryable, Queryable } from "../storage/index.ts";
import { blockSizeBytes } from "./block/block.ts";
import { BlockCache } from "./block/cache.ts";
import { recoverBlocks } from "./block/maintenance.ts";
import type { BlockMeta } from "./block/meta.ts";
import { registerBlockMetrics } from "./block/metrics.ts";
import { blockRangeMaxDefault, compactionRanges, newestCutMs, planCompaction } from "./block/plan.ts";
import { AppendTotals, type AppendContext, HeadAppender } from "./head/appender.ts";
import { BatchPool } from "./head/batch-pool.ts";
import { Head, memoryFill } from "./head/head.ts";
import {
  ChunkMapper,
  headChunksDirectory,
  headChunksRemoved,
  HeadChunkWriter,
  type LoadedHeadChunks,
  loadHeadChunks,
  type WrittenFile,
} from "./head-chunks/index.ts";
import { headStats, type HeadStats } from "./head/stats.ts";
import { clearHead, truncateChunks, truncateHead } from "./head/truncate.ts";
import { snapshotName } from "./block/directory.ts";
import { type BlockKeeper, compactHead } from "./maintenance/head-compaction.ts";
import { type Retention, RetentionPolicy } from "./maintenance/retention-policy.ts";
import { StaleSeriesCompaction } from "./maintenance/stale-series-compaction.ts";
import { deleteSeries, type SeriesDeletion } from "./maintenance/series-deletion.ts";
import { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import { TsdbDurations } from "./durations.ts";
import { DirectoryLock } from "./lock.ts";
import { outOfOrderDelta, registerTsdbMetrics, TsdbCounters } from "./metrics.ts";
import { type ExemplarLimits, resolveOptions, type TsdbOptions } from "./options.ts";
import {
  type CheckpointOptions,
  removeCovered,
  rewriteWal,
  setAside,
  truncateWal,
} from "./wal/checkpoint.ts";
import { createQueryable, type StoredQueryable } from "./queryable.ts";
import {
  compactOutOfOrder,
  OutOfOrderAppender,
  OutOfOrderLog,
  replayOutOfOrder,
} from "./out-of-order/index.ts";
import { blocksChanged, earlierQueriesEnded, publishDataDirectory } from "./shared-blocks.ts";
import { directoryBytes } from "./directory-bytes.ts";
import { WalLog } from "./wal/log.ts";
import { RefReservation } from "./wal/ref-reservation.ts";
import { keptRefMax, type ReplayProgress, type ReplayResult, replayWal } from "./wal/replay.ts";
import { listCheckpoints, listSegments } from "./wal/segment.ts";
import { WalWriter } from "./wal/writer.ts";

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

const reclaimIntervalMs = 1000;
const maintenanceIntervalMs = 60_000;

/**
 * Opens the storage in `directory`, which is created when it is missing, and takes its lock. Throws `unavailable` when another process has it
 * or it cannot be written. The WAL is replayed meanwhile, see `ready` and `isAppendable`.
 */
export function openTsdb(parts: TsdbParts): Tsdb {
  return new Tsdb(parts);
}

/** The time series of this process: a head in the shared memory, and the WAL that outlives it. Main thread only. */
export class Tsdb implements Appendable {
  /**
   * Resolves when the WAL is replayed. Until then queries see what was replayed so far. Rejects when the WAL cannot be read at all, when the
   * memory cannot hold it, and with `canceled` after `close`.
   */
  readonly ready: Promise<void>;
  /** Head and blocks. Other threads make their own with `createQueryable`. */
  readonly queryable: Queryable;
  readonly #stored: StoredQueryable;
  readonly #parts: TsdbParts;
  readonly #options: Required<TsdbOptions>;
  readonly #lock: DirectoryLock;
  readonly #walDirectory: string;
  readonly #reservation: RefReservation;
  readonly #head: Head;
  readonly #exemplars: ExemplarStorage;
  readonly #pool: BatchPool;
  readonly #mapper: ChunkMapper;
  readonly #outOfOrderLog: OutOfOrderLog;
  readonly #outOfOrder: OutOfOrderAppender;
  #headChunks: HeadChunkWriter | undefined;
  readonly #appends = new AppendTotals();
  readonly #counters = new TsdbCounters();
  readonly #durations: TsdbDurations;
  readonly #retention: RetentionPolicy;
  readonly #staleSeries: StaleSeriesCompaction;
  #wal: WalWriter | undefined;
  #log: WalLog | undefined;
  #context: AppendContext | undefined;
  #replayProgress: ReplayProgress | undefined;
  #replayResult: ReplayResult | undefined;
  #reclaimTimer: Timer | undefined;
  #maintenanceTimer: Timer | undefined;
  #maintenance: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: TsdbParts) {
    this.#parts = parts;
    const options = resolveOptions(parts.options);
    const { kernel, disk, directory, registry } = parts;
    this.#walDirectory = `${directory}/wal`;
    disk.makeDirectory(directory);
    this.#lock = DirectoryLock.acquire(disk, directory);
    this.#reservation = new RefReservation(disk, directory);
    this.#counters.cleanStart = this.#lock.replacedStale ? 0 : 1;
    const { blocks, setAside: blocksSetAside } = this.#recoverBlocks();
    const cutMs = newestCutMs(blocks, options.chunkRangeMs);
    this.#options = { ...options, minValidTimeMs: Math.max(options.minValidTimeMs, cutMs) };
    this.#retention = new RetentionPolicy(parts, options.retention);
    this.#head = new Head(kernel, { seriesMax: options.seriesMax });
    this.#staleSeries = new StaleSeriesCompaction({
      ...parts,
      head: this.#head,
      log: () => this.#log!,
      chunkRangeMs: options.chunkRangeMs,
    });
    this.#exemplars = new ExemplarStorage((ref) => this.#head.labels(ref));
    this.#exemplars.resize(options.exemplarsMax);
    this.#exemplars.outOfOrderWindowMs = options.exemplarWindowMs;
    this.#pool = new BatchPool(kernel, options.batchSamples);
    this.#mapper = new ChunkMapper({ head: this.#head, clock: parts.clock, logger: parts.logger });
    this.#outOfOrderLog = new OutOfOrderLog({
      ...parts,
      directory: this.#outOfOrderDirectory,
      compression: options.walCompression,
      segmentBytes: options.walSegmentBytes,
      syncIntervalMs: options.walSyncIntervalMs,
    });
    this.#outOfOrder = new OutOfOrderAppender({
      head: this.#head,
      log: this.#outOfOrderLog,
      pool: this.#pool,
      clock: parts.clock,
      onDelta: outOfOrderDelta(registry),
    });
    this.#outOfOrder.windowMs = options.outOfOrderWindowMs;
    publishDataDirectory(kernel, directory);
    this.queryable = this.#stored = createQueryable({
      kernel,
      disk,
      onLeftOut: ({ message }) => parts.logger.error("left out of a query", { err: message }),
    });
    registerBlockMetrics(registry, {
      kernel,
      count: () => this.blocks().length,
      sizeBytes: () => this.blocks().reduce((bytes, meta) => bytes + this.#blockBytes(meta), 0),
      reloads: () => this.#stored.reloads(),
      setAside: () => blocksSetAside.length,
    });
    registerTsdbMetrics(registry, {
      head: this.#head,
      wal: () => this.#wal,
      appends: this.#appends,
      exemplars: this.#exemplars,
      counters: this.#counters,
      retention: this.#retention,
      staleSeries: this.#staleSeries,
      walBytes: () => directoryBytes(disk, this.#walDirectory),
      mapper: this.#mapper,
      headChunkBytes: () => this.#headChunks?.sizeBytes ?? 0,
      activeAppenders: () => this.#pool.lent,
    });
    this.#durations = new TsdbDurations(registry, parts.clock);
    this.ready = this.#start();
    // Who awaits `ready` hears of the failure; nobody has to.
    this.ready.catch(() => {});
  }

  /**
   * Whether there are appenders: mostly from the start, else from `ready` on. What is committed before `ready` is acknowledged and safe, and
   * can be queried from `ready` on; whether it comes too late for its series shows only then.
   */
  get isAppendable(): boolean {
    return this.#context !== undefined && !this.#isClosed;
  }

  /** An appender for one scrape or request. Throws `unavailable` unless `isAppendable`. */
  appender(): Appender {
    if (this.#isClosed) throw new NarthexError("unavailable", "storage is closed");
    if (this.#context === undefined)
      throw new NarthexError("unavailable", "storage is not ready: WAL is being replayed");
    this.#counters.appendersCreated++;
    return new HeadAppender(this.#context);
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
    return this.#maintenance;
  }

  /** Share of stale series, from 0 to 1, from which on they leave the head for blocks of their own; 0 leaves them. */
  setStaleSeriesThreshold(threshold: number): void {
    this.#staleSeries.threshold = threshold;
  }

  /** How much older than the newest of all samples one may be that comes out of order; 0 refuses those. What came so far stays. */
  setOutOfOrderWindow(windowMs: number): void {
    this.#outOfOrder.windowMs = windowMs;
  }

  /** What is kept from now on; what is beyond is deleted within a minute. */
  setRetention(retention: Retention): void {
    this.#retention.retention = retention;
  }

  /** The `limit` largest of each kind. */
  stats(limit = 10): HeadStats & { chunkCount: number } {
    return { ...headStats(this.#parts.kernel, limit), chunkCount: this.#parts.kernel.series.chunkCount };
  }

  /** Segments of the WAL that are being replayed; undefined before and after. */
  get replayProgress(): ReplayProgress | undefined {
    return this.#replayProgress;
  }

  /** What the replay found, once `ready`. */
  get replayResult(): ReplayResult | undefined {
    return this.#replayResult;
  }

  /**
   * Drops whole chunks that end before `minTimeMs`, series that have none left, and the part of the WAL that is no longer needed.
   * Rejects when that fails; then less was dropped.
   */
  truncate(minTimeMs: number): Promise<void> {
    return this.#inTurn(() => this.#truncate(minTimeMs));
  }

  /**
   * Marks samples as deleted: no query sees them any more. Compaction leaves them out, and `cleanTombstones` frees their space in blocks. Rejects with
   * `unavailable` when the WAL cannot be written, then nothing is deleted; with what is wrong when a block cannot be read or written, then other blocks may be done.
   */
  deleteSeries(deletion: SeriesDeletion): Promise<void> {
    return this.#inTurn(() => deleteSeries(this.#head, this.#log!, this.#blockKeeper(), deletion));
  }

  /** Rewrites the blocks without what was deleted. Rejects with `internal` when that fails for one; then that one is as it was. */
  cleanTombstones(): Promise<void> {
    return this.#inTurn(async () => {
      const keeper = this.#blockKeeper();
      const { tombstoneCleanup } = this.#durations;
      const { compactions, failures } = await this.#durations.writing(tombstoneCleanup, () =>
        keeper.cleanTombstones(),
      );
      this.#counters.compactions += compactions;
      this.#counters.compactionsFailed += failures;
      if (failures > 0)
        throw new NarthexError("internal", `${failures} blocks cannot be rewritten, the log says why`);
    });
  }

  /** Makes a snapshot of blocks and, if asked to, head, and resolves to its name in `snapshots/`. Rejects when that fails; then there is none. */
  async snapshot({ withHead }: { withHead: boolean }): Promise<string> {
    const name = snapshotName(this.#parts.clock.nowMs());
    await this.#inTurn(async () => {
      const { minTimeMs, maxTimeMs } = this.#head;
      const hasHead = withHead && minTimeMs <= maxTimeMs;
      await this.#blockKeeper().snapshot(name, hasHead ? [minTimeMs, maxTimeMs + 1] : undefined);
    });
    return name;
  }

  /** Ends the WAL cleanly and releases the directory; a replay that still goes on is cut short. Appenders must not be used any more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reclaimTimer?.cancel();
    this.#maintenanceTimer?.cancel();
    await this.ready.catch(() => {});
    await this.#parts.keeper?.close();
    await this.#maintenance;
    await this.#log?.close();
    await this.#outOfOrderLog.close();
    this.#mapper.close();
    await this.#headChunks?.close();
    const segment = this.#wal?.segment;
    if (segment !== undefined) this.#reserve(() => this.#reservation.settle(this.#head.nextRef, segment));
    this.#pool.close();
    this.#stored.close();
    this.#lock.release();
  }

  /** Runs after what the head's and the blocks' maintenance is at, and before what it does next. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#maintenance.then(() => {
      if (this.#isClosed) throw new NarthexError("unavailable", "storage is closed");
      return work();
    });
    this.#maintenance = next.catch(() => {});
    return next;
  }

  /** Who changes blocks, once the head has all that is in the WAL. */
  #blockKeeper(): BlockKeeper {
    const { keeper } = this.#parts;
    if (keeper === undefined) throw new NarthexError("unavailable", "blocks are not maintained here");
    if (this.#context === undefined || this.#context.isReplaying)
      throw new NarthexError("unavailable", "storage is not ready: WAL is being replayed");
    return keeper;
  }

  /** Clears away what is damaged or half made; gives the directory back when that fails. */
  #recoverBlocks(): { blocks: BlockMeta[]; setAside: string[] } {
    const { kernel, disk, clock, directory, logger } = this.#parts;
    const context = { kernel, disk, cache: new BlockCache() };
    const onChange = (): void => blocksChanged(kernel);
    try {
      return recoverBlocks({ context, clock, logger, dataDirectory: directory, onChange });
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Sets new refs beyond all in the log, if a bound on those is known. */
  #reserveRefs(): boolean {
    const { disk } = this.#parts;
    const last = listSegments(disk, this.#walDirectory).at(-1)?.index;
    const isNew = last === undefined && listCheckpoints(disk, this.#walDirectory).length === 0;
    const reserved = isNew ? 1 : last === undefined ? undefined : this.#reservation.load(last);
    // Too few would be left: then the replay numbers series afresh.
    if (reserved === undefined || reserved > keptRefMax) return false;
    this.#head.skipRef(reserved - 1);
    return true;
  }

  /** Opens a new segment; from here on there are appenders. */
  #openLog(isReplaying: boolean): void {
    const { kernel, disk, clock, logger } = this.#parts;
    const { chunkRangeMs, samplesPerChunk, futureMaxMs, walCompression, walSegmentBytes, walSyncIntervalMs } =
      this.#options;
    this.#wal = new WalWriter({
      directory: this.#walDirectory,
      kernel,
      disk,
      clock,
      logger,
      compression: walCompression,
      segmentBytes: walSegmentBytes,
      syncIntervalMs: walSyncIntervalMs,
      onSegment: (segment) => this.#reserve(() => this.#reservation.cover(this.#head.nextRef, segment)),
    });
    this.#log = new WalLog(kernel, this.#wal, this.#reservation);
    this.#context = {
      head: this.#head,
      log: this.#log,
      pool: this.#pool,
      mapper: this.#mapper,
      clock,
      counters: this.#appends,
      exemplars: this.#exemplars,
      outOfOrder: this.#outOfOrder,
      keepsMetadata: this.#options.keepsMetadata,
      zeroesStarts: this.#options.zeroesStarts,
      chunkRangeMs,
      samplesPerChunk,
      futureMaxMs,
      isReplaying,
      minValidTimeMs: this.#options.minValidTimeMs,
    };
  }

  /** A reservation that fails here costs the next start its early appends; commits make sure of theirs. */
  #reserve(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#parts.logger.warn("reservation of series refs cannot be written", { err: errorMessage(error) });
    }
  }

  /** What comes before the first `await` happens before `openTsdb` returns. */
  async #start(): Promise<void> {
    const { disk, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    removeCovered(disk, this.#walDirectory);
    if (this.#reserveRefs()) this.#openLog(true);
    const replayed = await this.#restore().catch((error: unknown) => {
      this.#context = undefined;
      throw error;
    });
    if (this.#context === undefined && !this.#isClosed) this.#openLog(false);
    this.#report(replayed, (clock.monotonicMs() - startMs) / 1000);
    this.#armReclaim();
    this.#armMaintenance();
  }

  /** Fills the head from the files of its chunks and the WAL. */
  async #restore(): Promise<ReplayResult> {
    const headChunks = await this.#loadHeadChunks();
    try {
      // Refs stay what they are when commits go to the log already.
      if (this.#wal !== undefined) this.#beginMapping(headChunks.files);
      const replayed = await this.#replay(headChunks);
      if (replayed.isRenumbered) return await this.#renumber(headChunks, replayed);
      await this.#replayOutOfOrder(replayed);
      this.#beginMapping(headChunks.files);
      return replayed;
    } finally {
      headChunks.close();
    }
  }

  async #loadHeadChunks(): Promise<LoadedHeadChunks> {
    const { kernel, disk, directory, logger } = this.#parts;
    const headChunks = await loadHeadChunks({
      kernel,
      disk,
      logger,
      directory: headChunksDirectory(directory),
      setAsideDirectory: this.#setAsideDirectory,
      minValidTimeMs: this.#options.minValidTimeMs,
      isCancelled: () => this.#isClosed,
    });
    this.#counters.headChunkCorruptions = headChunks.corruptions;
    // A new series with such a number would be given those chunks at the next start.
    this.#head.skipRef(Math.min(headChunks.refMax, keptRefMax));
    return headChunks;
  }

  /** From now on chunks that are full leave the memory. */
  #beginMapping(files: readonly WrittenFile[]): void {
    if (this.#headChunks !== undefined) return;
    const { kernel, disk, directory, logger } = this.#parts;
    this.#headChunks = new HeadChunkWriter({
      disk,
      logger,
      directory: headChunksDirectory(directory),
      files,
      onRemoved: (first) => headChunksRemoved(kernel, first),
    });
    this.#mapper.begin(this.#headChunks);
  }

  #replay(headChunks?: LoadedHeadChunks): Promise<ReplayResult> {
    const { chunkRangeMs, samplesPerChunk, minValidTimeMs } = this.#options;
    const { disk, logger } = this.#parts;
    return replayWal({
      head: this.#head,
      disk,
      logger,
      directory: this.#walDirectory,
      exemplars: this.#exemplars,
      keepsMetadata: this.#options.keepsMetadata,
      chunkRangeMs,
      samplesPerChunk,
      minValidTimeMs,
      headChunks,
      writer: this.#wal,
      isCancelled: () => this.#isClosed,
      onSlice: async (progress) => {
        this.#replayProgress = progress;
        this.#mapper.run();
        const minTimeMs = this.#relievingTimeMs(this.#head.maxTimeMs);
        if (minTimeMs !== undefined)
          this.#counters.chunksRemoved += await truncateChunks(this.#head, minTimeMs);
      },
      onCaughtUp: () => {
        if (this.#context) this.#context.isReplaying = false;
      },
    });
  }

  #report(replayed: ReplayResult, seconds: number): void {
    const { logger } = this.#parts;
    const counters = this.#counters;
    this.#replayProgress = undefined;
    this.#replayResult = replayed;
    counters.walCorruptions = replayed.damages.length + replayed.tornTails.length;
    counters.tornTails = replayed.tornTails.length;
    counters.unknownRefs = replayed.unknownRefs;
    counters.replaySeconds = seconds;
    logger.info("WAL replayed", {
      series: replayed.series,
      samples: replayed.samples,
      damaged: replayed.damages.length,
      duration: `${seconds.toFixed(3)}s`,
    });
    for (const [type, count] of replayed.skippedRecords)
      logger.warn("WAL records of a kind that is not read were left out", { type, count });
  }

  /**
   * The head's refs are not the log's: puts the log, and with it all that names series by ref, on the head's. Files of head chunks go out of the way; what the head has
   * from them, it takes from the log instead.
   */
  async #renumber(headChunks: LoadedHeadChunks, replayed: ReplayResult): Promise<ReplayResult> {
    const { disk, directory, logger } = this.#parts;
    logger.info("series are numbered afresh, the WAL is rewritten");
    const chunks = headChunksDirectory(directory);
    if (disk.stat(chunks) !== undefined) setAside(disk, chunks, this.#setAsideDirectory);
    let result = replayed;
    if (headChunks.chunks > 0) {
      await clearHead(this.#head);
      result = await this.#replay();
    }
    await this.#replayOutOfOrder(result);
    // Out of the way while the refs of the two logs do not go together.
    if (disk.stat(this.#outOfOrderDirectory) !== undefined)
      setAside(disk, this.#outOfOrderDirectory, this.#setAsideDirectory);
    await rewriteWal(this.#checkpointOptions(Number.MIN_SAFE_INTEGER), this.#exemplars);
    this.#outOfOrderLog.writeAll(this.#head.outOfOrder);
    this.#beginMapping([]);
    return result;
  }

  /** Adds what the write-behind log has to what the replay of the WAL found. */
  async #replayOutOfOrder(replayed: ReplayResult): Promise<void> {
    const { disk, logger } = this.#parts;
    const found = await replayOutOfOrder({
      head: this.#head,
      disk,
      logger,
      directory: this.#outOfOrderDirectory,
      endSegment: () => this.#outOfOrderLog.firstSegment,
      refs: replayed.refs,
    });
    // Chunks that we write would be taken for those that the markers mean.
    if (found.hasMarkers) this.#outOfOrderLog.rewrite(this.#head.outOfOrder);
    replayed.samples += found.samples;
    replayed.unknownRefs.samples += found.unknownSeriesSamples;
    replayed.damages.push(...found.damages);
    for (const [type, count] of found.skippedRecords)
      replayed.skippedRecords.set(type, (replayed.skippedRecords.get(type) ?? 0) + count);
  }

  get #outOfOrderDirectory(): string {
    return `${this.#parts.directory}/wbl`;
  }

  #armReclaim(): void {
    if (this.#isClosed) return;
    this.#reclaimTimer = this.#parts.clock.after(reclaimIntervalMs, () => {
      this.#parts.kernel.arena.reclaim();
      this.#mapper.run();
      this.#armReclaim();
    });
  }

  #armMaintenance(): void {
    if (this.#isClosed) return;
    this.#maintenanceTimer = this.#parts.clock.after(maintenanceIntervalMs, () => {
      this.#maintenance = this.#maintenance
        .then(() => this.#maintain())
        .catch((error: unknown) =>
          this.#parts.logger.error("head truncation failed", { err: errorMessage(error) }),
        )
        .then(() => this.#armMaintenance());
    });
  }

  /** Keeps the head within its retention, and within its memory while no blocks are written from it. */
  async #maintain(): Promise<void> {
    const { keeper } = this.#parts;
    const isKept = keeper !== undefined && (await this.#tryToKeepBlocks(keeper));
    const nowMs = this.#parts.clock.nowMs();
    const retentionMs = this.#retention.retention.timeMs || Infinity;
    const retainedMs = this.#rangeStart(nowMs - retentionMs);
    if (this.#rangeStart(this.#head.minTimeMs) < retainedMs) await this.#truncate(retainedMs);
    // What was moved to blocks may not be free yet; more must not be dropped for that.
    const relievingMs = isKept ? undefined : this.#relievingTimeMs(nowMs);
    if (relievingMs !== undefined) await this.#truncate(relievingMs);
  }

  /** Whether all went well. */
  async #tryToKeepBlocks(keeper: BlockKeeper): Promise<boolean> {
    try {
      await this.#keepBlocks(keeper);
      return true;
    } catch (error) {
      if (!this.#isClosed) {
        this.#counters.compactionsFailed++;
        const err = errorMessage(error);
        this.#parts.logger.error("head cannot be compacted, it is tried again in a minute", { err });
      }
      return false;
    }
  }

  /** Moves what is old from the head to blocks, and keeps those compact and within the retention. */
  async #keepBlocks(keeper: BlockKeeper): Promise<void> {
    const { kernel, clock } = this.#parts;
    const { chunkRangeMs, memoryPressureRatio } = this.#options;
    const counters = this.#counters;
    const refuseBefore = (timeMs: number): void => {
      const context = this.#context;
      if (context) context.minValidTimeMs = Math.max(context.minValidTimeMs, timeMs);
    };
    const isUrgent = (): boolean => memoryFill(kernel) > memoryPressureRatio;
    const truncate = (timeMs: number): Promise<void> => this.#truncate(timeMs);
    const head = this.#head;
    counters.compactionsTriggered++;
    const writing = <T>(work: () => Promise<T>): Promise<T> =>
      this.#durations.writing(this.#durations.compaction, work);
    const blocks = await compactHead({
      kernel,
      clock,
      keeper: { cut: (minTime, maxTime) => writing(() => keeper.cut(minTime, maxTime)) },
      head,
      chunkRangeMs,
      refuseBefore,
      truncate,
      isUrgent,
    });
    counters.compactions += blocks;
    if (blocks > 0 || isUrgent()) {
      counters.compactions += await compactOutOfOrder({
        kernel,
        clock,
        keeper: { cut: (...given) => writing(() => keeper.cut(...given)) },
        head: head.outOfOrder,
        log: this.#outOfOrderLog,
        chunkRangeMs,
      });
    }
    await this.#staleSeries.run(keeper, blocks > 0);
    const { timeMs } = this.#retention.retention;
    const ranges = compactionRanges(chunkRangeMs, blockRangeMaxDefault(timeMs, chunkRangeMs));
    // The thread is woken only when there is something to do.
    if (planCompaction(this.blocks(), ranges).length > 0) {
      const result = await writing(() => keeper.compact(ranges));
      counters.compactions += result.compactions;
      counters.verticalCompactions += result.vertical;
      counters.compactionsFailed += result.failures;
    }
    await this.#retention.apply(keeper, this.blocks());
  }

  #blockBytes({ ulid }: BlockMeta): number {
    return blockSizeBytes(this.#parts.disk, `${this.#parts.directory}/${ulid}`);
  }

  /** When the shared memory is nearly full: the time before which a chunk range of samples can go. `nowMs` is in a range that stays. */
  #relievingTimeMs(nowMs: number): number | undefined {
    const fill = memoryFill(this.#parts.kernel);
    const nextRangeMs = this.#rangeStart(this.#head.minTimeMs) + this.#options.chunkRangeMs;
    if (fill <= this.#options.memoryPressureRatio || !(nextRangeMs <= this.#rangeStart(nowMs)))
      return undefined;
    this.#counters.pressureTruncations++;
    this.#parts.logger.warn("shared memory is nearly full, the oldest samples are dropped", {
      fill: fill.toFixed(2),
      before: new Date(nextRangeMs).toISOString(),
    });
    return nextRangeMs;
  }

  #rangeStart(timeMs: number): number {
    return Math.floor(timeMs / this.#options.chunkRangeMs) * this.#options.chunkRangeMs;
  }

  async #truncate(minTimeMs: number): Promise<void> {
    const context = this.#context;
    if (context === undefined || context.isReplaying)
      throw new NarthexError("unavailable", "storage is not ready");
    context.minValidTimeMs = Math.max(context.minValidTimeMs, minTimeMs);
    this.#counters.truncations++;
    try {
      const { chunksRemoved } = await this.#durations.measure(this.#durations.headGc, () =>
        truncateHead(this.#head, minTimeMs),
      );
      this.#counters.chunksRemoved += chunksRemoved;
    } catch (error) {
      this.#counters.truncationsFailed++;
      throw error;
    }
    void this.#removeHeadChunks(minTimeMs);
    await this.#durations.measure(this.#durations.walTruncation, () => this.#truncateWal(minTimeMs));
  }

  /** Removes files whose chunks are all out of the head, as soon as no query can have one of them any more. */
  async #removeHeadChunks(minTimeMs: number): Promise<void> {
    const { kernel, clock, logger } = this.#parts;
    const writer = this.#headChunks!;
    try {
      writer.finishFile();
      if (!writer.hasBefore(minTimeMs)) return;
      await earlierQueriesEnded(kernel, clock);
      if (!this.#isClosed) writer.removeBefore(minTimeMs);
    } catch (error) {
      logger.warn("old head chunks cannot be removed", { err: errorMessage(error) });
    }
  }

  async #truncateWal(minTimeMs: number): Promise<void> {
    const wal = this.#wal!;
    this.#counters.walTruncations++;
    this.#counters.checkpointsCreated++;
    try {
      // What is in the present segment can go with the next truncation only if it is not the present one then.
      if (wal.segmentSizeBytes > 0) wal.nextSegment();
      this.#counters.checkpointsDeleted += await truncateWal(this.#checkpointOptions(minTimeMs), wal);
    } catch (error) {
      this.#counters.walTruncationsFailed++;
      this.#counters.checkpointsFailed++;
      throw error;
    }
  }

  #checkpointOptions(minTimeMs: number): CheckpointOptions {
    const { disk, clock, logger } = this.#parts;
    return {
      head: this.#head,
      disk,
      clock,
      logger,
      directory: this.#walDirectory,
      setAsideDirectory: this.#setAsideDirectory,
      compression: this.#options.walCompression,
      minTimeMs,
    };
  }

  get #setAsideDirectory(): string {
    return `${this.#parts.directory}/set-aside`;
  }
}
