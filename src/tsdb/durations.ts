import type { Histogram, Registry, Summary } from "@narthex/client";
import type { Clock } from "../base/index.ts";

/** How long the storage's maintenance takes, by upstream's names. */
export class TsdbDurations {
  readonly headGc: Summary;
  readonly walTruncation: Summary;
  readonly compaction: Histogram;
  readonly tombstoneCleanup: Histogram;
  readonly #clock: Clock;
  #writers = 0;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    this.headGc = registry.summary({
      name: "prometheus_tsdb_head_gc_duration_seconds",
      help: "Time that truncations of the head took.",
    });
    this.walTruncation = registry.summary({
      name: "prometheus_tsdb_wal_truncate_duration_seconds",
      help: "Time that truncations of the WAL took.",
    });
    this.compaction = registry.histogram({
      name: "prometheus_tsdb_compaction_duration_seconds",
      help: "Time that it took to write a block from the head, or to compact what there was to compact.",
      buckets: Array.from({ length: 14 }, (_, i) => 2 ** i),
    });
    this.tombstoneCleanup = registry.histogram({
      name: "prometheus_tsdb_tombstone_cleanup_seconds",
      help: "Time that it took to rewrite blocks without what was deleted.",
    });
    registry.gaugeFunction(
      {
        name: "prometheus_tsdb_compaction_populating_block",
        help: "1 while blocks are written.",
      },
      () => Math.min(this.#writers, 1),
    );
  }

  /** Does the work and observes its time, whether it succeeds or not. */
  async measure<T>(metric: { observe(seconds: number): void }, work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    try {
      return await work();
    } finally {
      metric.observe((this.#clock.monotonicMs() - startMs) / 1000);
    }
  }

  /** As `measure`, for what writes blocks. */
  async writing<T>(metric: Histogram, work: () => Promise<T>): Promise<T> {
    this.#writers++;
    try {
      return await this.measure(metric, work);
    } finally {
      this.#writers--;
    }
  }
}
