import { type Clock, SimulatedClock } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { ExemplarStorage } from "../../tsdb/exemplar/exemplar-storage.ts";
import { AppendCounters, HeadAppender } from "../../tsdb/head/appender.ts";
import { BatchPool } from "../../tsdb/head/batch-pool.ts";
import { Head } from "../../tsdb/head/head.ts";
import { createHeadQueryable } from "../../tsdb/index.ts";
import { defaultLimits, type QueryContext } from "../context.ts";
import { Engine } from "../engine.ts";
import type { Answer } from "./expectation.ts";
import type { Subject } from "./run.ts";
import type { EvalCommand, LoadCommand } from "./script.ts";

const memoryBytes = 64 * 1024 * 1024;
const chunkRangeMs = 7_200_000;

/** The engine over a head without a WAL. Native histograms and start timestamps are left out: the head has no place for them. */
export class HeadSubject implements Subject {
  readonly #clock: Clock = new SimulatedClock();
  readonly #engine = new Engine({
    parser: { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true },
  });
  #kernel: Kernel;
  #head: Head;

  constructor() {
    this.#kernel = createKernel({ limitBytes: memoryBytes });
    this.#head = new Head(this.#kernel);
  }

  clear(): Promise<void> {
    this.#engine.close();
    this.#kernel = createKernel({ limitBytes: memoryBytes });
    this.#head = new Head(this.#kernel);
    return Promise.resolve();
  }

  load({ series, stepMs }: LoadCommand): Promise<void> {
    const appender = new HeadAppender({
      head: this.#head,
      log: { write: () => {} },
      pool: new BatchPool(this.#kernel, 16_384),
      clock: this.#clock,
      counters: new AppendCounters(),
      exemplars: new ExemplarStorage((ref) => this.#head.labels(ref)),
      keepsMetadata: false,
      chunkRangeMs,
      samplesPerChunk: 120,
      futureMaxMs: Infinity,
      minValidTimeMs: -Infinity,
      isReplaying: false,
    });
    for (const { labels, values } of series) {
      const ref = appender.reference(labels);
      for (const [i, value] of values.entries()) {
        if (value.kind === "float") appender.append(ref, i * stepMs, value.value);
        else if (value.kind === "stale") appender.appendStale(ref, i * stepMs);
      }
    }
    appender.commit();
    return Promise.resolve();
  }

  evaluate({ query, isRange, startMs, endMs, stepMs }: EvalCommand): Promise<Answer> {
    const context: QueryContext = {
      queryable: createHeadQueryable(this.#kernel),
      kernel: this.#kernel,
      clock: this.#clock,
      limits: defaultLimits,
      lookbackDeltaMs: 300_000,
      defaultEvalIntervalMs: 60_000,
      features: { delayedNameRemoval: true },
    };
    const answer = (): Answer =>
      isRange
        ? this.#engine.range(query, startMs, endMs, stepMs, context)
        : this.#engine.instant(query, endMs, context);
    return new Promise((resolve) => resolve(answer()));
  }
}
