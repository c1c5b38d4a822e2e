import { createKernel, type Kernel } from "../../kernel/index.ts";
import type { Histogram, Labels } from "../../model/index.ts";
import type { Appender, Queryable } from "../../storage/index.ts";
import { MemoryHead } from "../../tsdb/index.ts";

export interface SeriesSample {
  timestampMs: number;
  value: number | "stale" | Histogram;
  /** Since when it counts, where that is known. */
  startTimestampMs?: number;
}

/** The samples of one series, in the order of their times. */
export interface TestSeries {
  labels: Labels;
  samples: readonly SeriesSample[];
}

const memoryBytes = 64 * 1024 * 1024;

/** A head in memory that takes whole series. */
export class TestHead {
  readonly kernel: Kernel = createKernel({ limitBytes: memoryBytes });
  readonly #head = new MemoryHead(this.kernel);

  get queryable(): Queryable {
    return this.#head.queryable;
  }

  append(series: Iterable<TestSeries>): void {
    const appender = this.#head.appender();
    for (const each of series) appendSeries(appender, each);
    appender.commit();
  }
}

/** Queues all samples of a series. */
export function appendSeries(appender: Appender, { labels, samples }: TestSeries): void {
  const ref = appender.reference(labels);
  for (const { timestampMs, value, startTimestampMs } of samples) {
    if (value === "stale") appender.appendStale(ref, timestampMs);
    else if (typeof value === "number") appender.append(ref, timestampMs, value, startTimestampMs);
    else appender.appendHistogram(ref, timestampMs, value, "float", startTimestampMs);
  }
}
