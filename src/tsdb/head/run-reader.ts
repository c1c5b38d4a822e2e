import {
  type Kernel,
  layout,
  runSeries,
  seriesFileDamaged,
  seriesNotLoaded,
  type SeriesRun,
  type Snapshot,
} from "../../kernel/index.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";
import { stateOf } from "../out-of-order/chunks.ts";
import { deletedIntervals } from "./tombstones.ts";

/**
 * Reads series of the head from `first` of `refs` on together, as far as they have nothing but floats that came in order and of which nothing is deleted. Returns how
 * many; 0 when the first has to be read by itself.
 */
export function readHeadRun(
  kernel: Kernel,
  snapshot: Snapshot,
  chunks: HeadChunkReader,
  refs: Uint32Array,
  first: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dropStale: boolean,
  run: SeriesRun,
): number {
  const wanted = plainCount(kernel, refs.subarray(first, first + run.seriesMax));
  const { u32 } = kernel.views;
  for (let i = 0; i < wanted; i++) u32[(run.tablePtr + i * runSeries.bytes) >>> 2] = refs[first + i]!;
  const range = [minTimestampMs, maxTimestampMs] as const;
  for (;;) {
    const files = chunks.filesOfRun(refs, first, wanted);
    const count = kernel.decodeSeriesRun(run, wanted, ...range, dropStale, files);
    if (count === seriesNotLoaded) chunks.load(refs, first, ...range);
    else if (count === seriesFileDamaged)
      for (let i = 0; i < wanted; i++) chunks.noticeDamage(refs, first + i);
    else {
      if (!snapshot.isCurrent()) cutToSnapshot(kernel, snapshot, run, count);
      return count;
    }
  }
}

/** How many of the series, from the first on, have no samples out of order and no tombstones. */
function plainCount({ views }: Kernel, refs: Uint32Array): number {
  const { outOfOrder, tombstones } = layout.headWord;
  const roots = [outOfOrder, tombstones];
  if (roots.every((root) => Atomics.load(views.u32, root >>> 2) === 0)) return refs.length;
  const special = refs.findIndex(
    (ref) => stateOf(views, ref) !== 0 || deletedIntervals(views, ref) !== undefined,
  );
  return special === -1 ? refs.length : special;
}

/** Leaves out what was committed since the snapshot was taken. */
function cutToSnapshot(
  { views: { u32, f64 } }: Kernel,
  snapshot: Snapshot,
  { tablePtr, timestamps }: SeriesRun,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const entry = (tablePtr + i * runSeries.bytes) >>> 2;
    const untilMs = snapshot.untilMs(u32[entry + runSeries.ref / 4]!);
    if (untilMs === Infinity) continue;
    const from = timestamps / 8 + u32[entry + runSeries.first / 4]!;
    let visible = u32[entry + runSeries.samples / 4]!;
    while (visible > 0 && f64[from + visible - 1]! > untilMs) visible--;
    u32[entry + runSeries.samples / 4] = visible;
  }
}
