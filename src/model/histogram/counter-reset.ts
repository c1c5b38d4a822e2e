import { type Buckets, hasCustomBuckets, type Histogram, sameNumbers } from "./histogram.ts";
import {
  commonBounds,
  countsBetweenBounds,
  countWithin,
  reduceResolution,
  withoutFirst,
  withZeroThreshold,
  zeroThresholdFrom,
} from "./layout.ts";

/**
 * Whether a counter was reset between two histograms. The hint decides if it is certain; else any count that went down does,
 * and what a running counter never does: a finer schema, a smaller zero bucket, or a zero bucket that has grown into the middle
 * of a populated one. Gauges are compared as if they were counters.
 */
export function detectCounterReset(current: Histogram, previous: Histogram): boolean {
  if (current.counterReset === "reset") return true;
  if (current.counterReset === "not_reset") return false;
  if (current.count < previous.count) return true;
  if (hasCustomBuckets(current)) {
    if (!hasCustomBuckets(previous)) return true;
    return sameNumbers(current.customBounds, previous.customBounds)
      ? hasDecreased(current.positive, previous.positive)
      : hasDecreasedBetweenBounds(current, previous);
  }
  if (current.schema > previous.schema) return true;
  if (current.zeroThreshold < previous.zeroThreshold) return true;
  return hasExponentialDecreased(current, previous);
}

function hasExponentialDecreased(current: Histogram, previous: Histogram): boolean {
  const { schema, zeroThreshold } = current;
  if (previous.zeroThreshold < zeroThreshold) {
    if (zeroThresholdFrom(previous, zeroThreshold) !== zeroThreshold) return true;
    previous = withZeroThreshold(previous, zeroThreshold);
  }
  if (current.zeroCount < previous.zeroCount) return true;
  previous = reduceResolution(previous, schema);
  return (["positive", "negative"] as const).some((side) =>
    hasDecreased(
      outside(current[side], schema, zeroThreshold),
      outside(previous[side], schema, zeroThreshold),
    ),
  );
}

/** The buckets that reach beyond the zero bucket. */
function outside(buckets: Buckets, schema: number, zeroThreshold: number): Buckets {
  return withoutFirst(buckets, countWithin(buckets, schema, zeroThreshold));
}

function hasDecreased(current: Buckets, previous: Buckets): boolean {
  let at = 0;
  for (let i = 0; i < previous.indices.length; i++) {
    const index = previous.indices[i]!;
    while (at < current.indices.length && current.indices[at]! < index) at++;
    if (current.indices[at] === index) {
      if (current.counts[at]! < previous.counts[i]!) return true;
    } else if (previous.counts[i] !== 0) return true;
  }
  return false;
}

function hasDecreasedBetweenBounds(current: Histogram, previous: Histogram): boolean {
  const bounds = commonBounds(current.customBounds, previous.customBounds);
  const before = countsBetweenBounds(previous, bounds);
  return countsBetweenBounds(current, bounds).some((count, i) => count < before[i]!);
}
