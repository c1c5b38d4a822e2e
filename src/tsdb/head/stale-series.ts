import { layout, staleMarkerBits } from "../../kernel/index.ts";
import type { Head } from "./head.ts";
import { slicer } from "./slicer.ts";
import { dropSamples, markEmpty } from "./truncate.ts";

const { slot } = layout;
const staleLow = Number(staleMarkerBits & 0xffff_ffffn);
const staleHigh = Number(staleMarkerBits >> 32n);

/** Series whose newest sample is a stale marker, by ref, ascending, with that sample's time. */
export interface StaleSeries {
  readonly refs: Uint32Array;
  readonly lastTimesMs: Float64Array;
}

/** Looks at every series, in slices between which the writer appends. */
export async function findStaleSeries(head: Head): Promise<StaleSeries> {
  const breathe = slicer();
  const refs: number[] = [];
  const lastTimesMs: number[] = [];
  for (const ref of head.labelIndex.all().slice()) {
    const lastMs = staleTimeMs(head, ref);
    if (lastMs !== undefined) {
      refs.push(ref);
      lastTimesMs.push(lastMs);
    }
    // Nothing is awaited for nothing: there may be millions.
    const turn = breathe();
    if (turn) await turn;
  }
  return { refs: Uint32Array.from(refs), lastTimesMs: Float64Array.from(lastTimesMs) };
}

/** Those of the series that are as they were found. */
export function stillStale(head: Head, { refs, lastTimesMs }: StaleSeries): StaleSeries {
  const isSame = (i: number): boolean => staleTimeMs(head, refs[i]!) === lastTimesMs[i];
  return {
    refs: refs.filter((_, i) => isSame(i)),
    lastTimesMs: lastTimesMs.filter((_, i) => isSame(i)),
  };
}

/**
 * Drops all samples of those of the series that are as they were found; the next truncation removes the series themselves. Queries that began before must have ended. Returns how
 * many were dropped.
 */
export async function dropStaleSeries(head: Head, { refs, lastTimesMs }: StaleSeries): Promise<number> {
  const breathe = slicer();
  let dropped = 0;
  for (const [i, ref] of refs.entries()) {
    if (staleTimeMs(head, ref) !== lastTimesMs[i] || !dropSamples(head, ref)) continue;
    markEmpty(head, ref);
    dropped++;
    await breathe();
  }
  head.kernel.arena.reclaim();
  return dropped;
}

/** Time of the stale marker that the series ends with; undefined when it does not, or has samples that came out of order, which go to blocks another way. */
function staleTimeMs(head: Head, ref: number): number | undefined {
  if (head.newestChunk(ref) === 0 || head.outOfOrder.has(ref)) return undefined;
  const { views, series } = head.kernel;
  const at = series.slot(ref);
  const bits = (at + slot.lastValueBits) >>> 2;
  if (views.u32[bits] !== staleLow || views.u32[bits + 1] !== staleHigh) return undefined;
  return Number(views.i64[(at + slot.lastTimestampMs) / 8]);
}
