import { type Clock, SimulatedClock } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { ExemplarStorage } from "../../tsdb/exemplar/exemplar-storage.ts";
import { AppendTotals, HeadAppender } from "../../tsdb/head/appender.ts";
import { BatchPool } from "../../tsdb/head/batch-pool.ts";
import { Head } from "../../tsdb/head/head.ts";
import { createHeadQueryable } from "../../tsdb/index.ts";
import type { Appender } from "../../storage/index.ts";
import { defaultLimits, type QueryContext } from "../context.ts";
import { Engine } from "../engine.ts";
import { customHistograms } from "./custom-histograms.ts";
import type { Answer } from "./expectation.ts";
import type { Subject } from "./run.ts";
import type { EvalCommand, LoadCommand } from "./script.ts";
import type { DescribedValue } from "./series-description.ts";

const memoryBytes = 64 * 1024 * 1024;
const chunkRangeMs = 7_200_000;

/** The engine over a head without a WAL. Start timestamps are left out: the head has no place for them. */
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

  load({ series, stepMs, withCustomBuckets }: LoadCommand): Promise<void> {
    const appender = new HeadAppender({
      head: this.#head,
      log: { write: () => {} },
      pool: new BatchPool(this.#kernel, 16_384),
      clock: this.#clock,
      counters: new AppendTotals(),
      exemplars: new ExemplarStorage((ref) => this.#head.labels(ref)),
      keepsMetadata: false,
      chunkRangeMs,
      samplesPerChunk: 120,
      futureMaxMs: Infinity,
      minValidTimeMs: -Infinity,
      isReplaying: false,
    });
    const all = withCustomBuckets ? [...series, ...customHistograms(series)] : series;
    for (const { labels, values } of all) {
      const ref = appender.reference(labels);
      for (const [i, value] of values.entries()) appendValue(appender, ref, i * stepMs, value);
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

function appendValue(appender: Appender, ref: number, timestampMs: number, value: DescribedValue): void {
  if (value.kind === "float") appender.append(ref, timestampMs, value.value);
  else if (value.kind === "stale") appender.appendStale(ref, timestampMs);
  else if (value.kind === "histogram") appender.appendHistogram(ref, timestampMs, value.histogram, "float");
}
