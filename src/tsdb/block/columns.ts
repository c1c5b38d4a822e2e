import type { Views } from "../../kernel/index.ts";
import type { Interval } from "./tombstones.ts";

/** Columns of samples in the shared memory: f64 milliseconds in ascending order, and raw f64 bits. */
export interface ColumnSlice {
  readonly timestamps: number;
  readonly values: number;
  readonly count: number;
}

/** Where the samples with min ≤ t ≤ max begin, and how many they are. */
export function samplesIn(
  views: Views,
  slice: ColumnSlice,
  minTimestampMs: number,
  maxTimestampMs: number,
): { from: number; count: number } {
  const from = lowerBound(views, slice, minTimestampMs);
  const to = lowerBound(views, slice, nextAfter(maxTimestampMs));
  return { from, count: Math.max(0, to - from) };
}

/** Keeps the samples with min ≤ t ≤ max, moved to the front. Returns how many. */
export function keepRange(
  views: Views,
  slice: ColumnSlice,
  minTimestampMs: number,
  maxTimestampMs: number,
): number {
  const { from, count } = samplesIn(views, slice, minTimestampMs, maxTimestampMs);
  if (from > 0) move(views, slice, from, from + count, 0);
  return count;
}

/** Takes out the samples of the intervals, closing the gaps. Returns how many are left. */
export function dropIntervals(views: Views, slice: ColumnSlice, intervals: readonly Interval[]): number {
  let { count } = slice;
  for (const { minTimestampMs, maxTimestampMs } of intervals) {
    const rest = { ...slice, count };
    const from = lowerBound(views, rest, minTimestampMs);
    const to = lowerBound(views, rest, nextAfter(maxTimestampMs));
    if (from >= to) continue;
    move(views, slice, to, count, from);
    count -= to - from;
  }
  return count;
}

export function hasTime(views: Views, slice: ColumnSlice, timestampMs: number): boolean {
  const at = lowerBound(views, slice, timestampMs);
  return at < slice.count && views.f64[slice.timestamps / 8 + at] === timestampMs;
}

/** The first sample at or after `timestampMs`. */
export function lowerBound({ f64 }: Views, { timestamps, count }: ColumnSlice, timestampMs: number): number {
  const times = timestamps / 8;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (f64[times + middle]! < timestampMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next whole millisecond; infinities stay. */
function nextAfter(timestampMs: number): number {
  return Math.floor(timestampMs) + 1;
}

function move(
  { u8 }: Views,
  { timestamps, values }: ColumnSlice,
  from: number,
  to: number,
  target: number,
): void {
  u8.copyWithin(timestamps + 8 * target, timestamps + 8 * from, timestamps + 8 * to);
  u8.copyWithin(values + 8 * target, values + 8 * from, values + 8 * to);
}
