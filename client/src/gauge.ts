import type { LabelPair, Sample } from "./family.ts";
import { Child, Metric, type MetricOptions } from "./metric.ts";

export class GaugeChild extends Child {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  inc(by = 1): void {
    this.value += by;
  }

  dec(by = 1): void {
    this.value -= by;
  }

  /** Sets the gauge to the wall clock, in seconds since the epoch. */
  setToCurrentTime(): void {
    this.value = Date.now() / 1000;
  }

  override collect(name: string, samples: Sample[]): void {
    samples.push({ name, labels: this.labels, value: this.value });
  }
}

/** A number that goes up and down. */
export class Gauge<L extends string = never> extends Metric<GaugeChild, L> {
  readonly type = "gauge";

  constructor(options: MetricOptions<L>) {
    super(options);
    if (this.labelNames.length === 0) this.only();
  }

  protected override createChild(labels: readonly LabelPair[]): GaugeChild {
    return new GaugeChild(labels);
  }

  set(this: Gauge, value: number): void {
    this.only().set(value);
  }

  inc(this: Gauge, by = 1): void {
    this.only().inc(by);
  }

  dec(this: Gauge, by = 1): void {
    this.only().dec(by);
  }

  setToCurrentTime(this: Gauge): void {
    this.only().setToCurrentTime();
  }

  get value(): number {
    return this.only().value;
  }
}
