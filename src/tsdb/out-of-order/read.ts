import { type Kernel, staleMarkerBits } from "../../kernel/index.ts";
import {
  mergeHistograms,
  type SampleColumns,
  type SampleRun,
  type StoredHistogram,
} from "../../storage/index.ts";
import { mergeRun } from "../head/merge-run.ts";
import { withoutResets } from "../block/histograms.ts";
import { isHistogramEncoding } from "../chunk/histogram-chunk.ts";
import { type OutOfOrderRun, outOfOrderRuns, readHistogramRun, readRun } from "./chunks.ts";

/** Samples that may come between the sizing of columns and their filling. */
const growthMax = 64;
const staleHigh = Number(staleMarkerBits >> 32n);
const staleLow = Number(staleMarkerBits & 0xffffffffn);

/** An upper bound of the samples of a series that came out of order and lie in the time range. */
export function outOfOrderCountMax(
  { views }: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
): number {
  const runs = outOfOrderRuns(views, ref, minTimestampMs, maxTimestampMs).filter(isFloats);
  return runs.length === 0 ? 0 : runs.reduce((sum, { count }) => sum + count, growthMax);
}

/**
 * Merges what came out of order of a series into the `count` samples that the columns have; returns how many there are then. Of samples at the same time the one that came in
 * order stays. Throws `internal` when the columns are too small.
 */
export function mergeOutOfOrder(
  kernel: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  dropStale: boolean,
  columns: SampleColumns,
  count: number,
): number {
  const runs = outOfOrderRuns(kernel.views, ref, minTimestampMs, maxTimestampMs).filter(isFloats);
  if (runs.length === 0) return count;
  const { scratch } = kernel;
  const mark = scratch.mark();
  try {
    const late = sortedSamples(kernel, runs, minTimestampMs, maxTimestampMs, dropStale);
    return mergeRun(kernel, late, columns, count);
  } finally {
    scratch.release(mark);
  }
}

/** Merges the native histograms of a series that came out of order into those in order, which stay where both have one of the same time. */
export function mergeOutOfOrderHistograms(
  { views }: Kernel,
  ref: number,
  minTimestampMs: number,
  maxTimestampMs: number,
  inOrder: readonly StoredHistogram[],
): readonly StoredHistogram[] {
  const late = outOfOrderRuns(views, ref, minTimestampMs, maxTimestampMs)
    .flatMap((run) => readHistogramRun(views, run))
    .sort((a, b) => a.timestampMs - b.timestampMs);
  if (late.length === 0) return inOrder;
  const isLate = new Set(late);
  const merged = mergeHistograms(inOrder, late);
  // What is known of resets is known of the one before in order.
  return merged.map((sample, i) =>
    i > 0 && isLate.has(merged[i - 1]!) ? { ...sample, histogram: withoutResets(sample.histogram) } : sample,
  );
}

function isFloats({ encoding }: OutOfOrderRun): boolean {
  return !isHistogramEncoding(encoding);
}

/** The samples of all runs by time, each time once, in scratch. */
function sortedSamples(
  kernel: Kernel,
  runs: ReturnType<typeof outOfOrderRuns>,
  minTimestampMs: number,
  maxTimestampMs: number,
  dropStale: boolean,
): SampleRun {
  const { f64, u32 } = kernel.views;
  const capacity = runs.reduce((sum, { count }) => sum + count, 0);
  const all = allocate(kernel, capacity);
  let filled = 0;
  for (const run of runs) {
    readRun(kernel, run, all.timestamps + 8 * filled, all.values + 8 * filled);
    filled += run.count;
  }
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
  return { timestamps: scratch.allocate(8 * samples + 16), values: scratch.allocate(8 * samples + 16) };
}
