import { SimulatedClock } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import type { Histogram, Labels } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import { ExemplarStorage } from "../../tsdb/exemplar/exemplar-storage.ts";
import { AppendTotals } from "../../tsdb/head/append-counters.ts";
import { HeadAppender } from "../../tsdb/head/appender.ts";
import { BatchPool } from "../../tsdb/head/batch-pool.ts";
import { Head } from "../../tsdb/head/head.ts";
import { createHeadQueryable } from "../../tsdb/index.ts";

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
const chunkRangeMs = 7_200_000;

/** A head without a WAL. */
export class TestHead {
  readonly kernel: Kernel = createKernel({ limitBytes: memoryBytes });
  readonly #head = new Head(this.kernel);

  get queryable(): Queryable {
    return createHeadQueryable(this.kernel);
  }

  append(series: Iterable<TestSeries>): void {
    const appender = new HeadAppender({
      head: this.#head,
      log: { write: () => {} },
      pool: new BatchPool(this.kernel, 16_384),
      mapper: { notice: () => {} },
      outOfOrder: { take: () => {} },
      clock: new SimulatedClock(),
      counters: new AppendTotals(),
      exemplars: new ExemplarStorage((ref) => this.#head.labels(ref)),
      keepsMetadata: false,
      zeroesStarts: false,
      storesStarts: true,
      chunkRangeMs,
      samplesPerChunk: 120,
      futureMaxMs: Infinity,
      minValidTimeMs: -Infinity,
      isReplaying: false,
    });
    for (const { labels, samples } of series) {
      const ref = appender.reference(labels);
      for (const { timestampMs, value, startTimestampMs } of samples) {
        if (value === "stale") appender.appendStale(ref, timestampMs);
        else if (typeof value === "number") appender.append(ref, timestampMs, value, startTimestampMs);
        else appender.appendHistogram(ref, timestampMs, value, "float", startTimestampMs);
      }
    }
    appender.commit();
  }
}
