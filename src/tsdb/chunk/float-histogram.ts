import { createHistogram, type Histogram, staleHistogram } from "../../model/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";
import type { HistogramDecoder, HistogramEncoder } from "./histogram-codec.ts";
import { type HistogramLayout } from "./histogram-layout.ts";
import { readVarbitInt, writeVarbitInt } from "./varbit.ts";
import { XorValue } from "./xor-value.ts";

/** The samples of float histograms (chunk encoding 3): times as the change of their change, every number as XOR. */
export class FloatHistogramEncoder implements HistogramEncoder {
  #timestampMs = 0;
  #timestampDelta = 0;
  #numbers: XorValue[] = [];

  encodeFirst(bits: BitWriter, timestampMs: number, histogram: Histogram): void {
    this.#timestampMs = timestampMs;
    writeVarbitInt(bits, timestampMs);
    this.#numbers = numbersOf(histogram).map((number, i) => {
      const value = new XorValue();
      value.writeFirst(bits, number, i === sumPlace && histogram.isStale);
      return value;
    });
  }

  encodeNext(bits: BitWriter, timestampMs: number, histogram: Histogram): void {
    const delta = timestampMs - this.#timestampMs;
    writeVarbitInt(bits, delta - this.#timestampDelta);
    this.#timestampMs = timestampMs;
    this.#timestampDelta = delta;
    numbersOf(histogram).forEach((number, i) => {
      this.#numbers[i]!.writeNext(bits, number, i === sumPlace && histogram.isStale);
    });
  }
}

export class FloatHistogramDecoder implements HistogramDecoder {
  readonly #layout: HistogramLayout;
  readonly #numbers: XorValue[];
  #timestampMs = 0;
  #timestampDelta = 0;

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    const length = sumPlace + 1 + layout.positive.length + layout.negative.length;
    this.#numbers = Array.from({ length }, () => new XorValue());
  }

  get isStale(): boolean {
    return this.#numbers[sumPlace]!.isStaleMarker;
  }

  readFirst(bits: BitReader): number {
    this.#timestampMs = readVarbitInt(bits);
    for (const number of this.#numbers) number.readFirst(bits);
    return this.#timestampMs;
  }

  readTime(bits: BitReader): number {
    this.#timestampDelta += readVarbitInt(bits);
    this.#timestampMs += this.#timestampDelta;
    return this.#timestampMs;
  }

  readRest(bits: BitReader): void {
    for (let i = 0; i < this.#numbers.length; i++) {
      this.#numbers[i]!.readNext(bits);
      if (i === sumPlace && this.#numbers[i]!.isStaleMarker) break;
    }
  }

  histogram(): Histogram {
    const [count, zeroCount, sum, ...counts] = this.#numbers as [XorValue, XorValue, XorValue, ...XorValue[]];
    if (sum.isStaleMarker) return staleHistogram;
    const { positive, negative, schema, zeroThreshold, customBounds } = this.#layout;
    const values = counts.map(({ value }) => value);
    return createHistogram({
      schema,
      zeroThreshold,
      customBounds,
      count: count.value,
      zeroCount: zeroCount.value,
      sum: sum.value,
      positive: { indices: positive, counts: values.slice(0, positive.length) },
      negative: { indices: negative, counts: values.slice(positive.length) },
    });
  }
}

const sumPlace = 2;

/** A histogram's numbers in the order in which they are written; a marker has no buckets. */
function numbersOf({ count, zeroCount, sum, positive, negative, isStale }: Histogram): number[] {
  return isStale ? [0, 0, sum] : [count, zeroCount, sum, ...positive.counts, ...negative.counts];
}
