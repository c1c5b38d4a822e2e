import type { Kernel } from "../../kernel/index.ts";
import type { Matcher } from "../../model/index.ts";
import { type Breathe, slicer } from "../head/slicer.ts";
import { LabelIndexReader } from "../head/label-index.ts";
import type { Head } from "../head/head.ts";
import { newestSampleMs } from "../head/newest-sample.ts";
import { SeriesSelector } from "../head/select.ts";
import { SymbolReader } from "../head/symbols.ts";
import type { Stone } from "../head/tombstones.ts";
import { outOfOrderRuns } from "../out-of-order/chunks.ts";
import type { WalLog } from "../wal/log.ts";
import type { BlockKeeper } from "../block/keeper.ts";

/** What shall be deleted: of the series that one of the selectors matches, the samples from min to max, both included. */
export interface SeriesDeletion {
  /** Each a list of matchers that must all hold. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/** Long before any true time, and exact in the log. */
const timestampMsMin = -(2 ** 45);

/**
 * Marks samples of the head and of blocks as deleted. What is deleted of the head is in the WAL before any query misses it. Rejects with `unavailable` when the WAL cannot be
 * written, then nothing is deleted; with what is wrong when a block cannot be read or written, then other blocks may be done. Nothing may be
 * moved from the head to blocks meanwhile.
 */
export async function deleteSeries(
  head: Head,
  log: WalLog,
  keeper: BlockKeeper,
  deletion: SeriesDeletion,
): Promise<void> {
  const breathe = slicer();
  const stones = await findStones(head.kernel, deletion, breathe);
  if (stones.length > 0) log.writeTombstones(head, stones);
  for (const stone of stones) {
    head.tombstones.add(stone);
    const turn = breathe();
    if (turn) await turn;
  }
  const { selectors, minTimestampMs, maxTimestampMs } = deletion;
  for (const matchers of selectors) await keeper.deleteSeries(matchers, minTimestampMs, maxTimestampMs);
}

/** Of each matching series of the head the part of the time range until its newest sample: what comes in order later is not deleted. */
async function findStones(
  kernel: Kernel,
  { selectors, minTimestampMs, maxTimestampMs }: SeriesDeletion,
  breathe: Breathe,
): Promise<Stone[]> {
  const selector = new SeriesSelector(kernel, new LabelIndexReader(kernel), new SymbolReader(kernel));
  const refs = new Set(selectors.flatMap((matchers) => [...selector.select(matchers)]));
  const stones: Stone[] = [];
  for (const ref of refs) {
    const turn = breathe();
    if (turn) await turn;
    // Also of what is in blocks: it may still be in the WAL, and come back from there when nothing is left of those blocks.
    const interval = {
      minTimestampMs: Math.max(minTimestampMs, timestampMsMin),
      maxTimestampMs: Math.min(maxTimestampMs, newestTimeMs(kernel, ref)),
    };
    if (interval.minTimestampMs <= interval.maxTimestampMs) stones.push({ ref, interval });
  }
  return stones;
}

/** The time of the newest sample of a series; -Infinity when there is none. */
function newestTimeMs(kernel: Kernel, ref: number): number {
  const late = outOfOrderRuns(kernel.views, ref, -Infinity, Infinity);
  return Math.max(newestSampleMs(kernel, ref), ...late.map(({ maxTimestampMs }) => maxTimestampMs));
}
