import type { FloatEncoding, Views } from "../../kernel/index.ts";
import { noStarts, type StartTimestamps, type StoredHistogram } from "../../storage/index.ts";
import type { BlockWriter } from "./block-writer.ts";
import { type ColumnSlice, lowerBound } from "./columns.ts";

/**
 * Gives the floats and the histograms of a series, no two at the same time, to the writer in the order of their times. `starts`: since when the
 * floats count. `encoding`: of the floats, as `addSamples` has it.
 */
export function addInterleaved(
  writer: BlockWriter,
  views: Views,
  floats: ColumnSlice,
  histograms: readonly StoredHistogram[],
  starts: StartTimestamps = noStarts,
  encoding?: FloatEncoding,
): void {
  const timeOfFloat = (i: number): number =>
    i < floats.count ? views.f64[floats.timestamps / 8 + i]! : Infinity;
  let from = 0;
  let at = 0;
  while (from < floats.count || at < histograms.length) {
    const until =
      at < histograms.length ? lowerBound(views, floats, histograms[at]!.timestampMs) : floats.count;
    const { timestamps, values } = floats;
    const slice = { timestamps: timestamps + 8 * from, values: values + 8 * from, count: until - from };
    writer.addSamples(slice, starts, encoding);
    from = until;
    const first = at;
    while (at < histograms.length && histograms[at]!.timestampMs < timeOfFloat(from)) at++;
    writer.addHistograms(histograms.slice(first, at));
  }
}
