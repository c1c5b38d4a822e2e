import { SimulatedClock } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Appendable, Appender, Queryable } from "../storage/index.ts";
import { ExemplarStorage } from "./exemplar/exemplar-storage.ts";
import { AppendTotals } from "./head/append-counters.ts";
import { type AppendContext, HeadAppender } from "./head/appender.ts";
import { BatchPool } from "./head/batch-pool.ts";
import { Head } from "./head/head.ts";
import { createHeadQueryable } from "./head/querier.ts";

const chunkRangeMs = 7_200_000;
const samplesPerChunk = 120;
/** Commits that are larger go in parts. */
const batchSamples = 1024;

/** A head that lives in memory alone, without log, files or bounds of time: for what is tried out and thrown away. */
export class MemoryHead implements Appendable {
  readonly queryable: Queryable;
  readonly #context: AppendContext;

  /** Takes all of the kernel's memory. */
  constructor(kernel: Kernel) {
    const head = new Head(kernel);
    this.queryable = createHeadQueryable(kernel);
    this.#context = {
      head,
      log: { write: () => {} },
      pool: new BatchPool(kernel, batchSamples),
      mapper: { notice: () => {} },
      outOfOrder: { refuseEarly: () => {}, take: () => {} },
      clock: new SimulatedClock(),
      counters: new AppendTotals(),
      exemplars: new ExemplarStorage((ref) => head.labels(ref)),
      keepsMetadata: false,
      zeroesStarts: false,
      storesStarts: true,
      chunkRangeMs,
      samplesPerChunk,
      futureMaxMs: Infinity,
      minValidTimeMs: -Infinity,
      isReplaying: false,
    };
  }

  appender(): Appender {
    return new HeadAppender(this.#context);
  }
}
