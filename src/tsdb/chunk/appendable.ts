import { type Buckets, type CounterReset, type Histogram, sameNumbers } from "../../model/index.ts";
import type { HistogramLayout } from "./histogram-layout.ts";

/** Whether a histogram can go on a chunk, then in which layout; else what the header of its new chunk says. */
export type Appendable =
  | {
      readonly isAppendable: true;
      readonly positive: readonly number[];
      readonly negative: readonly number[];
    }
  | { readonly isAppendable: false; readonly header: CounterReset };

/** The end of a chunk as far as it decides about what comes next. */
export interface ChunkEnd {
  readonly layout: HistogramLayout;
  readonly header: CounterReset;
  /** The last histogram, in the chunk's layout, or the stale marker. */
  readonly last: Histogram;
}

/** A chunk of gauges takes gauges, and in any bucket. */
export function gaugeAppendable({ layout, header, last }: ChunkEnd, histogram: Histogram): Appendable {
  if (header !== "gauge") return refused("gauge");
  if (histogram.isStale) return { isAppendable: true, positive: layout.positive, negative: layout.negative };
  if (last.isStale || !hasSameScale(layout, histogram) || !hasSameBounds(layout, histogram))
    return refused("gauge");
  return unitedLayout(layout, histogram);
}

/**
 * A chunk of counters takes what only counts on: a reset begins a new chunk, as does another scale of buckets, so that within a
 * chunk there is no reset.
 */
export function counterAppendable({ layout, header, last }: ChunkEnd, histogram: Histogram): Appendable {
  if (header === "gauge") return refused("not_reset");
  if (histogram.counterReset === "reset") return refused("reset");
  if (histogram.isStale) return { isAppendable: true, positive: layout.positive, negative: layout.negative };
  if (last.isStale) return refused("unknown");
  if (histogram.count < last.count) return refused("reset");
  if (!hasSameScale(layout, histogram)) return refused("unknown");
  if (!hasSameBounds(layout, histogram)) return refused("reset");
  if (histogram.zeroCount < last.zeroCount) return refused("reset");
  if (hasDecreased(last.positive, histogram.positive) || hasDecreased(last.negative, histogram.negative))
    return refused("reset");
  return unitedLayout(layout, histogram);
}

function refused(header: CounterReset): Appendable {
  return { isAppendable: false, header };
}

function hasSameScale(layout: HistogramLayout, { schema, zeroThreshold }: Histogram): boolean {
  return schema === layout.schema && zeroThreshold === layout.zeroThreshold;
}

function hasSameBounds(layout: HistogramLayout, { customBounds }: Histogram): boolean {
  return sameNumbers(customBounds, layout.customBounds);
}

/** Whether a populated bucket is missing or holds less than before. */
function hasDecreased(before: Buckets, after: Buckets): boolean {
  let at = 0;
  return before.indices.some((index, i) => {
    while (at < after.indices.length && after.indices[at]! < index) at++;
    const count = after.indices[at] === index ? after.counts[at]! : 0;
    return before.counts[i]! > count;
  });
}

function unitedLayout(layout: HistogramLayout, { positive, negative }: Histogram): Appendable {
  return {
    isAppendable: true,
    positive: union(layout.positive, positive.indices),
    negative: union(layout.negative, negative.indices),
  };
}

/** All indices of both ascending lists; the first list itself if it has them all. */
function union(a: readonly number[], b: readonly number[]): readonly number[] {
  if (sameNumbers(a, b)) return a;
  const all = [...new Set([...a, ...b])].sort((x, y) => x - y);
  return all.length === a.length ? a : all;
}
