import type { Kernel } from "../../kernel/index.ts";
import { mergeRuns, putRun, type SampleColumns, type SampleRun } from "../../storage/index.ts";

/**
 * Merges a run of samples into the `count` that the columns have, where those of the same time stay; returns how many there are then. Uses
 * scratch, which the caller releases. Throws `internal` when the columns are too small.
 */
export function mergeRun(kernel: Kernel, run: SampleRun, columns: SampleColumns, count: number): number {
  const { scratch, views } = kernel;
  const allocate = (samples: number): { timestamps: number; values: number } => ({
    timestamps: scratch.allocate(8 * samples + 16),
    values: scratch.allocate(8 * samples + 16),
  });
  const before = { ...allocate(count), count };
  views.u8.copyWithin(before.timestamps, columns.timestamps, columns.timestamps + 8 * count);
  views.u8.copyWithin(before.values, columns.values, columns.values + 8 * count);
  const merged = allocate(count + run.count);
  const total = mergeRuns(views, before, run, merged);
  return putRun(views, { ...merged, count: total }, columns);
}
