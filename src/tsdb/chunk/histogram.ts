import { createHistogram, type Histogram, staleHistogram } from "../../model/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";
import { type HistogramLayout } from "./histogram-layout.ts";
import type { HistogramDecoder, HistogramEncoder } from "./histogram-codec.ts";
import { readVarbitInt, readVarbitUint, writeVarbitInt, writeVarbitUint } from "./varbit.ts";
import { XorValue } from "./xor-value.ts";

/**
 * The samples of integer histograms (chunk encoding 2): times and counts as the change of their change, the sum as XOR. Bucket
 * counts are first written as differences to the bucket before.
 */
export class IntegerHistogramEncoder implements HistogramEncoder {
  readonly #sum = new XorValue();
  #timestampMs = 0;
  #timestampDelta = 0;
  readonly #numbers: SecondDifference[] = [];

  encodeFirst(bits: BitWriter, timestampMs: number, histogram: Histogram): void {
    const { count, zeroCount, positive, negative } = histogram;
    this.#timestampMs = timestampMs;
    writeVarbitInt(bits, timestampMs);
    writeVarbitUint(bits, count);
    writeVarbitUint(bits, zeroCount);
    this.#sum.writeFirst(bits, histogram.sum, histogram.isStale);
    const deltas = [...differences(positive.counts), ...differences(negative.counts)];
    for (const delta of deltas) writeVarbitInt(bits, delta);
    for (const value of [count, zeroCount, ...deltas]) this.#numbers.push(new SecondDifference(value));
  }

  encodeNext(bits: BitWriter, timestampMs: number, histogram: Histogram): void {
    const delta = timestampMs - this.#timestampMs;
    writeVarbitInt(bits, delta - this.#timestampDelta);
    this.#timestampMs = timestampMs;
    this.#timestampDelta = delta;
    const { count, zeroCount, positive, negative, isStale } = histogram;
    // A marker counts nothing, and writes that as no change; only markers can follow it.
    writeVarbitInt(bits, isStale ? 0 : this.#numbers[0]!.next(count));
    writeVarbitInt(bits, isStale ? 0 : this.#numbers[1]!.next(zeroCount));
    this.#sum.writeNext(bits, histogram.sum, isStale);
    if (isStale) return;
    let at = 2;
    for (const value of differences(positive.counts)) writeVarbitInt(bits, this.#numbers[at++]!.next(value));
    for (const value of differences(negative.counts)) writeVarbitInt(bits, this.#numbers[at++]!.next(value));
  }
}

export class IntegerHistogramDecoder implements HistogramDecoder {
  readonly #layout: HistogramLayout;
  readonly #sum = new XorValue();
  #timestampMs = 0;
  #timestampDelta = 0;
  #numbers: SecondDifference[] = [];

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
  }

  get isStale(): boolean {
    return this.#sum.isStaleMarker;
  }

  readFirst(bits: BitReader): number {
    this.#timestampMs = readVarbitInt(bits);
    const count = readVarbitUint(bits);
    const zeroCount = readVarbitUint(bits);
    this.#sum.readFirst(bits);
    const { positive, negative } = this.#layout;
    const deltas = Array.from({ length: positive.length + negative.length }, () => readVarbitInt(bits));
    this.#numbers = [count, zeroCount, ...deltas].map((value) => new SecondDifference(value));
    return this.#timestampMs;
  }

  readTime(bits: BitReader): number {
    this.#timestampDelta += readVarbitInt(bits);
    this.#timestampMs += this.#timestampDelta;
    return this.#timestampMs;
  }

  readRest(bits: BitReader): void {
    const numbers = this.#numbers;
    numbers[0]!.change(readVarbitInt(bits));
    numbers[1]!.change(readVarbitInt(bits));
    this.#sum.readNext(bits);
    if (!this.#sum.isStaleMarker)
      for (let i = 2; i < numbers.length; i++) numbers[i]!.change(readVarbitInt(bits));
  }

  histogram(): Histogram {
    if (this.#sum.isStaleMarker) return staleHistogram;
    const { positive, negative, schema, zeroThreshold, customBounds } = this.#layout;
    return createHistogram({
      schema,
      zeroThreshold,
      customBounds,
      count: this.#numbers[0]!.value,
      zeroCount: this.#numbers[1]!.value,
      sum: this.#sum.value,
      positive: { indices: positive, counts: this.#counts(2, positive.length) },
      negative: { indices: negative, counts: this.#counts(2 + positive.length, negative.length) },
    });
  }

  #counts(from: number, length: number): number[] {
    // Of the right length at once: a long range holds very many of these.
    const counts = Array<number>(length);
    let count = 0;
    for (let i = 0; i < length; i++) counts[i] = count += this.#numbers[from + i]!.value;
    return counts;
  }
}

/** A whole number that mostly changes by the same amount. */
class SecondDifference {
  value: number;
  #delta = 0;

  constructor(value: number) {
    this.value = value;
  }

  /** Takes the next value and returns by how much its change differs from the last one. */
  next(value: number): number {
    const delta = value - this.value;
    const difference = delta - this.#delta;
    this.value = value;
    this.#delta = delta;
    return difference;
  }

  change(difference: number): void {
    this.#delta += difference;
    this.value += this.#delta;
  }
}

function differences(counts: readonly number[]): number[] {
  return counts.map((count, i) => (i === 0 ? count : count - counts[i - 1]!));
}
