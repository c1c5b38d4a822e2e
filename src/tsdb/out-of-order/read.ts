import { type Kernel, staleMarkerBits } from "../../kernel/index.ts";
import {
  mergeHistograms,
  type SampleColumns,
  type SampleRun,
  type StoredHistogram,
} from "../../storage/index.ts";
import { isHistogramEncoding } from "../chunk/histogram-encoding.ts";
import { mergeRun } from "../head/merge-run.ts";
import { type OutOfOrderRun, outOfOrderRuns, stateOf } from "./chunks.ts";
import { readFloats, readHistograms, readRunStarts, type RunData } from "./run.ts";

const staleHigh = Number(staleMarkerBits >> 32n);
const staleLow = Number(staleMarkerBits & 0xffffffffn);
const noRuns: readonly OutOfOrderRun[] = [];

/** What is asked of a series' samples that came out of order. */
export interface OutOfOrderRange {
  readonly ref: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/**
 * Reads what came out of order, of one series after the other, within one epoch. Late samples belong to no snapshot: what a series has when it is first asked for is what it has until another one is,
 * so that columns are large enough for what is read into them.
 */
export class OutOfOrderReader {
  readonly #kernel: Kernel;
  readonly #data: RunData;
  #ref = 0;
  #runs = noRuns;

  constructor(kernel: Kernel, data: RunData) {
    this.#kernel = kernel;
    this.#data = data;
  }

  /** Whether the series has any such sample. */
  has(ref: number): boolean {
    return this.#runsOf(ref).length > 0;
  }

  /** Whether some may lie in the time range. */
  overlaps(range: OutOfOrderRange): boolean {
    return this.#within(range).length > 0;
  }

  /** An upper bound of the floats in the time range. */
  floatCountMax(range: OutOfOrderRange): number {
    return this.#withFloats(range).reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Merges the floats in the time range into the `count` samples that the columns have; returns how many there are then. Of samples at the same time the one that came in order
   * stays. Throws `internal` when the columns are too small.
   */
  mergeFloats(range: OutOfOrderRange, dropStale: boolean, columns: SampleColumns, count: number): number {
    const runs = this.#withFloats(range);
    if (runs.length === 0) return count;
    const { scratch } = this.#kernel;
    const mark = scratch.mark();
    try {
      const samples = sortedSamples(this.#kernel, runs, range, this.#data, dropStale);
      return mergeRun(this.#kernel, samples, columns, count);
    } finally {
      scratch.release(mark);
    }
  }

  /** Merges the native histograms of runs that overlap the time range into those in order, which stay where both have one of the same time. */
  mergeHistograms(range: OutOfOrderRange, inOrder: readonly StoredHistogram[]): readonly StoredHistogram[] {
    return this.#within(range)
      .map((run): readonly StoredHistogram[] => readHistograms(this.#kernel, range.ref, run, this.#data))
      .reduce(mergeHistograms, inOrder);
  }

  /** Since when the floats in the time range count, by the time of each, as far as that is known. */
  starts(range: OutOfOrderRange): [timestampMs: number, startTimestampMs: number][] {
    return this.#withFloats(range)
      .toReversed()
      .flatMap((run) => readRunStarts(this.#kernel, range.ref, run, this.#data))
      .filter(([ms]) => ms >= range.minTimestampMs && ms <= range.maxTimestampMs);
  }

  #runsOf(ref: number): readonly OutOfOrderRun[] {
    if (ref !== this.#ref) {
      const { views } = this.#kernel;
      this.#runs = stateOf(views, ref) === 0 ? noRuns : outOfOrderRuns(views, ref, -Infinity, Infinity);
      this.#ref = ref;
    }
    return this.#runs;
  }

  #within({ ref, minTimestampMs, maxTimestampMs }: OutOfOrderRange): readonly OutOfOrderRun[] {
    const runs = this.#runsOf(ref);
    if (runs.length === 0) return runs;
    return runs.filter((run) => run.maxTimestampMs >= minTimestampMs && run.minTimestampMs <= maxTimestampMs);
  }

  #withFloats(range: OutOfOrderRange): readonly OutOfOrderRun[] {
    return this.#within(range).filter(({ encoding }) => !isHistogramEncoding(encoding));
  }
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
