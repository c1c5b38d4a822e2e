import type { Columns, Steps } from "../../kernel/index.ts";
import {
  type HistogramNeed,
  type HistogramSample,
  noStarts,
  type SampleColumns,
  type SeriesSet,
  type StartTimestamps,
  type StoredHistogram,
} from "../../storage/index.ts";
import { histogramSamples } from "../histogram/samples.ts";
import { withoutBuckets } from "../histogram/reset-hints.ts";
import type { Selector } from "../plan/plan.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FillRows } from "./operator.ts";
import { RowsAhead } from "./rows-ahead.ts";

/** Samples that may be appended to a series between the question how many there are and their reading. */
const spareSamples = 256;

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
    if (samples + spareSamples <= this.capacity) return;
    this.capacity = Math.max(samples + spareSamples, this.capacity * 2);
    this.timestamps = evaluation.allocate(this.capacity * 8);
    this.values = evaluation.allocate(this.capacity * 8);
  }

  /** The room behind the samples that are there. */
  rest(): SampleColumns {
    const { count } = this;
    return {
      timestamps: this.timestamps + count * 8,
      values: this.values + count * 8,
      capacity: this.capacity - count,
    };
  }
}

/** The histograms that are the newest at one of the steps. */
class NewestAtSteps implements HistogramNeed {
  readonly shapeOnly: boolean;
  readonly #look: Steps;
  readonly #maxTimestampMs: number;

  constructor(look: Steps, maxTimestampMs: number, shapeOnly: boolean) {
    this.#look = look;
    this.#maxTimestampMs = maxTimestampMs;
    this.shapeOnly = shapeOnly;
  }

  isWanted(timestampMs: number, nextMs: number): boolean {
    const { startMs, stepMs, count } = this.#look;
    // The first step that is not before the sample.
    const step = Math.max(0, Math.ceil((timestampMs - startMs) / stepMs));
    return step < count && (startMs + step * stepMs < nextMs || nextMs > this.#maxTimestampMs);
  }
}

/** Windows that lie further apart than this are read one by one where that opens fewer chunks. */
const gapMsMin = 30 * 60_000;
/** Series with fewer samples are read as a whole. */
const samplesMin = 1000;

/** Reads from each series of a selector the samples that its windows need: those up to `windowMs` before each step's look. */
export class WindowReader {
  readonly #evaluation: Evaluation;
  readonly #selector: Selector;
  readonly #look: Steps;
  readonly #windowMs: number;
  readonly #dropStale: boolean;
  readonly #hasGaps: boolean;
  readonly #buffer = new SampleBuffer();
  #countsOnly = false;
  #need: HistogramNeed | undefined;
  /** Those that were read last. */
  #histograms: readonly StoredHistogram[] = [];

  constructor(evaluation: Evaluation, selector: Selector, look: Steps, windowMs: number, dropStale: boolean) {
    this.#evaluation = evaluation;
    this.#selector = selector;
    this.#look = look;
    this.#windowMs = windowMs;
    this.#dropStale = dropStale;
    this.#hasGaps = look.count > 1 && look.stepMs - windowMs >= gapMsMin && selector.extension === undefined;
  }

  /** The columns are valid until the next call. */
  read(set: SeriesSet, series: number): Columns {
    if (this.#hasGaps) return this.#readApart(set, series);
    return this.readFrom(set, series, this.#selector.minTimestampMs);
  }

  /** Rows that `fill` computes of many series at once; undefined when each has to be read in parts. */
  ahead(fill: FillRows): RowsAhead | undefined {
    if (this.#hasGaps) return undefined;
    return new RowsAhead(this.#evaluation, this.#selector, this.#dropStale, this.#look.count, fill);
  }

  /** From now on histograms may be missing that are not the newest at one of the steps. `shapeOnly`: what they count means nothing. */
  newestOnly(shapeOnly: boolean): void {
    this.#need = new NewestAtSteps(this.#look, this.#selector.maxTimestampMs, shapeOnly);
  }

  /** From now on histograms come without buckets, and with the hints that comparing them yields. */
  countOnly(): void {
    this.#countsOnly = true;
  }

  /** The native histograms that the windows may need. */
  histograms(set: SeriesSet, series: number): readonly HistogramSample[] {
    const { minTimestampMs, maxTimestampMs } = this.#selector;
    const range = [minTimestampMs, maxTimestampMs] as const;
    const samples = set.readHistograms?.(series, ...range, this.#dropStale, this.#need) ?? [];
    this.#histograms = samples;
    if (samples.length === 0) return samples;
    const size = samples.reduce((sum, { histogram }) => sum + histogramSamples(histogram), 0);
    this.#evaluation.passSamples(this.#buffer.count + size);
    return this.#countsOnly ? withoutBuckets(samples) : samples;
  }

  /** Since when the samples count that were read last, of both kinds. */
  starts(set: SeriesSet, series: number): StartTimestamps {
    const { minTimestampMs, maxTimestampMs } = this.#selector;
    const ofFloats = set.readStarts?.(series, minTimestampMs, maxTimestampMs) ?? noStarts;
    const known = this.#histograms.filter(({ startTimestampMs }) => startTimestampMs !== 0);
    if (known.length === 0) return ofFloats;
    const starts = new Map(ofFloats);
    for (const { timestampMs, startTimestampMs } of known) starts.set(timestampMs, startTimestampMs);
    return starts;
  }

  /** The newest sample from `minTimestampMs` on: alone where the storage has it at hand, otherwise after all others. */
  readNewestFrom(set: SeriesSet, series: number, minTimestampMs: number): Columns {
    const buffer = this.#buffer;
    buffer.reserve(this.#evaluation, 1);
    if (set.readNewest?.(series, minTimestampMs, this.#selector.maxTimestampMs, buffer) !== 1)
      return this.readFrom(set, series, minTimestampMs);
    buffer.count = 1;
    this.#evaluation.passSamples(1);
    return buffer;
  }

  /** All samples from `minTimestampMs` on. */
  readFrom(set: SeriesSet, series: number, minTimestampMs: number): Columns {
    const { maxTimestampMs } = this.#selector;
    const buffer = this.#buffer;
    buffer.reserve(this.#evaluation, set.sampleCountMax(series, minTimestampMs, maxTimestampMs));
    buffer.count = set.read(series, minTimestampMs, maxTimestampMs, this.#dropStale, buffer);
    this.#evaluation.passSamples(buffer.count);
    return buffer;
  }

  #readApart(set: SeriesSet, series: number): Columns {
    const { minTimestampMs, maxTimestampMs } = this.#selector;
    const { startMs, stepMs, count } = this.#look;
    const whole = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
    let apart = 0;
    if (whole >= samplesMin) {
      for (let step = 0; step < count; step++) {
        const endMs = startMs + step * stepMs;
        apart += set.sampleCountMax(series, endMs - this.#windowMs + 1, endMs);
      }
    }
    if (whole < samplesMin || apart * 2 > whole) return this.readFrom(set, series, minTimestampMs);
    const buffer = this.#buffer;
    buffer.reserve(this.#evaluation, apart);
    buffer.count = 0;
    for (let step = 0; step < count; step++) {
      const endMs = startMs + step * stepMs;
      buffer.count += set.read(series, endMs - this.#windowMs + 1, endMs, this.#dropStale, buffer.rest());
    }
    this.#evaluation.passSamples(buffer.count);
    return buffer;
  }
}
