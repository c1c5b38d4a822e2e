import {
  addHistograms,
  type Histogram,
  type HistogramCombination,
  subtractHistograms,
} from "../../model/index.ts";
import type { HistogramRemarks } from "./remarks.ts";

/** Adds and subtracts histograms of one series, remarking on reconciled bounds. Conflicting hints mean nothing here, for resets are looked after. */
export class RemarkingSum {
  histogram: Histogram;
  readonly #remarks: HistogramRemarks;

  constructor(histogram: Histogram, remarks: HistogramRemarks) {
    this.histogram = histogram;
    this.#remarks = remarks;
  }

  add(histogram: Histogram): void {
    this.#take(addHistograms(this.histogram, histogram), "addition");
  }

  subtract(histogram: Histogram): void {
    this.#take(subtractHistograms(this.histogram, histogram), "subtraction");
  }

  #take({ histogram, boundsReconciled }: HistogramCombination, operation: "addition" | "subtraction"): void {
    this.histogram = histogram;
    if (boundsReconciled) this.#remarks.boundsReconciled(operation);
  }
}
