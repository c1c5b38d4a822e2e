import { withoutResets } from "../../model/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import type { Interval } from "./tombstones.ts";

/**
 * The samples with min ≤ t ≤ max that are not deleted. Of a counter behind a deleted one it is no longer known whether it follows a reset.
 */
export function cutHistograms(
  samples: readonly StoredHistogram[],
  minTimestampMs: number,
  maxTimestampMs: number,
  intervals: readonly Interval[] = [],
): StoredHistogram[] {
  const kept: StoredHistogram[] = [];
  let isBehindDeleted = false;
  for (const sample of samples) {
    const { timestampMs, histogram } = sample;
    if (timestampMs > maxTimestampMs) break;
    const isDeleted = intervals.some(
      (interval) => interval.minTimestampMs <= timestampMs && timestampMs <= interval.maxTimestampMs,
    );
    if (!isDeleted && timestampMs >= minTimestampMs)
      kept.push(isBehindDeleted ? { ...sample, histogram: withoutResets(histogram) } : sample);
    isBehindDeleted = isDeleted;
  }
  return kept;
}
