import { detectCounterReset, withCounterReset } from "../../model/index.ts";
import type { HistogramSample } from "../../storage/index.ts";

/**
 * The samples with what comparing neighbours tells about counter resets, where storage did not know. For functions that are asked
 * for counts and sums only: upstream reads their histograms without buckets, and therefore looks for resets as it reads.
 */
export function withDetectedResets(samples: readonly HistogramSample[]): HistogramSample[] {
  return samples.map(({ timestampMs, histogram }, i) => {
    const previous = samples[i - 1]?.histogram;
    if (previous === undefined || previous.isStale || histogram.counterReset !== "unknown")
      return { timestampMs, histogram };
    const hint = detectCounterReset(histogram, previous) ? "reset" : "not_reset";
    return { timestampMs, histogram: withCounterReset(histogram, hint) };
  });
}
