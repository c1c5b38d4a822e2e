import type { LabelPair, Sample } from "./family.ts";
import { formatFloat } from "./format.ts";
import { Child, Metric, type MetricOptions } from "./metric.ts";
import { MetricError } from "./name.ts";
import { QuantileSketch } from "./sketch.ts";
import { startTimer } from "./timer.ts";

const WINDOW_SECONDS = 600;
/** The window slides in this many steps. */
const WINDOW_PARTS = 5;

export interface SummaryOptions<L extends string = never> extends MetricOptions<L> {
  /** Quantiles (0…1) to expose beside sum and count; none by default. */
  readonly quantiles?: readonly number[];
  /** How far back the quantiles look, in seconds; ten minutes by default. Sum and count look back to the start. */
  readonly windowSeconds?: number;
  /** A monotonic clock in milliseconds, for tests. */
  readonly nowMs?: () => number;
}

interface Window {
  readonly quantiles: readonly number[];
  readonly partMs: number;
  readonly nowMs: () => number;
}

export class SummaryChild extends Child {
  sum = 0;
  count = 0;
  readonly #window: Window;
  readonly #parts: readonly QuantileSketch[];
  readonly #quantileLabels: readonly (readonly LabelPair[])[];
  #current = 0;
  #currentUntilMs: number;

  constructor(labels: readonly LabelPair[], window: Window) {
    super(labels);
    this.#window = window;
    this.#parts = Array.from(
      { length: window.quantiles.length > 0 ? WINDOW_PARTS : 0 },
      () => new QuantileSketch(),
    );
    this.#quantileLabels = window.quantiles.map((quantile) => [
      ...labels,
      ["quantile", formatFloat(quantile)],
    ]);
    this.#currentUntilMs = window.nowMs() + window.partMs;
  }

  observe(value: number): void {
    this.sum += value;
    this.count++;
    if (this.#parts.length === 0) return;
    this.#slide();
    this.#parts[this.#current]!.add(value);
  }

  /** Call the returned function to observe the seconds since now; it returns them. */
  startTimer(): () => number {
    return startTimer(this);
  }

  override collect(name: string, samples: Sample[]): void {
    if (this.#parts.length > 0) {
      this.#slide();
      const whole = new QuantileSketch();
      for (const part of this.#parts) whole.merge(part);
      for (const [index, value] of whole.quantiles(this.#window.quantiles).entries()) {
        samples.push({ name, labels: this.#quantileLabels[index]!, value });
      }
    }
    samples.push({ name: `${name}_sum`, labels: this.labels, value: this.sum });
    samples.push({ name: `${name}_count`, labels: this.labels, value: this.count });
  }

  /** Empties the parts of the window that time has passed by. */
  #slide(): void {
    const { partMs, nowMs } = this.#window;
    const behindMs = nowMs() - this.#currentUntilMs;
    if (behindMs < 0) return;
    const steps = Math.floor(behindMs / partMs) + 1;
    for (let step = 0; step < Math.min(steps, WINDOW_PARTS); step++) {
      this.#current = (this.#current + 1) % WINDOW_PARTS;
      this.#parts[this.#current]!.clear();
    }
    this.#currentUntilMs += steps * partMs;
  }
}

/** Counts observations and their sum and, when asked, quantiles over a sliding window (each within 1 %). */
export class Summary<L extends string = never> extends Metric<SummaryChild, L> {
  readonly type = "summary";
  readonly #window: Window;

  constructor(options: SummaryOptions<L>) {
    super(options, "quantile");
    const quantiles = [...(options.quantiles ?? [])].sort((a, b) => a - b);
    if (quantiles.some((quantile) => !(quantile >= 0 && quantile <= 1))) {
      throw new MetricError(`${this.name}: expected quantiles between 0 and 1, got ${quantiles.join(", ")}`);
    }
    this.#window = {
      quantiles,
      partMs: ((options.windowSeconds ?? WINDOW_SECONDS) * 1000) / WINDOW_PARTS,
      nowMs: options.nowMs ?? (() => performance.now()),
    };
    if (this.labelNames.length === 0) this.only();
  }

  protected override createChild(labels: readonly LabelPair[]): SummaryChild {
    return new SummaryChild(labels, this.#window);
  }

  observe(this: Summary, value: number): void {
    this.only().observe(value);
  }

  startTimer(this: Summary): () => number {
    return this.only().startTimer();
  }
}
