import { type CounterReset, createHistogram, detectCounterReset, type Histogram } from "../../model/index.ts";
import type { HistogramSample } from "../../storage/index.ts";

/**
 * The samples without buckets, and with what comparing neighbours tells about counter resets, where storage did not know. For functions
 * that are asked for counts and sums only: upstream reads their histograms so, and therefore looks for resets as it reads.
 */
export function withoutBuckets(samples: readonly HistogramSample[]): HistogramSample[] {
  let previous: Histogram | undefined;
  return samples.map(({ timestampMs, histogram }) => {
    let { counterReset } = histogram;
    if (counterReset === "unknown" && previous !== undefined && !histogram.isStale)
      counterReset = detectCounterReset(histogram, previous) ? "reset" : "not_reset";
    if (!histogram.isStale) previous = histogram;
    return { timestampMs, histogram: countsOf(histogram, counterReset) };
  });
}

function countsOf({ schema, count, sum, isStale }: Histogram, counterReset: CounterReset): Histogram {
  return createHistogram({ schema, count, sum, isStale, counterReset });
}
