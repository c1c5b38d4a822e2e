import { type Clock, type Disk, type Logger, systemDisk } from "../base/index.ts";
import { BlockNotices } from "./block/damage.ts";
import type { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import type { HeadAppendable } from "./head/appendable.ts";
import type { Head } from "./head/head.ts";
import { clearHead } from "./head/truncate.ts";
import {
  type HeadChunks,
  HeadChunkFiles,
  HeadChunkReader,
  type LoadedHeadChunks,
} from "./head-chunks/index.ts";
import type { HeadTruncation } from "./maintenance/head-truncation.ts";
import type { MemoryPressure } from "./maintenance/memory-pressure.ts";
import {
  type OutOfOrderAppender,
  type OutOfOrderLog,
  type OutOfOrderReplayResult,
  replayOutOfOrder,
  rewriteOutOfOrderLog,
  runDataOf,
  writeOutOfOrderLog,
} from "./out-of-order/index.ts";
import type { ReplayResult } from "./wal/record-replay.ts";
import { createLoggedSeries, createSeriesAhead, type LoggedSeries } from "./wal/logged-series.ts";
import { SegmentReadAhead } from "./wal/read-ahead.ts";
import { keptRefMax } from "./wal/ref-numbering.ts";
import { type ReplayProgress, replayWal } from "./wal/replay.ts";
import { finishedSegments } from "./wal/segment.ts";
import type { Wal } from "./wal/wal.ts";

export interface HeadRestoreParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly head: Head;
  readonly appendable: HeadAppendable;
  readonly exemplars: ExemplarStorage;
  readonly headChunks: HeadChunks;
  readonly wal: Wal;
  readonly outOfOrder: OutOfOrderAppender;
  readonly outOfOrderLog: OutOfOrderLog;
  readonly truncation: HeadTruncation;
  readonly pressure: MemoryPressure;
  readonly keepsMetadata: boolean;
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** Samples before are left out. */
  readonly minValidTimeMs: number;
  /** From so many bytes on, the WAL is read by a thread of its own. */
  readonly readAheadBytesMin: number;
}

/** Fills an empty head with what the files of its chunks, the WAL and the write-behind log have, and opens the WAL for appenders. Once per storage. */
export class HeadRestore {
  /** How long it took, once it is over. */
  seconds = 0;
  readonly #parts: HeadRestoreParts;
  #progress: ReplayProgress | undefined;
  #result: ReplayResult | undefined;
  #outOfOrderResult: OutOfOrderReplayResult | undefined;
  #isCancelled = false;
  /** Once they are known: before there are appenders, where these come before the replay. */
  #logged: LoggedSeries | undefined;
  /** The thread that reads the WAL, if it is long, from before its replay on. */
  #ahead: SegmentReadAhead | undefined;

  constructor(parts: HeadRestoreParts) {
    this.#parts = parts;
  }

  /** Segments of the WAL that are being replayed; undefined before and after. */
  get progress(): ReplayProgress | undefined {
    return this.#progress;
  }

  /** What was found, once it is over. */
  get result(): ReplayResult | undefined {
    return this.#result;
  }

  /** What was found in the write-behind log, once that is read. */
  get outOfOrderResult(): OutOfOrderReplayResult | undefined {
    return this.#outOfOrderResult;
  }

  /**
   * Restores the head. There are appenders mostly from the start, that is before this returns, or with a long log as soon as its series are known, else from the end on. Rejects
   * with the disk's errors, with `unavailable` when the memory is full, and with `canceled`; then there are none.
   */
  async run(): Promise<void> {
    const { clock, wal, appendable } = this.#parts;
    const startMs = clock.monotonicMs();
    let result: ReplayResult;
    try {
      if (wal.recover()) {
        const creating = this.#createLoggedSeries();
        if (creating !== undefined) await creating;
        appendable.open(wal.log, true);
      }
      result = await this.#fill();
    } catch (error) {
      appendable.abandon();
      throw error;
    } finally {
      await this.#ahead?.close();
    }
    if (wal.writer === undefined && !this.#isCancelled) {
      wal.open();
      appendable.open(wal.log, false);
    }
    this.seconds = (clock.monotonicMs() - startMs) / 1000;
    this.#progress = undefined;
    this.#result = result;
    this.#report(result, this.#outOfOrderResult!);
  }

  /** Cuts the replay short. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /** At once when the log is short; else another thread begins to read it. */
  #createLoggedSeries(): Promise<void> | undefined {
    const { disk, head, wal, readAheadBytesMin } = this.#parts;
    const before = wal.writer?.firstSegment ?? Infinity;
    const { checkpointed, finished } = finishedSegments(disk, wal.directory, before);
    const segments = [...checkpointed, ...finished];
    const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (disk === systemDisk && segments.length > 0 && bytes >= readAheadBytesMin)
      return this.#createSeriesAhead((this.#ahead = new SegmentReadAhead(head.kernel, segments, true)));
    this.#logged = createLoggedSeries(head, disk, segments);
    return undefined;
  }

  async #createSeriesAhead(ahead: SegmentReadAhead): Promise<void> {
    this.#logged = await createSeriesAhead(this.#parts.head, ahead, () => this.#isCancelled);
  }

  async #fill(): Promise<ReplayResult> {
    const { head, headChunks, wal, minValidTimeMs } = this.#parts;
    const loaded = await headChunks.load({
      minValidTimeMs,
      hasSeries: this.#logged?.isSettled === true,
      isCancelled: () => this.#isCancelled,
    });
    try {
      // A new series with such a number would be given those chunks at the next start.
      head.skipRef(Math.min(loaded.refMax, keptRefMax));
      // Refs stay what they are when commits go to the log already.
      if (wal.writer !== undefined) headChunks.beginMapping(loaded.files);
      const replayed = await this.#replay(loaded);
      if (replayed.isRenumbered) return await this.#renumber(loaded, replayed);
      const { hasLostChunks } = await this.#replayOutOfOrder(replayed, loaded);
      // Chunks that are written from now on could be taken for those that the markers mean.
      if (hasLostChunks) this.#writeOutOfOrderLog(rewriteOutOfOrderLog);
      headChunks.beginMapping(loaded.files);
      return replayed;
    } finally {
      loaded.close();
    }
  }

  /**
   * The head's refs are not the log's: puts the log, and with it all that names series by ref, on the head's. Files of head chunks go out of the way; what the head has
   * from them, it takes from the log instead.
   */
  async #renumber(loaded: LoadedHeadChunks, replayed: ReplayResult): Promise<ReplayResult> {
    const { logger, head, exemplars, headChunks, wal, outOfOrderLog } = this.#parts;
    logger.info("series are numbered afresh, the WAL is rewritten");
    headChunks.setAside();
    let result = replayed;
    if (loaded.chunks > 0) {
      await clearHead(head);
      result = await this.#replay();
    }
    await this.#replayOutOfOrder(result);
    // Out of the way while the refs of the two logs do not go together.
    outOfOrderLog.setAside();
    await wal.rewrite(exemplars);
    this.#writeOutOfOrderLog(writeOutOfOrderLog);
    headChunks.beginMapping([]);
    return result;
  }

  #replay(loaded?: LoadedHeadChunks): Promise<ReplayResult> {
    const { disk, logger, head, appendable, exemplars, headChunks, wal, truncation, pressure } = this.#parts;
    const { keepsMetadata, chunkRangeMs, samplesPerChunk, minValidTimeMs } = this.#parts;
    return replayWal({
      disk,
      logger,
      directory: wal.directory,
      head,
      exemplars,
      keepsMetadata,
      chunkRangeMs,
      samplesPerChunk,
      minValidTimeMs,
      headChunks: loaded,
      logged: loaded && this.#logged,
      ahead: loaded && this.#ahead,
      readAheadBytesMin: this.#parts.readAheadBytesMin,
      writer: wal.writer,
      isCancelled: () => this.#isCancelled,
      onSlice: async (progress) => {
        this.#progress = progress;
        headChunks.mapper.run();
        const minTimeMs = pressure.relievingTimeMs(head.maxTimeMs);
        if (minTimeMs !== undefined) await truncation.dropChunks(minTimeMs);
      },
      onCaughtUp: () => appendable.caughtUp(),
    });
  }

  /** Adds what the write-behind log has to what the replay of the WAL found; samples out of order go into the head from then on. */
  async #replayOutOfOrder(
    replayed: ReplayResult,
    headChunks?: LoadedHeadChunks,
  ): Promise<OutOfOrderReplayResult> {
    const { disk, logger, head, outOfOrder, outOfOrderLog } = this.#parts;
    const found = await replayOutOfOrder({
      head,
      disk,
      logger,
      directory: outOfOrderLog.directory,
      writer: () => outOfOrderLog.writer,
      refs: replayed.refs,
      headChunks,
      onCaughtUp: () => outOfOrder.caughtUp(),
    });
    this.#outOfOrderResult = found;
    for (const [type, count] of found.skippedRecords)
      replayed.skippedRecords.set(type, (replayed.skippedRecords.get(type) ?? 0) + count);
    return found;
  }

  #writeOutOfOrderLog(write: typeof writeOutOfOrderLog): void {
    const { disk, head, outOfOrderLog } = this.#parts;
    const { kernel } = head;
    const files = new HeadChunkFiles(kernel, disk);
    const reader = new HeadChunkReader(kernel, files, new BlockNotices());
    try {
      const data = runDataOf(kernel.views, reader);
      write({ kernel, head: head.outOfOrder, log: outOfOrderLog, data });
    } finally {
      reader.close();
      files.close();
    }
  }

  #report({ series, samples, damages, skippedRecords }: ReplayResult, late: OutOfOrderReplayResult): void {
    const { logger } = this.#parts;
    logger.info("WAL replayed", {
      series,
      samples: samples + late.samples,
      damaged: damages.length + late.damages.length,
      duration: `${this.seconds.toFixed(3)}s`,
    });
    for (const [type, count] of skippedRecords)
      logger.warn("WAL records of a kind that is not read were left out", { type, count });
  }
}
