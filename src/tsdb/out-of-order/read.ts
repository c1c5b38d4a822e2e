import { type Kernel, staleMarkerBits } from "../../kernel/index.ts";
import {
  mergeHistograms,
  type SampleColumns,
  type SampleRun,
  type StoredHistogram,
} from "../../storage/index.ts";
import { isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import { mergeRun } from "../head/merge-run.ts";
import { type OutOfOrderRun, outOfOrderRuns } from "./chunks.ts";
import { readFloats, readHistograms, readRunStarts, type RunData } from "./run.ts";

/** Samples that may come between the sizing of columns and their filling. */
const growthMax = 64;
const staleHigh = Number(staleMarkerBits >> 32n);
const staleLow = Number(staleMarkerBits & 0xffffffffn);

/** What is asked of a series' samples that came out of order. */
export interface OutOfOrderRange {
  readonly ref: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

function runsOf(
  { views }: Kernel,
  { ref, minTimestampMs, maxTimestampMs }: OutOfOrderRange,
): OutOfOrderRun[] {
  return outOfOrderRuns(views, ref, minTimestampMs, maxTimestampMs);
}

/** An upper bound of the floats of a series that came out of order and lie in the time range. */
export function outOfOrderCountMax(kernel: Kernel, range: OutOfOrderRange): number {
  const runs = runsOf(kernel, range).filter(mayHaveFloats);
  return runs.length === 0 ? 0 : runs.reduce((sum, { count }) => sum + count, growthMax);
}

/**
 * Merges the floats of a series that came out of order into the `count` samples that the columns have; returns how many there are then. Of samples at the same time the one that
 * came in order stays. Throws `internal` when the columns are too small.
 */
export function mergeOutOfOrder(
  kernel: Kernel,
  range: OutOfOrderRange,
  data: RunData,
  dropStale: boolean,
  columns: SampleColumns,
  count: number,
): number {
  const runs = runsOf(kernel, range).filter(mayHaveFloats);
  if (runs.length === 0) return count;
  const { scratch } = kernel;
  const mark = scratch.mark();
  try {
    return mergeRun(kernel, sortedSamples(kernel, runs, range, data, dropStale), columns, count);
  } finally {
    scratch.release(mark);
  }
}

/** Merges the native histograms of a series that came out of order into those in order, which stay where both have one of the same time. */
export function mergeOutOfOrderHistograms(
  kernel: Kernel,
  range: OutOfOrderRange,
  data: RunData,
  inOrder: readonly StoredHistogram[],
): readonly StoredHistogram[] {
  const runs = runsOf(kernel, range).map((run): readonly StoredHistogram[] =>
    readHistograms(kernel, range.ref, run, data),
  );
  return runs.reduce(mergeHistograms, inOrder);
}

/** Since when the floats of a series that came out of order count, by the time of each, as far as that is known. */
export function outOfOrderStarts(
  kernel: Kernel,
  range: OutOfOrderRange,
  data: RunData,
): [timestampMs: number, startTimestampMs: number][] {
  const runs = runsOf(kernel, range).filter(mayHaveFloats);
  return runs
    .toReversed()
    .flatMap((run) => readRunStarts(kernel, range.ref, run, data))
    .filter(([ms]) => ms >= range.minTimestampMs && ms <= range.maxTimestampMs);
}

function mayHaveFloats({ encoding }: OutOfOrderRun): boolean {
  return !isHistogramEncoding(encoding);
}

/** The floats of all runs by time, each time once, in scratch. */
function sortedSamples(
  kernel: Kernel,
  runs: readonly OutOfOrderRun[],
  { ref, minTimestampMs, maxTimestampMs }: OutOfOrderRange,
  data: RunData,
  dropStale: boolean,
): SampleRun {
  const { f64, u32 } = kernel.views;
  const capacity = runs.reduce((sum, { count }) => sum + count, 0);
  const all = allocate(kernel, capacity);
  let filled = 0;
  for (const run of runs)
    filled += readFloats(kernel, ref, run, data, all.timestamps + 8 * filled, all.values + 8 * filled);
  const times = all.timestamps / 8;
  const bits = all.values / 4;
  const order = Uint32Array.from({ length: filled }, (_, i) => i);
  order.sort((a, b) => f64[times + a]! - f64[times + b]! || a - b);
  const out = allocate(kernel, capacity);
  let count = 0;
  let lastMs = -Infinity;
  for (const i of order) {
    const timestampMs = f64[times + i]!;
    if (timestampMs < minTimestampMs || timestampMs > maxTimestampMs || timestampMs === lastMs) continue;
    lastMs = timestampMs;
    const low = u32[bits + 2 * i]!;
    const high = u32[bits + 2 * i + 1]!;
    if (dropStale && high === staleHigh && low === staleLow) continue;
    f64[out.timestamps / 8 + count] = timestampMs;
    u32[out.values / 4 + 2 * count] = low;
    u32[out.values / 4 + 2 * count + 1] = high;
    count++;
  }
  return { ...out, count };
}

function allocate({ scratch }: Kernel, samples: number): { timestamps: number; values: number } {
  return { timestamps: scratch.allocate(8 * samples + 64), values: scratch.allocate(8 * samples + 64) };
}
