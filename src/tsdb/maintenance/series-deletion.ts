import { NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import type { Matcher } from "../../model/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import { createHeadQueryable } from "../head/querier.ts";
import type { BlockKeeper } from "./head-compaction.ts";

/** What shall be deleted: of the series that one of the selectors matches, the samples from min to max, both included. */
export interface SeriesDeletion {
  /** Each a list of matchers that must all hold. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/**
 * Marks samples of blocks as deleted. Rejects with `execution` when some of them are in the head, where none can be deleted; then nothing is.
 * Nothing may be moved from the head to blocks meanwhile.
 */
export async function deleteSeries(
  kernel: Kernel,
  head: { readonly minTimeMs: number },
  keeper: BlockKeeper,
  deletion: SeriesDeletion,
): Promise<void> {
  const { selectors, minTimestampMs, maxTimestampMs } = deletion;
  if (maxTimestampMs >= head.minTimeMs && isInHead(kernel, deletion))
    throw new NarthexError(
      "execution",
      `matching series have samples in memory, and only what is in blocks can be deleted: set end to before ${new Date(head.minTimeMs).toISOString()}`,
    );
  for (const matchers of selectors) await keeper.deleteSeries(matchers, minTimestampMs, maxTimestampMs);
}

/** Whether the head has a sample that shall be deleted. */
function isInHead(kernel: Kernel, { selectors, minTimestampMs, maxTimestampMs }: SeriesDeletion): boolean {
  const querier = createHeadQueryable(kernel).querier(minTimestampMs, maxTimestampMs);
  try {
    return selectors.some((matchers) => {
      const set = querier.select(matchers, { minTimestampMs, maxTimestampMs }, false);
      for (let series = 0; series < set.length; series++)
        if (hasSamples(kernel, set, series, minTimestampMs, maxTimestampMs)) return true;
      return false;
    });
  } finally {
    querier.close();
  }
}

/** A chunk may reach into the range and have no sample there. */
function hasSamples(
  { scratch }: Kernel,
  set: SeriesSet,
  series: number,
  minMs: number,
  maxMs: number,
): boolean {
  const capacity = set.sampleCountMax(series, minMs, maxMs);
  if (capacity === 0) return false;
  const mark = scratch.mark();
  try {
    const columns = {
      timestamps: scratch.allocate(8 * capacity),
      values: scratch.allocate(8 * capacity),
      capacity,
    };
    return set.read(series, minMs, maxMs, false, columns) > 0;
  } finally {
    scratch.release(mark);
  }
}
