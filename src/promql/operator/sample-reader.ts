import type { Columns } from "../../kernel/index.ts";
import type { SampleColumns, SeriesSet } from "../../storage/index.ts";
import type { Evaluation } from "./evaluation.ts";

/** Columns that grow to the longest series. Readable slack for the kernel's wide loads comes with every scratch block. */
export class SampleBuffer implements Columns, SampleColumns {
  timestamps = 0;
  values = 0;
  capacity = 0;
  count = 0;

  get tsPtr(): number {
    return this.timestamps;
  }

  get vsPtr(): number {
    return this.values;
  }

  reserve(evaluation: Evaluation, samples: number): void {
    if (samples <= this.capacity) return;
    this.capacity = Math.max(samples, this.capacity * 2, 256);
    this.timestamps = evaluation.allocate(this.capacity * 8);
    this.values = evaluation.allocate(this.capacity * 8);
  }

  read(
    evaluation: Evaluation,
    set: SeriesSet,
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
  ): this {
    this.reserve(evaluation, set.sampleCountMax(series, minTimestampMs, maxTimestampMs));
    this.count = set.read(series, minTimestampMs, maxTimestampMs, dropStale, this);
    evaluation.passSamples(this.count);
    return this;
  }
}
