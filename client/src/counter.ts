import type { LabelPair, Sample } from "./family.ts";
import { Child, Metric, type MetricOptions } from "./metric.ts";
import { MetricError } from "./name.ts";

export class CounterChild extends Child {
  value = 0;

  inc(by = 1): void {
    if (!(by >= 0)) throw new MetricError(`a counter cannot be changed by ${by}: expected a number ≥ 0`);
    this.value += by;
  }

  override collect(name: string, samples: Sample[]): void {
    samples.push({ name, labels: this.labels, value: this.value });
  }
}

/** A number that only goes up, until the process restarts. By convention its name ends in `_total`. */
export class Counter<L extends string = never> extends Metric<CounterChild, L> {
  readonly type = "counter";

  constructor(options: MetricOptions<L>) {
    super(options);
    if (this.labelNames.length === 0) this.only();
  }

  protected override createChild(labels: readonly LabelPair[]): CounterChild {
    return new CounterChild(labels);
  }

  inc(this: Counter, by = 1): void {
    this.only().inc(by);
  }

  get value(): number {
    return this.only().value;
  }
}
