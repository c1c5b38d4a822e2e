import type { Histogram, Labels } from "../../model/index.ts";
import { decodeHistogramChunk, HistogramChunk } from "../../tsdb/chunk/histogram-chunk.ts";
import type { MemoryStorage } from "./memory-storage.ts";

export interface SeriesSample {
  timestampMs: number;
  value: number | "stale" | Histogram;
}

const chunkVersion = 3;

/**
 * Adds the samples of one series, in the order of their times. Histograms go through the chunks of a storage, so that they come back
 * with the hints that a storage knows.
 */
export function appendSeries(storage: MemoryStorage, labels: Labels, samples: Iterable<SeriesSample>): void {
  let open: HistogramChunk | undefined;
  const closeChunk = (): void => {
    if (open === undefined) return;
    for (const { timestampMs, histogram } of decodeHistogramChunk(chunkVersion, open.bytes()))
      storage.appendHistogram(labels, timestampMs, histogram);
    open = undefined;
  };
  for (const { timestampMs, value } of samples) {
    if (typeof value !== "object") {
      closeChunk();
      storage.append(labels, timestampMs, value);
      continue;
    }
    const outcome = open?.append(timestampMs, value) ?? { nextHeader: "unknown" };
    if (open !== undefined && typeof outcome === "string") continue;
    closeChunk();
    open = new HistogramChunk(chunkVersion, typeof outcome === "string" ? "unknown" : outcome.nextHeader);
    open.append(timestampMs, value);
  }
  closeChunk();
}
