import type { Clock, Disk, Logger } from "../base/index.ts";
import type { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import type { HeadAppendable } from "./head/appendable.ts";
import type { Head } from "./head/head.ts";
import { clearHead } from "./head/truncate.ts";
import type { HeadChunks, LoadedHeadChunks } from "./head-chunks/index.ts";
import type { HeadTruncation } from "./maintenance/head-truncation.ts";
import type { MemoryPressure } from "./maintenance/memory-pressure.ts";
import { type OutOfOrderLog, replayOutOfOrder } from "./out-of-order/index.ts";
import type { ReplayResult } from "./wal/record-replay.ts";
import { keptRefMax } from "./wal/ref-numbering.ts";
import { type ReplayProgress, replayWal } from "./wal/replay.ts";
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
  readonly outOfOrderLog: OutOfOrderLog;
  readonly truncation: HeadTruncation;
  readonly pressure: MemoryPressure;
  readonly keepsMetadata: boolean;
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** Samples before are left out. */
  readonly minValidTimeMs: number;
}

/** Fills an empty head with what the files of its chunks, the WAL and the write-behind log have, and opens the WAL for appenders. Once per storage. */
export class HeadRestore {
  /** How long it took, once it is over. */
  seconds = 0;
  readonly #parts: HeadRestoreParts;
  #progress: ReplayProgress | undefined;
  #result: ReplayResult | undefined;
  #isCancelled = false;

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

  /**
   * Restores the head. There are appenders mostly from the start, that is before this returns, else from the end on. Rejects with the disk's errors, with `unavailable` when
   * the memory is full, and with `canceled`; then there are none.
   */
  async run(): Promise<void> {
    const { clock, wal, appendable } = this.#parts;
    const startMs = clock.monotonicMs();
    if (wal.recover()) appendable.open(wal.log, true);
    let result: ReplayResult;
    try {
      result = await this.#fill();
    } catch (error) {
      appendable.abandon();
      throw error;
    }
    if (wal.writer === undefined && !this.#isCancelled) {
      wal.open();
      appendable.open(wal.log, false);
    }
    this.seconds = (clock.monotonicMs() - startMs) / 1000;
    this.#progress = undefined;
    this.#result = result;
    this.#report(result);
  }

  /** Cuts the replay short. */
  cancel(): void {
    this.#isCancelled = true;
  }

  async #fill(): Promise<ReplayResult> {
    const { head, headChunks, wal, outOfOrderLog, minValidTimeMs } = this.#parts;
    const loaded = await headChunks.load({ minValidTimeMs, isCancelled: () => this.#isCancelled });
    try {
      // A new series with such a number would be given those chunks at the next start.
      head.skipRef(Math.min(loaded.refMax, keptRefMax));
      // Refs stay what they are when commits go to the log already.
      if (wal.writer !== undefined) headChunks.beginMapping(loaded.files);
      const replayed = await this.#replay(loaded);
      if (replayed.isRenumbered) return await this.#renumber(loaded, replayed);
      // Chunks that we write would be taken for those that the markers mean.
      if (await this.#replayOutOfOrder(replayed)) outOfOrderLog.rewrite(head.outOfOrder);
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
    outOfOrderLog.writeAll(head.outOfOrder);
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

  /** Adds what the write-behind log has to what the replay of the WAL found. Returns whether that log has markers. */
  async #replayOutOfOrder(replayed: ReplayResult): Promise<boolean> {
    const { disk, logger, head, outOfOrderLog } = this.#parts;
    const found = await replayOutOfOrder({
      head,
      disk,
      logger,
      directory: outOfOrderLog.directory,
      endSegment: () => outOfOrderLog.firstSegment,
      refs: replayed.refs,
    });
    replayed.samples += found.samples;
    replayed.unknownRefs.samples += found.unknownSeriesSamples;
    replayed.damages.push(...found.damages);
    for (const [type, count] of found.skippedRecords)
      replayed.skippedRecords.set(type, (replayed.skippedRecords.get(type) ?? 0) + count);
    return found.hasMarkers;
  }

  #report({ series, samples, damages, skippedRecords }: ReplayResult): void {
    const { logger } = this.#parts;
    logger.info("WAL replayed", {
      series,
      samples,
      damaged: damages.length,
      duration: `${this.seconds.toFixed(3)}s`,
    });
    for (const [type, count] of skippedRecords)
      logger.warn("WAL records of a kind that is not read were left out", { type, count });
  }
}
