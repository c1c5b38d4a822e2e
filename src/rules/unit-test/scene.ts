import { SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import {
  defaultLimits,
  type DescribedValue,
  Engine,
  ParseError,
  type ParserOptions,
  parseSeriesDescription,
  type QueryContext,
  type QueryFeatures,
  type QueryValue,
  type SeriesDescription,
} from "../../promql/index.ts";
import { NarthexError } from "../../base/index.ts";
import type { SeriesRef } from "../../storage/index.ts";
import { MemoryHead } from "../../tsdb/index.ts";
import type { VectorSample } from "../rule.ts";
import type { UnitTest } from "./file.ts";

export interface SceneOptions {
  readonly parser: ParserOptions;
  readonly features: QueryFeatures;
  /** The step of subqueries that state none. */
  readonly evaluationIntervalMs: number;
}

const memoryBytes = 1024 * 1024 * 1024;
const lookbackDeltaMs = 300_000;

interface Input {
  readonly labels: Labels;
  readonly values: readonly DescribedValue[];
  ref: SeriesRef | undefined;
  /** The next value. */
  next: number;
}

/** A storage with the input of one test, which appears as the test's time goes on, and an engine that queries it. */
export class Scene {
  readonly storage: MemoryHead;
  readonly #engine: Engine;
  readonly #context: QueryContext;
  readonly #inputs: Input[];
  readonly #startMs: number;
  readonly #intervalMs: number;

  /** Throws `bad_data` when the input cannot be read. */
  constructor(test: UnitTest, { parser, features, evaluationIntervalMs }: SceneOptions) {
    const kernel = createKernel({ limitBytes: memoryBytes });
    this.storage = new MemoryHead(kernel);
    this.#engine = new Engine({ parser });
    this.#context = {
      queryable: this.storage.queryable,
      kernel,
      clock: new SimulatedClock(),
      limits: defaultLimits,
      lookbackDeltaMs,
      defaultEvalIntervalMs: evaluationIntervalMs,
      features,
    };
    this.#startMs = test.startMs;
    this.#intervalMs = test.intervalMs;
    this.#inputs = describeInputs(test);
  }

  /** Appends the input's samples up to the time, which is included. */
  loadUntil(timestampMs: number): void {
    const appender = this.storage.appender();
    for (const input of this.#inputs) {
      for (; input.next < input.values.length; input.next++) {
        const atMs = this.#startMs + input.next * this.#intervalMs;
        if (atMs > timestampMs) break;
        const value = input.values[input.next]!;
        if (value.kind === "omitted") continue;
        const ref = (input.ref ??= appender.reference(input.labels));
        if (value.kind === "stale") appender.appendStale(ref, atMs);
        else if (value.kind === "float") appender.append(ref, atMs, value.value);
        else appender.appendHistogram(ref, atMs, value.histogram, "float");
      }
    }
    appender.commit();
  }

  query(text: string, timestampMs: number): QueryValue {
    return this.#engine.instant(text, timestampMs, this.#context).value;
  }

  /** As rules see an answer: a scalar is one sample without labels. Throws `execution` for what is neither. */
  vector(text: string, timestampMs: number): readonly VectorSample[] {
    const value = this.query(text, timestampMs);
    if (value.type === "vector") return value.samples;
    if (value.type === "scalar") return [{ labels: Labels.empty, timestampMs, value: value.value }];
    throw new NarthexError("execution", "rule result is not a vector or scalar");
  }

  close(): void {
    this.#engine.close();
  }
}

/** As upstream, a series that is described twice is what the last description says. */
function describeInputs({ inputSeries }: UnitTest): Input[] {
  const inputs = new Map<string, Input>();
  for (const [index, { series, values }] of inputSeries.entries()) {
    const described = describe(`${series} ${values}`, index);
    inputs.set(described.labels.key(), { ...described, ref: undefined, next: 0 });
  }
  return [...inputs.values()];
}

/** Upstream tells of a place among the lines of a load command, of which the first says the interval. */
function describe(text: string, index: number): SeriesDescription {
  try {
    return parseSeriesDescription(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ParseError(error.query, error.position, error.reason, index + 1);
  }
}
