/** From the API's matrix to the columns that are drawn. */
import type { RangeSeries } from "../api/types.ts";
import type { Labels } from "../base/labels.ts";
import { parseSample } from "../base/unit.ts";

/** One value per time of the chart; `null` where there is nothing to draw. */
export type Column = (number | null)[];

/** The times a range query evaluates, in milliseconds, both ends included where the step meets them. */
export interface TimeGrid {
  startMs: number;
  endMs: number;
  stepMs: number;
}

export interface SeriesColumn {
  labels: Labels;
  values: Column;
}

/** The grid's times in seconds, as uPlot takes them. */
export function gridTimes({ startMs, endMs, stepMs }: TimeGrid): number[] {
  const count = Math.max(0, Math.floor((endMs - startMs) / stepMs + 1e-6) + 1);
  return Array.from({ length: count }, (_, index) => (startMs + index * stepMs) / 1000);
}

/** Puts each series on the grid. Missing steps, NaN and infinities become gaps; a histogram is drawn by its sum. */
export function alignSeries(result: readonly RangeSeries[], grid: TimeGrid): SeriesColumn[] {
  const length = gridTimes(grid).length;
  return result.map(({ metric, values = [], histograms = [] }) => {
    const column: Column = Array.from({ length }, () => null);
    const put = (timeS: number, text: string): void => {
      const index = Math.round((timeS * 1000 - grid.startMs) / grid.stepMs);
      const value = parseSample(text);
      if (index >= 0 && index < length && Number.isFinite(value)) column[index] = value;
    };
    for (const [timeS, text] of values) put(timeS, text);
    for (const [timeS, histogram] of histograms) put(timeS, histogram.sum);
    return { labels: metric, values: column };
  });
}

/**
 * Running sums from the first column up, for a stacked chart. Hidden columns add nothing. A gap counts as zero,
 * but where every visible column has one, all have one.
 */
export function stackColumns(columns: readonly Column[], isHidden: (index: number) => boolean): Column[] {
  const length = columns[0]?.length ?? 0;
  const sums = new Float64Array(length);
  const drawn = new Uint8Array(length);
  columns.forEach((column, index) => {
    if (!isHidden(index)) column.forEach((value, at) => value !== null && (drawn[at] = 1));
  });
  return columns.map((column, index) =>
    column.map((value, at) => {
      if (drawn[at] === 0) return null;
      if (!isHidden(index)) sums[at]! += value ?? 0;
      return sums[at]!;
    }),
  );
}

/** Positions with a value whose neighbours have none: a line would not show them. */
export function isolatedPoints(column: ArrayLike<number | null | undefined>): number[] {
  const isGap = (at: number): boolean => column[at] === null || column[at] === undefined;
  const isolated: number[] = [];
  for (let at = 0; at < column.length; at++) {
    if (!isGap(at) && isGap(at - 1) && isGap(at + 1)) isolated.push(at);
  }
  return isolated;
}

/** The last value that is not a gap. */
export const lastValue = (column: Column): number | null =>
  column.findLast((value) => value !== null) ?? null;
