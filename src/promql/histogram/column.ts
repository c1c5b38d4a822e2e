import type { Row } from "../../kernel/index.ts";
import type { Histogram } from "../../model/index.ts";
import { histogramSamples } from "./samples.ts";

/** What the presence bytes of a row say of a step: it has no value, a float, or a native histogram. */
export const floatPresent = 1;
export const histogramPresent = 2;

/**
 * The native histograms of a query's rows. A step that has one has the presence byte 2, and the histogram is kept here under the place
 * (index of f64) where its value would be: so a row that is computed anew replaces its own, and who copies a row copies them along.
 */
export class HistogramColumn {
  /** Undefined while no row had any. */
  #byPlace: Map<number, Histogram> | undefined;
  readonly #keepSamples: (count: number) => void;

  /** `keepSamples` hears how many samples more the histograms count for, or fewer. */
  constructor(keepSamples: (count: number) => void) {
    this.#keepSamples = keepSamples;
  }

  /** No row had any so far. */
  get isEmpty(): boolean {
    return this.#byPlace === undefined;
  }

  get(place: number): Histogram {
    return this.#byPlace!.get(place)!;
  }

  set(place: number, histogram: Histogram): void {
    const byPlace = (this.#byPlace ??= new Map<number, Histogram>());
    const before = byPlace.get(place);
    byPlace.set(place, histogram);
    this.#keepSamples(histogramSamples(histogram) - (before === undefined ? 0 : histogramSamples(before)));
  }

  copy(from: number, to: number): void {
    this.set(to, this.get(from));
  }

  /** Copies those of a row, after its presence bytes have been copied. */
  copyRow(u8: Uint8Array, from: Row, to: Row, steps: number): void {
    if (this.isEmpty) return;
    for (let step = 0; step < steps; step++) {
      if (u8[to.presentPtr + step] !== histogramPresent) continue;
      this.copy(from.valuesPtr / 8 + step, to.valuesPtr / 8 + step);
    }
  }

  /** What the histograms of a row count for. */
  samplesIn(u8: Uint8Array, row: Row, steps: number): number {
    if (!this.areIn(u8, row, steps)) return 0;
    let samples = 0;
    for (let step = 0; step < steps; step++)
      if (u8[row.presentPtr + step] === histogramPresent)
        samples += histogramSamples(this.get(row.valuesPtr / 8 + step));
    return samples;
  }

  /** Whether a row has any. */
  areIn(u8: Uint8Array, row: Row, steps: number): boolean {
    if (this.isEmpty) return false;
    return u8.subarray(row.presentPtr, row.presentPtr + steps).includes(histogramPresent);
  }
}
