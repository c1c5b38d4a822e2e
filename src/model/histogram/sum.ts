import {
  addCompensated,
  type CompensatedHistogram,
  divideCompensated,
  multiplyCompensated,
  totalOf,
  uncompensated,
} from "./compensated.ts";
import { divideHistogram } from "./arithmetic.ts";
import type { Histogram } from "./histogram.ts";

/** What a user should hear about how an aggregation of histograms went. */
export class AggregationRemarks {
  #reset = false;
  #notReset = false;
  /** Custom bounds differed, so that only common ones are left. */
  boundsReconciled = false;

  /** One of the histograms said that there was a reset, another that there was none. */
  get counterResetCollision(): boolean {
    return this.#reset && this.#notReset;
  }

  note({ counterReset }: Histogram): void {
    this.#reset ||= counterReset === "reset";
    this.#notReset ||= counterReset === "not_reset";
  }
}

/** Adds up histograms; empty buckets are kept. */
export class HistogramSum {
  readonly remarks = new AggregationRemarks();
  #sum: CompensatedHistogram;

  constructor(first: Histogram) {
    this.#sum = uncompensated(first);
    this.remarks.note(first);
  }

  /** Throws `execution` when exponential meets custom buckets; the sum is then as before. */
  add(histogram: Histogram): void {
    this.remarks.note(histogram);
    const { sum, boundsReconciled } = addCompensated(this.#sum, histogram);
    this.#sum = sum;
    this.remarks.boundsReconciled ||= boundsReconciled;
  }

  result(): Histogram {
    return totalOf(this.#sum);
  }
}

/** The mean of histograms: their sum divided, or from where that is too large for a double, a mean that each one corrects. */
export class HistogramMean {
  readonly remarks = new AggregationRemarks();
  #sum: CompensatedHistogram;
  #count = 1;
  #isIncremental = false;

  constructor(first: Histogram) {
    this.#sum = uncompensated(first);
    this.remarks.note(first);
  }

  /** Throws `execution` when exponential meets custom buckets; then there is no mean. */
  add(histogram: Histogram): void {
    this.remarks.note(histogram);
    const count = ++this.#count;
    if (!this.#isIncremental) {
      const { sum, boundsReconciled } = addCompensated(this.#sum, histogram);
      this.remarks.boundsReconciled ||= boundsReconciled;
      if (!hasOverflow(sum.value)) {
        this.#sum = sum;
        return;
      }
      this.#isIncremental = true;
      this.#sum = divideCompensated(this.#sum, count - 1);
    }
    const share = multiplyCompensated(this.#sum, (count - 1) / count);
    const { sum, boundsReconciled } = addCompensated(share, divideHistogram(histogram, count));
    this.remarks.boundsReconciled ||= boundsReconciled;
    this.#sum = sum;
  }

  result(): Histogram {
    return totalOf(this.#isIncremental ? this.#sum : divideCompensated(this.#sum, this.#count));
  }
}

function hasOverflow({ zeroCount, count, sum, positive, negative, customBounds }: Histogram): boolean {
  return (
    [zeroCount, count, sum].some(isInfinite) ||
    [positive.counts, negative.counts, customBounds].some((values) => values.some(isInfinite))
  );
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}
