import { withoutResets } from "../model/index.ts";
import type { StoredHistogram } from "./storage.ts";

/**
 * Two runs in the order of their times as one; of samples at the same time the first run's stays. What a sample says of resets it says of the one before it in its run: where
 * another comes before it, it is no longer known.
 */
export function mergeHistograms(
  first: readonly StoredHistogram[],
  second: readonly StoredHistogram[],
): readonly StoredHistogram[] {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const merged: StoredHistogram[] = [];
  let before: StoredHistogram | undefined;
  let [i, j] = [0, 0];
  while (i < first.length || j < second.length) {
    const [a, b] = [first[i], second[j]];
    const isFirst = b === undefined || (a !== undefined && a.timestampMs <= b.timestampMs);
    if (a?.timestampMs === b?.timestampMs) j++;
    const [sample, own] = isFirst ? [a!, first[i++ - 1]] : [b, second[j++ - 1]];
    merged.push(before === own ? sample : { ...sample, histogram: withoutResets(sample.histogram) });
    before = sample;
  }
  return merged;
}
