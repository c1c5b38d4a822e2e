import assert from "node:assert/strict";
import type { Kernel } from "../kernel/index.ts";
import {
  createHistogram,
  customBucketsSchema,
  type Histogram,
  Labels,
  staleHistogram,
} from "../model/index.ts";
import type { Appender, HistogramKind, Queryable, SeriesSet, StoredHistogram } from "../storage/index.ts";

const minuteMs = 60_000;
/** Of each kind of samples one, and one that has all. */
export const seriesKinds = [
  "float",
  "startedFloat",
  "counter",
  "floatCounter",
  "gauge",
  "customBuckets",
  "mixed",
] as const;
type SampleKind = Exclude<(typeof seriesKinds)[number], "mixed">;

export function labelsOf(id: number): Labels {
  return Labels.from({ __name__: "m", id: `${id}` });
}

/** A sample as the history's storage has to tell it: all of it follows from series and time. */
interface Sample {
  readonly kind: SampleKind;
  readonly startTimestampMs: number;
  readonly value: number;
  readonly histogram: Histogram;
}

function sampleOf(id: number, timestampMs: number): Sample {
  const minute = Math.floor(timestampMs / minuteMs);
  const of = seriesKinds[id]!;
  const kinds = ["float", "counter", "startedFloat", "floatCounter"] as const;
  const kind = of === "mixed" ? kinds[Math.floor(minute / 7) % kinds.length]! : of;
  const hasStart = kind === "startedFloat" || (kind === "counter" && minute % 3 === 0);
  return {
    kind,
    startTimestampMs: hasStart && minute % 5 !== 0 ? timestampMs - 1000 * (1 + (minute % 11)) : 0,
    value: minute * 10 + id,
    histogram: histogramOf(kind, minute),
  };
}

/** Counters are reset each 50 minutes, and have other buckets each 20. */
function histogramOf(kind: SampleKind, minute: number): Histogram {
  const layout = Math.floor(minute / 20) % 3;
  const grown = minute % 50;
  const indices = kind === "customBuckets" ? [0, 1, 2] : [layout - 2, layout, 3 + layout];
  const counts = [1 + grown, 2 + grown, 3];
  const zeroCount = kind === "customBuckets" ? 0 : grown;
  return createHistogram({
    schema: kind === "customBuckets" ? customBucketsSchema : layout === 1 ? 2 : 0,
    counterReset: kind === "gauge" ? "gauge" : "unknown",
    zeroThreshold: kind === "customBuckets" ? 0 : 0.001,
    zeroCount,
    count: counts.reduce((sum, count) => sum + count, zeroCount),
    sum: minute,
    positive: { indices, counts },
    customBounds: kind === "customBuckets" ? [1, 2 + layout] : [],
  });
}

function isFloat(kind: SampleKind): boolean {
  return kind === "float" || kind === "startedFloat";
}

function storedKind(kind: SampleKind): HistogramKind {
  return kind === "floatCounter" || kind === "gauge" ? "float" : "integer";
}

/** Appends the sample that a series has at that time. */
export function appendSample(appender: Appender, id: number, timestampMs: number): void {
  const { kind, startTimestampMs, value, histogram } = sampleOf(id, timestampMs);
  const ref = appender.reference(labelsOf(id));
  if (isFloat(kind)) appender.append(ref, timestampMs, value, startTimestampMs);
  else appender.appendHistogram(ref, timestampMs, histogram, storedKind(kind), startTimestampMs);
}

/** All that is stored, in words, by series and time. */
export type Told = Map<number, Map<number, string>>;

/** What there should be. */
export class HistoryModel {
  readonly #samples = seriesKinds.map(() => new Map<number, string>());
  readonly #deleted = seriesKinds.map(() => [] as (readonly [minMs: number, maxMs: number])[]);

  append(id: number, timestampMs: number): void {
    const { kind, startTimestampMs, value, histogram } = sampleOf(id, timestampMs);
    const text = isFloat(kind) ? `${value}` : textOf({ histogram, kind: storedKind(kind) });
    this.#samples[id]!.set(timestampMs, `${text} since ${startTimestampMs}`);
  }

  appendStale(id: number, timestampMs: number): void {
    this.#samples[id]!.set(timestampMs, "stale");
  }

  delete(id: number, minMs: number, maxMs: number): void {
    for (const timestampMs of this.#samples[id]!.keys())
      if (timestampMs >= minMs && timestampMs <= maxMs) this.#samples[id]!.delete(timestampMs);
    this.#deleted[id]!.push([minMs, maxMs]);
  }

  /** Whether a sample of that time was, or would have been, deleted: nothing says whether one that comes later comes back. */
  wasDeleted(id: number, timestampMs: number): boolean {
    return this.#deleted[id]!.some(([minMs, maxMs]) => minMs <= timestampMs && timestampMs <= maxMs);
  }

  /** Time of the newest sample of a series, -Infinity when it has none. */
  newestMs(id: number): number {
    return Math.max(-Infinity, ...this.#samples[id]!.keys());
  }

  tell(): Told {
    return sorted(new Map(this.#samples.map((samples, id) => [id, samples])));
  }
}

/** All that a storage has. Whatever says that a counter was not reset must be right. */
export function tellStored(kernel: Kernel, queryable: Queryable): Told {
  const range = [0, Number.MAX_SAFE_INTEGER] as const;
  const told: Told = new Map();
  const querier = queryable.querier(...range);
  const mark = kernel.scratch.mark();
  try {
    const set = querier.select([], { minTimestampMs: range[0], maxTimestampMs: range[1] }, true);
    for (let series = 0; series < set.length; series++) {
      const id = Number(set.labels(series).get("id"));
      const samples = tellFloats(kernel, set, series);
      const histograms = set.readHistograms!(series, ...range, false);
      checkResets(histograms);
      for (const { timestampMs, startTimestampMs, ...rest } of histograms) {
        assert.ok(!samples.has(timestampMs), `series ${id} has one sample at ${timestampMs}`);
        samples.set(
          timestampMs,
          rest.histogram.isStale ? "stale" : `${textOf(rest)} since ${startTimestampMs}`,
        );
      }
      told.set(id, samples);
      kernel.scratch.release(mark);
    }
    return sorted(told);
  } finally {
    querier.close();
  }
}

function tellFloats(kernel: Kernel, set: SeriesSet, series: number): Map<number, string> {
  const range = [0, Number.MAX_SAFE_INTEGER] as const;
  const capacity = set.sampleCountMax(series, ...range);
  const timestamps = kernel.scratch.allocate(8 * capacity + 64);
  const values = kernel.scratch.allocate(8 * capacity + 64);
  const count = set.read(series, ...range, false, { timestamps, values, capacity });
  const starts = set.readStarts!(series, ...range);
  const samples = new Map<number, string>();
  for (let i = 0; i < count; i++) {
    const timestampMs = kernel.views.f64[timestamps / 8 + i]!;
    const value = kernel.views.f64[values / 8 + i]!;
    assert.ok(!samples.has(timestampMs), `one float at ${timestampMs}`);
    samples.set(
      timestampMs,
      Number.isNaN(value) ? "stale" : `${value} since ${starts.get(timestampMs) ?? 0}`,
    );
  }
  return samples;
}

function checkResets(histograms: readonly StoredHistogram[]): void {
  for (const [i, { timestampMs, histogram }] of histograms.entries()) {
    if (histogram.counterReset !== "not_reset" || i === 0) continue;
    const before = histograms[i - 1]!.histogram;
    if (before.isStale) continue;
    assert.ok(histogram.count >= before.count, `reset before ${timestampMs} is told`);
  }
}

/** Without what is known of resets, and without empty buckets. */
function textOf({ histogram, kind }: { histogram: Histogram; kind: HistogramKind }): string {
  if (histogram === staleHistogram) return "stale";
  const { schema, zeroCount, count, sum, positive, customBounds, counterReset } = histogram;
  const buckets = positive.indices.flatMap((index, i) =>
    positive.counts[i] === 0 ? [] : [`${index}:${positive.counts[i]}`],
  );
  const gauge = counterReset === "gauge" ? " gauge" : "";
  return `${kind}${gauge} ${schema} [${customBounds.join(" ")}] ${zeroCount} ${count} ${sum} ${buckets.join(" ")}`;
}

function sorted(told: Told): Told {
  const entries = [...told].filter(([, samples]) => samples.size > 0).sort(([a], [b]) => a - b);
  return new Map(entries.map(([id, samples]) => [id, new Map([...samples].sort(([a], [b]) => a - b))]));
}
