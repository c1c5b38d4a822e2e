import { type Clock, SimulatedClock } from "../../base/index.ts";
import { defaultLimits, type QueryContext } from "../context.ts";
import { Engine } from "../engine.ts";
import { customHistograms } from "./custom-histograms.ts";
import type { Answer } from "./expectation.ts";
import type { Subject } from "./run.ts";
import type { EvalCommand, LoadCommand, LoadedSeries } from "./script.ts";
import { type SeriesSample, TestHead, type TestSeries } from "./test-head.ts";

/** The engine over a head. */
export class HeadSubject implements Subject {
  readonly #clock: Clock = new SimulatedClock();
  readonly #engine = new Engine({
    parser: { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true },
  });
  #head = new TestHead();

  clear(): Promise<void> {
    this.#engine.close();
    this.#head = new TestHead();
    return Promise.resolve();
  }

  load({ series, stepMs, withCustomBuckets }: LoadCommand): Promise<void> {
    const all = withCustomBuckets ? [...series, ...customHistograms(series)] : series;
    this.#head.append(all.map((one) => placed(one, stepMs)));
    return Promise.resolve();
  }

  evaluate({ query, isRange, startMs, endMs, stepMs }: EvalCommand): Promise<Answer> {
    const { kernel, queryable } = this.#head;
    const context: QueryContext = {
      queryable,
      kernel,
      clock: this.#clock,
      limits: defaultLimits,
      lookbackDeltaMs: 300_000,
      defaultEvalIntervalMs: 60_000,
      features: { delayedNameRemoval: true, startTimestamps: true },
    };
    const answer = (): Answer =>
      isRange
        ? this.#engine.range(query, startMs, endMs, stepMs, context)
        : this.#engine.instant(query, endMs, context);
    return new Promise((resolve) => resolve(answer()));
  }
}

/** A series with a sample each step, where the description has not left one out. */
function placed({ labels, values, startOffsetsMs = [] }: LoadedSeries, stepMs: number): TestSeries {
  const samples = values.flatMap((described, i): SeriesSample[] => {
    const timestampMs = i * stepMs;
    if (described.kind === "omitted") return [];
    const offsetMs = startOffsetsMs[i];
    const startTimestampMs = offsetMs === undefined ? 0 : timestampMs + offsetMs;
    if (described.kind === "stale") return [{ timestampMs, value: "stale", startTimestampMs }];
    const value = described.kind === "float" ? described.value : described.histogram;
    return [{ timestampMs, value, startTimestampMs }];
  });
  return { labels, samples };
}
