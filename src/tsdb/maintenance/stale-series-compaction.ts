import type { Clock, Logger } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { Head } from "../head/head.ts";
import { dropStaleSeries, findStaleSeries, type StaleSeries, stillStale } from "../head/stale-series.ts";
import { truncateHead } from "../head/truncate.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import { droppedInterval } from "../wal/tombstone-record.ts";
import type { Wal } from "../wal/wal.ts";
import type { BlockKeeper } from "../block/keeper.ts";

/** When the head is cut within this time anyway, stale series wait for that. */
const soonMs = 600_000;
const staleHints = ["from-stale-series"];

export interface StaleSeriesParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly head: Head;
  readonly wal: Wal;
  readonly chunkRangeMs: number;
}

/** Moves series that have ended from the head to blocks of their own before their time, when they are too large a share of all. */
export class StaleSeriesCompaction {
  /** Share of the head's series, from 0 to 1, from which on stale ones are moved; 0 leaves them. */
  threshold = 0;
  /** Stale series in the head when they were last counted. */
  staleCount = 0;
  triggered = 0;
  failed = 0;
  /** Hears of each time that series were moved, and how many seconds it took. */
  onMoved: ((seconds: number) => void) | undefined;
  readonly #parts: StaleSeriesParts;
  #lastCutMs = -Infinity;

  constructor(parts: StaleSeriesParts) {
    this.#parts = parts;
  }

  /** Counts the stale series, and moves them if there are too many. `wasCut` says that the head was cut just now. Rejects with the disk's error; then nothing has left the head. */
  async run(keeper: BlockKeeper, wasCut: boolean): Promise<void> {
    const { head, clock, chunkRangeMs } = this.#parts;
    if (wasCut) this.#lastCutMs = clock.nowMs();
    const stale = await findStaleSeries(head);
    this.staleCount = stale.refs.length;
    const isSoon = clock.nowMs() + soonMs > this.#lastCutMs + chunkRangeMs && this.#lastCutMs > -Infinity;
    if (this.threshold === 0 || this.staleCount === 0 || isSoon) return;
    if (this.staleCount / head.seriesCount < this.threshold) return;
    this.triggered++;
    try {
      await this.#move(keeper, stale);
    } catch (error) {
      this.failed++;
      throw error;
    }
  }

  async #move(keeper: BlockKeeper, stale: StaleSeries): Promise<void> {
    const { kernel, clock, logger, head, wal, chunkRangeMs } = this.#parts;
    const startMs = clock.monotonicMs();
    const { maxTimeMs } = head;
    const firstMs = Math.floor(head.minTimeMs / chunkRangeMs) * chunkRangeMs;
    for (let fromMs = firstMs; fromMs <= maxTimeMs; fromMs += chunkRangeMs)
      await keeper.cut(fromMs, fromMs + chunkRangeMs, staleHints, stale.refs);
    await earlierQueriesEnded(kernel, clock);
    const moved = stillStale(head, stale);
    // So that a replay does not bring back what is in the blocks now.
    const stones = Array.from(moved.refs, (ref) => ({ ref, interval: droppedInterval }));
    wal.log.writeTombstones(head, stones);
    const series = await dropStaleSeries(head, moved);
    // At once: one that goes on does so under another number, since its samples may be older than those that its old one has in files.
    await truncateHead(head, Number.MIN_SAFE_INTEGER);
    this.staleCount -= series;
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    this.onMoved?.(seconds);
    logger.info("stale series moved to blocks", { series, duration: `${seconds.toFixed(3)}s` });
  }
}
