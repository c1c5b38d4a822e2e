import type { Row } from "../../kernel/index.ts";
import {
  type AggregationState,
  compactHistogram,
  type Histogram,
  HistogramMean,
  HistogramSum,
} from "../../model/index.ts";
import { histogramPresent } from "../histogram/column.ts";
import { isIncompatible } from "../histogram/rate.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { Evaluation } from "./evaluation.ts";
import { histogramSamples } from "../histogram/samples.ts";
import { storeAt } from "./histogram-rows.ts";

/** States by group · steps + step, as they travel between threads. */
export type HistogramStates = [key: number, state: AggregationState | "incompatible"][];

/** The sums or means of native histograms by group and step, beside the states of floats. */
export class HistogramGroups {
  readonly #evaluation: Evaluation;
  readonly #steps: number;
  readonly #begin: (first: Histogram) => HistogramSum | HistogramMean;
  /** By group · steps + step; "incompatible" once exponential has met custom buckets. */
  readonly #states = new Map<number, HistogramSum | HistogramMean | "incompatible">();

  constructor(evaluation: Evaluation, op: "sum" | "avg", steps: number) {
    this.#evaluation = evaluation;
    this.#steps = steps;
    this.#begin = op === "sum" ? (first) => new HistogramSum(first) : (first) => new HistogramMean(first);
  }

  get isEmpty(): boolean {
    return this.#states.size === 0;
  }

  /** The states as they stand, for another thread. */
  encode(): HistogramStates {
    return [...this.#states].map(([key, state]) => [key, state === "incompatible" ? state : state.state]);
  }

  /** Merges what another thread found in its share of the series; `group` tells the number that its group has here. */
  merge(states: HistogramStates, group: (theirs: number) => number, remarks: HistogramRemarks): void {
    for (const [theirs, state] of states) {
      const step = theirs % this.#steps;
      const key = group((theirs - step) / this.#steps) * this.#steps + step;
      this.#merge(key, state, remarks);
    }
  }

  #merge(key: number, state: AggregationState | "incompatible", remarks: HistogramRemarks): void {
    const known = this.#states.get(key);
    if (known === "incompatible") return;
    if (state === "incompatible") this.#states.set(key, state);
    else if (known === undefined) this.#states.set(key, this.#resume(state));
    else this.#attempt(key, () => known.merge(state), remarks);
  }

  #resume(state: AggregationState): HistogramSum | HistogramMean {
    const aggregate = this.#begin(state.sum.value);
    aggregate.resume(state);
    return aggregate;
  }

  add(group: number, row: Row, remarks: HistogramRemarks): void {
    const { u8, histograms } = this.#evaluation;
    for (let step = 0; step < this.#steps; step++) {
      if (u8[row.presentPtr + step] !== histogramPresent) continue;
      this.#add(group * this.#steps + step, histograms.get(row.valuesPtr / 8 + step), remarks);
    }
  }

  #add(key: number, histogram: Histogram, remarks: HistogramRemarks): void {
    const state = this.#states.get(key);
    if (state === undefined) {
      this.#evaluation.keepSamples(histogramSamples(histogram));
      this.#states.set(key, this.#begin(histogram));
    } else if (state !== "incompatible") {
      this.#attempt(key, () => state.add(histogram), remarks);
    }
  }

  #attempt(key: number, change: () => void, remarks: HistogramRemarks): void {
    try {
      change();
    } catch (error) {
      if (!isIncompatible(error)) throw error;
      remarks.mixedSchemas();
      this.#states.set(key, "incompatible");
    }
  }

  /** Puts the results of a group into its row, which has those of the floats already: both together make none. */
  finish(group: number, row: Row, remarks: HistogramRemarks): void {
    if (this.isEmpty) return;
    const { u8 } = this.#evaluation;
    for (let step = 0; step < this.#steps; step++) {
      const state = this.#states.get(group * this.#steps + step);
      if (state === undefined) continue;
      const isMixed = u8[row.presentPtr + step] !== 0;
      if (isMixed) remarks.mixedAggregation();
      const isSound = !isMixed && state !== "incompatible";
      storeAt(this.#evaluation, row, step, isSound ? compactHistogram(state.result()) : undefined);
      if (!isSound) continue;
      if (state.remarks.counterResetCollision) remarks.counterResetCollision("aggregation");
      if (state.remarks.boundsReconciled) remarks.boundsReconciled("aggregation");
    }
  }
}
