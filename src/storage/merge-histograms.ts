import type { StoredHistogram } from "./storage.ts";

/** Two runs in the order of their times as one; of samples at the same time the first run's stays. */
export function mergeHistograms(
  first: readonly StoredHistogram[],
  second: readonly StoredHistogram[],
): readonly StoredHistogram[] {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  if (first.at(-1)!.timestampMs < second[0]!.timestampMs) return [...first, ...second];
  const known = new Set(first.map(({ timestampMs }) => timestampMs));
  const added = second.filter(({ timestampMs }) => !known.has(timestampMs));
  return [...first, ...added].sort((a, b) => a.timestampMs - b.timestampMs);
}
