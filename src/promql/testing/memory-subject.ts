import { parseNumber, ClassicHistogram, Labels } from "../../model/index.ts";
import { SimulatedClock } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { decodeHistogramChunk, HistogramChunk } from "../../tsdb/chunk/histogram-chunk.ts";
import { defaultLimits, type QueryContext } from "../context.ts";
import { Engine } from "../engine.ts";
import type { Answer } from "./expectation.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Subject } from "./run.ts";
import type { EvalCommand, LoadCommand, LoadedSeries } from "./script.ts";
import type { DescribedHistogram, DescribedValue } from "./series-description.ts";

const memoryBytes = 64 * 1024 * 1024;

/**
 * The engine over plain arrays, with native histograms. These go through the chunks of a storage, so that they come back with the hints
 * that a storage knows. Start timestamps are left out.
 */
export class MemorySubject implements Subject {
  readonly #engine = new Engine({
    parser: { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true },
  });
  readonly #kernel: Kernel = createKernel({ limitBytes: memoryBytes });
  readonly #storage = new MemoryStorage(this.#kernel);

  clear(): Promise<void> {
    this.#storage.clear();
    return Promise.resolve();
  }

  load({ series, stepMs, withCustomBuckets }: LoadCommand): Promise<void> {
    for (const one of series) this.#loadSeries(one.labels, one.values, stepMs);
    if (withCustomBuckets) {
      for (const { labels, values } of customHistograms(series)) this.#loadSeries(labels, values, stepMs);
    }
    return Promise.resolve();
  }

  evaluate({ query, isRange, startMs, endMs, stepMs }: EvalCommand): Promise<Answer> {
    const context: QueryContext = {
      queryable: this.#storage,
      kernel: this.#kernel,
      clock: new SimulatedClock(),
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

  #loadSeries(labels: Labels, values: readonly DescribedValue[], stepMs: number): void {
    let chunk: HistogramChunk | undefined;
    for (const [i, value] of values.entries()) {
      if (value.kind === "omitted") continue;
      if (value.kind === "histogram") {
        chunk = this.#append(labels, chunk, i * stepMs, value);
        continue;
      }
      this.#store(labels, chunk);
      chunk = undefined;
      this.#storage.append(labels, i * stepMs, value.kind === "stale" ? "stale" : value.value);
    }
    this.#store(labels, chunk);
  }

  /** Appends to the open chunk, or begins the next one. */
  #append(
    labels: Labels,
    open: HistogramChunk | undefined,
    timestampMs: number,
    { histogram }: DescribedHistogram,
  ): HistogramChunk {
    const outcome = open?.append(timestampMs, histogram) ?? { nextHeader: "unknown" };
    if (open !== undefined && typeof outcome === "string") return open;
    this.#store(labels, open);
    const next = new HistogramChunk(3, typeof outcome === "string" ? "unknown" : outcome.nextHeader);
    next.append(timestampMs, histogram);
    return next;
  }

  #store(labels: Labels, chunk: HistogramChunk | undefined): void {
    if (chunk === undefined) return;
    for (const { timestampMs, histogram } of decodeHistogramChunk(3, chunk.bytes()))
      this.#storage.appendHistogram(labels, timestampMs, histogram);
  }
}

/** The native histograms with custom buckets that the series of classic ones are worth. */
function customHistograms(series: readonly LoadedSeries[]): LoadedSeries[] {
  const found = new Map<string, { labels: Labels; classics: (ClassicHistogram | undefined)[] }>();
  for (const { labels, values } of series) {
    const [, name, suffix] = /^(.*)(_bucket|_sum|_count)$/.exec(labels.get("__name__")) ?? [];
    if (name === undefined) continue;
    const own = Labels.from([...labels.without("le", "__name__"), ["__name__", name]]);
    const entry = found.get(own.key()) ?? { labels: own, classics: [] };
    found.set(own.key(), entry);
    for (const [i, value] of values.entries()) {
      if (value.kind !== "float") continue;
      const classic = (entry.classics[i] ??= new ClassicHistogram());
      const bound = parseNumber(labels.get("le"));
      if (suffix === "_sum") classic.setSum(value.value);
      else if (suffix === "_count") classic.setCount(value.value);
      else if (bound !== undefined) classic.setBucket(bound, value.value);
    }
  }
  return [...found.values()].map(({ labels, classics }) => ({
    labels,
    values: Array.from(classics, (classic): DescribedValue => {
      if (classic === undefined) return { kind: "omitted" };
      return { kind: "histogram", histogram: classic.convert().histogram, hasHint: false };
    }),
  }));
}
