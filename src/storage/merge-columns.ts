import { NarthexError } from "../base/index.ts";
import type { Views } from "../kernel/index.ts";
import type { SampleColumns } from "./storage.ts";

/** Samples in the shared memory, in the order of their times. */
export interface SampleRun {
  /** Pointer to f64 milliseconds. */
  readonly timestamps: number;
  /** Pointer to raw f64 bits. */
  readonly values: number;
  readonly count: number;
}

/**
 * Merges two runs into columns that have room for both and overlap neither. Of two samples at the same time the one of `a` stays. Returns how
 * many samples came of it.
 */
export function mergeRuns(
  { u32, f64 }: Views,
  a: SampleRun,
  b: SampleRun,
  out: { readonly timestamps: number; readonly values: number },
): number {
  const timesA = a.timestamps / 8;
  const timesB = b.timestamps / 8;
  const times = out.timestamps / 8;
  const bits = out.values / 4;
  let i = 0;
  let j = 0;
  let count = 0;
  while (i < a.count || j < b.count) {
    const nextA = i < a.count ? f64[timesA + i]! : Infinity;
    const nextB = j < b.count ? f64[timesB + j]! : Infinity;
    const isA = nextA <= nextB;
    if (nextA === nextB) j++;
    const from = isA ? a.values / 4 + 2 * i++ : b.values / 4 + 2 * j++;
    f64[times + count] = isA ? nextA : nextB;
    // As two words: a number would not keep the payload of every NaN.
    u32[bits + 2 * count] = u32[from]!;
    u32[bits + 2 * count + 1] = u32[from + 1]!;
    count++;
  }
  return count;
}

/** Copies a run to the start of the columns; returns how many samples it has. Throws `internal` when the columns are too small. */
export function putRun(
  { u8 }: Views,
  { timestamps, values, count }: SampleRun,
  columns: SampleColumns,
): number {
  if (count > columns.capacity)
    throw new NarthexError("internal", `columns hold ${columns.capacity} samples, ${count} are needed`);
  u8.copyWithin(columns.timestamps, timestamps, timestamps + 8 * count);
  u8.copyWithin(columns.values, values, values + 8 * count);
  return count;
}
