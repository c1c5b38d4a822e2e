import { layout } from "../../kernel/index.ts";
import type { Head } from "./head.ts";
import { type Breathe, slicer } from "./slicer.ts";

const slot = layout.slot;
/** Slot flag: the series had no chunk at the last truncation. It is removed when that is still so at the next. */
const emptyFlag = 1;

export interface TruncateResult {
  chunksRemoved: number;
  seriesRemoved: number;
}

/**
 * Drops chunks that end before `minTimeMs`, then series that have been without chunks since the truncation before, so that a ref just handed
 * out stays good. Works in slices between which the writer appends and readers read; samples before `minTimeMs` must no
 * longer be accepted. What is dropped is reused once the readers that may see it have left. Throws `unavailable` when the memory
 * does not suffice to shrink an index; then some series stay until the next time.
 */
export async function truncateHead(head: Head, minTimeMs: number): Promise<TruncateResult> {
  const { u8 } = head.kernel.views;
  const breathe = slicer();
  const emptyRefs: number[] = [];
  const chunksRemoved = await truncateChunks(head, minTimeMs, breathe, (ref) => {
    const flags = head.kernel.series.slot(ref) + slot.flags;
    if (head.newestChunk(ref) !== 0 || head.outOfOrder.has(ref)) u8[flags]! &= ~emptyFlag;
    else if ((u8[flags]! & emptyFlag) === 0) u8[flags]! |= emptyFlag;
    else emptyRefs.push(ref);
  });
  const seriesRemoved = await removeSeries(head, emptyRefs, breathe);
  // What came out of order may be older, and is not dropped.
  const oldestMs = Math.min(minTimeMs, head.outOfOrder.minTimeMs());
  head.tombstones.truncate(oldestMs, (ref) => head.hasSeries(ref));
  head.kernel.arena.reclaim();
  return { chunksRemoved, seriesRemoved };
}

/** Drops everything. */
export async function clearHead(head: Head): Promise<void> {
  // The second time the series go, too.
  await truncateHead(head, Number.MAX_SAFE_INTEGER);
  await truncateHead(head, Number.MAX_SAFE_INTEGER);
}

/** Drops chunks that end before `minTimeMs` and no series; calls `visit` with each series afterwards. Returns how many chunks went. */
export async function truncateChunks(
  head: Head,
  minTimeMs: number,
  breathe = slicer(),
  visit: (ref: number) => void = () => {},
): Promise<number> {
  let removed = 0;
  let oldestMs = Infinity;
  head.beginRecount();
  for (const ref of head.labelIndex.all().slice()) {
    if (!head.hasSeries(ref)) continue;
    removed += truncateSeries(head, ref, minTimeMs);
    if (head.newestChunk(ref) !== 0) oldestMs = Math.min(oldestMs, head.chunkTimes(ref)[0]);
    visit(ref);
    const turn = breathe();
    if (turn) await turn;
  }
  // A chunk that begins before is in blocks as far as it does.
  head.endRecount(oldestMs === Infinity ? oldestMs : Math.max(oldestMs, minTimeMs));
  head.kernel.arena.reclaim();
  return removed;
}

function truncateSeries(head: Head, ref: number, minTimeMs: number): number {
  const { series } = head.kernel;
  if (head.newestChunk(ref) === 0) return 0;
  // A series that has ended keeps its last chunk open; closed, it can go.
  if (head.chunkTimes(ref)[1] < minTimeMs) series.closeChunk(ref);
  return series.truncate(ref, minTimeMs);
}

/** Removes those of the series that still have no chunk, from slots, posting lists and symbols. Returns how many. */
async function removeSeries(head: Head, refs: readonly number[], breathe: Breathe): Promise<number> {
  const { kernel, labelIndex, symbols } = head;
  const { u32 } = kernel.views;
  const dead = new Set<number>();
  const affected = new Map<number, Set<number>>();
  for (const ref of refs) {
    if (head.newestChunk(ref) !== 0 || head.outOfOrder.has(ref)) continue;
    const labels = kernel.series.labelsPtr(ref) >>> 2;
    for (let at = labels + 2, end = at + 2 * u32[labels + 1]!; at < end; at += 2) {
      let values = affected.get(u32[at]!);
      if (values === undefined) affected.set(u32[at]!, (values = new Set()));
      values.add(u32[at + 1]!);
    }
    head.remove(ref);
    dead.add(ref);
    await breathe();
  }
  const isDead = (ref: number): boolean => dead.has(ref);
  for (const [name, values] of affected) {
    for (const value of values) {
      labelIndex.removeFromPair(name, value, isDead);
      await breathe();
    }
  }
  if (dead.size > 0) labelIndex.removeFromAll(isDead);
  await symbols.sweep(breathe);
  head.releasePages();
  return dead.size;
}

/** Drops all samples in order of a series; false when there is no memory to close its newest chunk, which stays then. */
export function dropSamples(head: Head, ref: number): boolean {
  const { series } = head.kernel;
  series.closeChunk(ref);
  series.truncate(ref, Number.MAX_SAFE_INTEGER);
  return head.newestChunk(ref) === 0;
}

/** The next truncation removes the series if it is still without chunks then. */
export function markEmpty(head: Head, ref: number): void {
  head.kernel.views.u8[head.kernel.series.slot(ref) + slot.flags]! |= emptyFlag;
}
