import {
  addCompensated,
  type CompensatedHistogram,
  divideCompensated,
  hasSameBuckets,
  multiplyCompensated,
  totalOf,
  uncompensated,
} from "./compensated.ts";
import { divideHistogram } from "./arithmetic.ts";
import type { Histogram } from "./histogram.ts";
import { RunningSum } from "./running-sum.ts";

/** What a user should hear about how an aggregation of histograms went. */
export interface AggregationRemarks {
  /** One of the histograms said that there was a reset, another that there was none. */
  readonly counterResetCollision: boolean;
  /** Custom bounds differed, so that only common ones are left. */
  readonly boundsReconciled: boolean;
}

/** An aggregation as it stands, to be merged with another one elsewhere. A plain object. */
export interface AggregationState {
  readonly sum: CompensatedHistogram;
  readonly count: number;
  /** `sum` is a mean already. */
  readonly isMean: boolean;
  readonly sawReset: boolean;
  readonly sawNoReset: boolean;
  readonly boundsReconciled: boolean;
}

/** Adds up histograms, with what rounding loses; empty buckets are kept. */
abstract class HistogramAggregate {
  protected count = 1;
  protected isMean = false;
  #sum: CompensatedHistogram;
  /** In place of the sum, since two histograms had the same buckets. */
  #running: RunningSum | undefined;
  #sawReset = false;
  #sawNoReset = false;
  #boundsReconciled = false;

  constructor(first: Histogram) {
    this.#sum = uncompensated(first);
    this.#note(first);
  }

  protected get sum(): CompensatedHistogram {
    return this.#running?.state ?? this.#sum;
  }

  protected set sum(sum: CompensatedHistogram) {
    this.#sum = sum;
    this.#running = undefined;
  }

  get remarks(): AggregationRemarks {
    const counterResetCollision = this.#sawReset && this.#sawNoReset;
    return { counterResetCollision, boundsReconciled: this.#boundsReconciled };
  }

  get state(): AggregationState {
    return {
      sum: this.sum,
      count: this.count,
      isMean: this.isMean,
      sawReset: this.#sawReset,
      sawNoReset: this.#sawNoReset,
      boundsReconciled: this.#boundsReconciled,
    };
  }

  /** Throws `execution` when exponential meets custom buckets; the aggregation is then of no further use. */
  add(histogram: Histogram): void {
    this.#note(histogram);
    this.count++;
    this.include(histogram);
  }

  /** Takes up what was aggregated elsewhere, in place of what there is. */
  resume(state: AggregationState): void {
    this.sum = state.sum;
    this.count = state.count;
    this.isMean = state.isMean;
    this.#sawReset = state.sawReset;
    this.#sawNoReset = state.sawNoReset;
    this.#boundsReconciled = state.boundsReconciled;
  }

  /** Adds what was aggregated elsewhere. Throws as `add` does. */
  merge(state: AggregationState): void {
    this.#sawReset ||= state.sawReset;
    this.#sawNoReset ||= state.sawNoReset;
    this.#boundsReconciled ||= state.boundsReconciled;
    this.includeState(state);
  }

  abstract result(): Histogram;

  protected abstract include(histogram: Histogram): void;
  protected abstract includeState(state: AggregationState): void;

  /** The sum, to be added to in place, where the histogram has the same buckets. */
  protected runningSum(histogram: Histogram): RunningSum | undefined {
    if (this.#running === undefined && hasSameBuckets(this.#sum.value, histogram))
      this.#running = new RunningSum(this.#sum);
    return this.#running?.fits(histogram) === true ? this.#running : undefined;
  }

  protected plus(sum: CompensatedHistogram, histogram: Histogram): CompensatedHistogram {
    const added = addCompensated(sum, histogram);
    this.#boundsReconciled ||= added.boundsReconciled;
    return added.sum;
  }

  protected plusBoth(sum: CompensatedHistogram, { value, lost }: CompensatedHistogram): CompensatedHistogram {
    return this.plus(this.plus(sum, value), lost);
  }

  #note({ counterReset }: Histogram): void {
    this.#sawReset ||= counterReset === "reset";
    this.#sawNoReset ||= counterReset === "not_reset";
  }
}

/** The sum of histograms. */
export class HistogramSum extends HistogramAggregate {
  result(): Histogram {
    return totalOf(this.sum);
  }

  protected include(histogram: Histogram): void {
    const running = this.runningSum(histogram);
    if (running === undefined) this.sum = this.plus(this.sum, histogram);
    else running.add(histogram);
  }

  protected includeState({ sum, count }: AggregationState): void {
    this.count += count;
    this.sum = this.plusBoth(this.sum, sum);
  }
}

/** The mean of histograms: their sum divided, or from where that is too large for a double, a mean that each one corrects. */
export class HistogramMean extends HistogramAggregate {
  result(): Histogram {
    return totalOf(this.#mean(this.state));
  }

  protected include(histogram: Histogram): void {
    const { count } = this;
    if (!this.isMean) {
      const running = this.runningSum(histogram);
      if (running?.overflowsWith(histogram) === false) {
        running.add(histogram);
        return;
      }
      const sum = this.plus(this.sum, histogram);
      if (!hasOverflow(sum.value)) {
        this.sum = sum;
        return;
      }
      this.isMean = true;
      this.sum = divideCompensated(this.sum, count - 1);
    }
    const share = multiplyCompensated(this.sum, (count - 1) / count);
    this.sum = this.plus(share, divideHistogram(histogram, count));
  }

  protected includeState(state: AggregationState): void {
    const before = this.state;
    this.count += state.count;
    if (!this.isMean && !state.isMean) {
      const sum = this.plusBoth(this.sum, state.sum);
      if (!hasOverflow(sum.value)) {
        this.sum = sum;
        return;
      }
    }
    this.isMean = true;
    const share = (part: AggregationState): CompensatedHistogram =>
      multiplyCompensated(this.#mean(part), part.count / this.count);
    this.sum = this.plusBoth(share(before), share(state));
  }

  #mean({ sum, count, isMean }: AggregationState): CompensatedHistogram {
    return isMean ? sum : divideCompensated(sum, count);
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
