import {
  createHistogram,
  customBucketsSchema,
  type Histogram,
  Labels,
  reduceResolution,
} from "../../src/model/index.ts";
import type { SeriesSample, TestSeries } from "../../src/promql/testing/index.ts";
import { randomNumbers } from "./promql-data.ts";

export interface PeerDataOptions {
  seed: number;
  startMs: number;
  durationMs: number;
  /** Samples lie on the grid of their interval, where windows end; otherwise never within 200 ms of a whole second. */
  aligned: boolean;
  /**
   * Data that 2.42 answers otherwise about: native histograms with custom buckets, of floats, mixed with floats; counters with resets and
   * gaps, since how a gap is extrapolated near zero has changed; histograms near zero, which were extrapolated beyond it; numbers whose
   * squares overflow; −0, which sums that are compensated make 0 of.
   */
  current: boolean;
  /** Whether samples say since when they count: since the last reset, a reset that is told by nothing else, or nothing. */
  startTimestamps?: boolean;
  /** Whether series are told to be counters, or not, by a label. */
  typeAndUnitLabels?: boolean;
}

type Value = SeriesSample["value"];

const bounds = ["0.1", "0.5", "1", "5", "+Inf"];
const instances = ["a:1", "b:1", "c:1"];

/**
 * Counters with resets, gauges, classic and native histograms, info metrics; with gaps, stale markers, NaN, infinities and negative
 * zero, every 5, 15 or 60 s. Floats are multiples of 1/64, so that their sums are exact in any order. Ordered by labels, and
 * every series has a sample before `startMs`, so that the peer creates them in this order.
 */
export function peerSamples(options: PeerDataOptions): TestSeries[] {
  const data = new PeerData(options);
  for (const job of ["api", "web"]) for (const instance of instances) data.addInstance(job, instance);
  data.addOddities();
  return data.series.sort((a, b) => a.labels.compare(b.labels));
}

class PeerData {
  readonly series: TestSeries[] = [];
  readonly #options: PeerDataOptions;
  readonly #random: () => number;

  constructor(options: PeerDataOptions) {
    this.#options = options;
    this.#random = randomNumbers(options.seed);
  }

  addInstance(job: string, instance: string): void {
    const base = { job, instance };
    // How a gap beside a reset is extrapolated has changed.
    const isWhole = !this.#options.current;
    for (const path of ["/", "/x", "/y"]) {
      this.#add({ __name__: "requests_total", ...base, path }, 15, this.#counter(0.01), isWhole);
      if (path !== "/y")
        this.#add({ __name__: "errors_total", ...base, path }, 15, this.#counter(0.02), isWhole);
    }
    const version = instance === "a:1" ? "1.2" : "1.3";
    this.#add({ __name__: "build_info", ...base, version }, 15, () => 1);
    this.#add({ __name__: "target_info", ...base, region: `r${this.#below(2)}` }, 60, () => 1);
    for (const sensor of ["1", "2"])
      this.#add({ __name__: "temperature", ...base, sensor }, 15, this.#gauge());
    this.#add({ __name__: "fast_total", ...base }, 5, this.#counter(0.003), isWhole);
    this.#add({ __name__: "slow", ...base }, 60, this.#gauge());
    if (this.#options.current)
      this.#add({ __name__: "http.requests", "data.center": "eü", ...base }, 15, this.#counter(0.01));
    this.#add({ __name__: "sparse", ...base }, 15, (i) => {
      if (i % 60 === 25) return "stale";
      return i % 60 < 25 || i % 60 > 45 ? i : undefined;
    });
    this.#addClassicHistogram(base);
    this.#addNativeHistograms(base, instance);
  }

  addOddities(): void {
    this.#add({ __name__: "odd", kind: "nan" }, 15, (i) => (i % 3 === 0 ? NaN : i));
    this.#add({ __name__: "odd", kind: "inf" }, 15, (i) => (i % 50 === 0 ? Infinity : -i));
    this.#add({ __name__: "odd", kind: "-inf" }, 15, (i) => (i % 7 === 0 ? -Infinity : i));
    this.#add({ __name__: "odd", kind: "zero" }, 15, (i) => (i % 2 === 0 || !this.#options.current ? 0 : -0));
    if (this.#options.current)
      this.#add({ __name__: "odd", kind: "huge" }, 15, (i) => (i % 5 === 0 ? Number.MAX_VALUE : 1));
    this.#add({ __name__: "odd", kind: "constant" }, 15, () => 42);
  }

  #addClassicHistogram(base: Record<string, string>): void {
    const baseCount = this.#options.current ? 0 : 100_000;
    const counts = bounds.map((_, bucket) => baseCount * (bucket + 1));
    const rows: number[][] = [];
    const row = (i: number): number[] => {
      while (rows.length <= i) {
        if (this.#random() < 0.01) counts.forEach((_, bucket) => (counts[bucket] = 0));
        let added = 0;
        for (let b = 0; b < bounds.length; b++) counts[b]! += added += this.#below(5);
        rows.push([...counts]);
      }
      return rows[i]!;
    };
    bounds.forEach((le, bucket) => {
      this.#add({ __name__: "latency_seconds_bucket", ...base, le }, 15, (i) => row(i)[bucket]!, true);
    });
  }

  #addNativeHistograms(base: Record<string, string>, instance: string): void {
    const schema = this.#below(5);
    this.#add({ __name__: "sizes", ...base }, 15, this.#histogram(schema, 0.02));
    this.#add({ __name__: "sizes_gauge", ...base }, 15, this.#gaugeHistogram());
    if (!this.#options.current) return;
    const histogram = this.#histogram(2, 0.02);
    const counter = this.#counter(0.01);
    this.#add({ __name__: "mixed", ...base }, 15, (i) => {
      const value = histogram(i);
      return Math.floor(i / 30) % 2 === 0 ? value : counter(i);
    });
    const custom = instance === "c:1" ? [0.1, 1, 10] : [0.1, 0.5, 1, 5];
    this.#add({ __name__: "custom", ...base }, 15, this.#customHistogram(custom));
  }

  #counter(resets: number): (i: number) => number {
    let total = (this.#options.current ? 0 : 100_000) + this.#below(100);
    return () => {
      if (this.#random() < resets) total = 0;
      return (total += this.#below(20));
    };
  }

  #gauge(): (i: number) => number {
    let value = this.#below(2560) - 1280;
    return () => (value += this.#below(257) - 128) / 64;
  }

  /** A counter of observations; half-way the resolution is halved, now and then it starts anew. */
  #histogram(schema: number, resets: number): (i: number) => Value {
    const isFloat = this.#options.current && this.#random() < 0.3;
    const counts = { positive: new Map<number, number>(), negative: new Map<number, number>() };
    const { current } = this.#options;
    let [zeroCount, sum] = [current ? 0 : 1_000_000, 0];
    return (i) => {
      if (current && this.#random() < resets) {
        counts.positive.clear();
        counts.negative.clear();
        [zeroCount, sum] = [0, 0];
      }
      for (let n = this.#below(6); n >= 0; n--) {
        const side = this.#random() < 0.25 ? counts.negative : counts.positive;
        const index = this.#below(12) - 4 + (this.#random() < 0.05 ? 20 : 0);
        side.set(index, (side.get(index) ?? 0) + (isFloat ? 0.5 : 1));
        sum += (side === counts.negative ? -1 : 1) * (this.#below(64) / 8);
      }
      zeroCount += this.#below(3);
      const full = fromCounts(schema, counts.positive, counts.negative, zeroCount, sum);
      return i > 120 && schema > 0 ? reduceResolution(full, schema - 1) : full;
    };
  }

  #gaugeHistogram(): (i: number) => Value {
    return () => {
      const counts = new Map(Array.from({ length: 4 }, () => [this.#below(10) - 3, this.#below(7)] as const));
      return { ...fromCounts(1, counts, new Map(), this.#below(4), this.#below(99)), counterReset: "gauge" };
    };
  }

  #customHistogram(customBounds: number[]): (i: number) => Value {
    let counts = new Map<number, number>();
    let sum = 0;
    return () => {
      if (this.#random() < 0.01) [counts, sum] = [new Map(), 0];
      for (let n = this.#below(5); n >= 0; n--) {
        const index = this.#below(customBounds.length + 1);
        counts.set(index, (counts.get(index) ?? 0) + 1);
        sum += this.#below(80) / 8;
      }
      const histogram = fromCounts(customBucketsSchema, counts, new Map(), 0, sum);
      return { ...histogram, zeroThreshold: 0, customBounds };
    };
  }

  #add(
    labels: Record<string, string>,
    intervalS: number,
    value: (i: number) => Value | undefined,
    isWhole = false,
  ): void {
    const { startMs, durationMs, aligned } = this.#options;
    const intervalMs = intervalS * 1000;
    const offsetMs = aligned ? 0 : this.#below(intervalS - 1) * 1000 + 217;
    const samples: SeriesSample[] = [];
    let gap = 0;
    for (let i = -1; i < durationMs / intervalMs; i++) {
      const current = value(Math.max(i, 0));
      if (!isWhole && i >= 0 && gap === 0 && this.#random() < 0.01) {
        gap = 1 + this.#below(40);
        if (this.#random() < 0.5)
          samples.push({ timestampMs: startMs + i * intervalMs + offsetMs, value: "stale" });
      }
      if (gap > 0 && i >= 0) gap--;
      else if (current !== undefined) {
        const jitterMs = aligned || isWhole ? 0 : this.#below(7) - 3;
        samples.push({ timestampMs: startMs + i * intervalMs + offsetMs + jitterMs, value: current });
      }
    }
    const type = this.#options.typeAndUnitLabels ? this.#type() : {};
    this.series.push({
      labels: Labels.from({ ...labels, ...type }),
      samples: this.#withStarts(samples, intervalMs),
    });
  }

  #type(): Record<string, string> {
    const type = ["", "counter", "gauge", "histogram", "gaugehistogram"][this.#below(5)]!;
    return type === "" ? {} : { __type__: type };
  }

  #withStarts(samples: SeriesSample[], intervalMs: number): SeriesSample[] {
    if (!this.#options.startTimestamps || this.#random() < 0.2) return samples;
    let startTimestampMs = 0;
    return samples.map((sample, i) => {
      if (sample.value === "stale") return sample;
      const before = samples[i - 1]?.value;
      const [size, sizeBefore] = [sample.value, before].map(sizeOf);
      if (i === 0 || size! < sizeBefore! || this.#random() < 0.02)
        startTimestampMs = sample.timestampMs - this.#below(intervalMs + 2);
      return this.#random() < 0.03 ? sample : { ...sample, startTimestampMs };
    });
  }

  /** A whole number from 0 to `end` − 1. */
  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

function sizeOf(value: Value | undefined): number {
  if (typeof value === "number") return value;
  return typeof value === "object" ? value.count : -Infinity;
}

function fromCounts(
  schema: number,
  positive: ReadonlyMap<number, number>,
  negative: ReadonlyMap<number, number>,
  zeroCount: number,
  sum: number,
): Histogram {
  const side = (counts: ReadonlyMap<number, number>): Histogram["positive"] => {
    const sorted = [...counts].sort(([a], [b]) => a - b);
    return { indices: sorted.map(([index]) => index), counts: sorted.map(([, count]) => count) };
  };
  let count = zeroCount;
  for (const each of [...positive.values(), ...negative.values()]) count += each;
  const zeroThreshold = 2 ** -20;
  return createHistogram({
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum,
    positive: side(positive),
    negative: side(negative),
  });
}
