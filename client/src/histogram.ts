import type { LabelPair, Sample } from "./family.ts";
import { formatFloat } from "./format.ts";
import { Child, Metric, type MetricOptions } from "./metric.ts";
import { MetricError } from "./name.ts";
import { startTimer } from "./timer.ts";

/** Seconds, made for the latency of network requests. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface HistogramOptions<L extends string = never> extends MetricOptions<L> {
  /** Upper bounds, ascending; `+Inf` is added. {@link DEFAULT_BUCKETS} by default. */
  readonly buckets?: readonly number[];
}

export class HistogramChild extends Child {
  sum = 0;
  count = 0;
  readonly #bounds: Float64Array;
  /** Observations per bucket, not cumulative; the last one is +Inf. */
  readonly #counts: Float64Array;
  /** `labels` with `le` added, one per bucket. */
  readonly #bucketLabels: readonly (readonly LabelPair[])[];

  constructor(labels: readonly LabelPair[], bounds: Float64Array) {
    super(labels);
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
    this.#bucketLabels = [...bounds, Infinity].map((bound) => [...labels, ["le", formatFloat(bound)]]);
  }

  /** NaN is counted in +Inf alone, since it is below no bound. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.#counts[low]!++;
    this.sum += value;
    this.count++;
  }

  /** Adds what was observed elsewhere, another thread say: `counts` per bucket, not cumulative and +Inf last, and the sum of the values. */
  observeCounted(counts: readonly number[], sum: number): void {
    if (counts.length !== this.#counts.length)
      throw new MetricError(`${this.#counts.length} buckets expected, got counts of ${counts.length}`);
    for (const [bucket, count] of counts.entries()) {
      this.#counts[bucket]! += count;
      this.count += count;
    }
    this.sum += sum;
  }

  /** Call the returned function to observe the seconds since now; it returns them. */
  startTimer(): () => number {
    return startTimer(this);
  }

  override collect(name: string, samples: Sample[]): void {
    let cumulative = 0;
    for (const [index, labels] of this.#bucketLabels.entries()) {
      cumulative += this.#counts[index]!;
      samples.push({ name: `${name}_bucket`, labels, value: cumulative });
    }
    samples.push({ name: `${name}_sum`, labels: this.labels, value: this.sum });
    samples.push({ name: `${name}_count`, labels: this.labels, value: this.count });
  }
}

/** Counts observations in buckets with fixed upper bounds. */
export class Histogram<L extends string = never> extends Metric<HistogramChild, L> {
  readonly type = "histogram";
  readonly #bounds: Float64Array;

  constructor(options: HistogramOptions<L>) {
    super(options, "le");
    this.#bounds = checkedBounds(this.name, options.buckets ?? DEFAULT_BUCKETS);
    if (this.labelNames.length === 0) this.only();
  }

  protected override createChild(labels: readonly LabelPair[]): HistogramChild {
    return new HistogramChild(labels, this.#bounds);
  }

  observe(this: Histogram, value: number): void {
    this.only().observe(value);
  }

  observeCounted(this: Histogram, counts: readonly number[], sum: number): void {
    this.only().observeCounted(counts, sum);
  }

  startTimer(this: Histogram): () => number {
    return this.only().startTimer();
  }
}

/** `count` bounds, `width` apart, the first at `start`. */
export function linearBuckets(start: number, width: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + width * index);
}

/** `count` bounds, each `factor` times the one before, the first at `start`. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start * factor ** index);
}

function checkedBounds(metric: string, buckets: readonly number[]): Float64Array {
  const bounds = buckets.at(-1) === Infinity ? buckets.slice(0, -1) : buckets;
  for (const [index, bound] of bounds.entries()) {
    if (!Number.isFinite(bound) || (index > 0 && bound <= bounds[index - 1]!)) {
      throw new MetricError(`${metric}: expected ascending finite bucket bounds, got ${buckets.join(", ")}`);
    }
  }
  return Float64Array.from(bounds);
}
