import { combineCounterResets } from "./arithmetic.ts";
import { type CompensatedHistogram, hasSameBuckets } from "./compensated.ts";
import { CompensatedSum } from "./compensated-sum.ts";
import type { Buckets, CounterReset, Histogram } from "./histogram.ts";

/** A sum of histograms that all have the same buckets, added up in place. Equals what `addCompensated` makes of them. */
export class RunningSum {
  /** What does not change; its counts mean nothing. */
  readonly #layout: Histogram;
  #counterReset: CounterReset;
  readonly #count: CompensatedSum;
  readonly #sum: CompensatedSum;
  readonly #zeroCount: CompensatedSum;
  readonly #positive: RunningCounts;
  readonly #negative: RunningCounts;

  constructor({ value, lost }: CompensatedHistogram) {
    this.#layout = value;
    this.#counterReset = value.counterReset;
    this.#count = new CompensatedSum(value.count, lost.count);
    this.#sum = new CompensatedSum(value.sum, lost.sum);
    this.#zeroCount = new CompensatedSum(value.zeroCount, lost.zeroCount);
    this.#positive = new RunningCounts(value.positive, lost.positive);
    this.#negative = new RunningCounts(value.negative, lost.negative);
  }

  /** Whether the histogram has the buckets of the sum. */
  fits(histogram: Histogram): boolean {
    return hasSameBuckets(this.#layout, histogram);
  }

  /** Of a histogram that fits. */
  add({ count, sum, zeroCount, positive, negative, counterReset }: Histogram): void {
    this.#count.add(count);
    this.#sum.add(sum);
    this.#zeroCount.add(zeroCount);
    this.#zeroCount.add(-0);
    this.#positive.add(positive);
    this.#negative.add(negative);
    if (counterReset !== this.#counterReset)
      this.#counterReset = combineCounterResets(this.#counterReset, counterReset).hint;
  }

  /** Whether some number would become infinite with a histogram that fits. */
  overflowsWith({ count, sum, zeroCount, positive, negative }: Histogram): boolean {
    return (
      isInfinite(this.#count.value + count) ||
      isInfinite(this.#sum.value + sum) ||
      isInfinite(this.#zeroCount.value + zeroCount) ||
      this.#positive.overflowsWith(positive) ||
      this.#negative.overflowsWith(negative)
    );
  }

  /** The sum as it stands, a copy. */
  get state(): CompensatedHistogram {
    const layout = { ...this.#layout, counterReset: this.#counterReset };
    return {
      value: {
        ...layout,
        zeroCount: this.#zeroCount.value,
        count: this.#count.value,
        sum: this.#sum.value,
        positive: this.#positive.values,
        negative: this.#negative.values,
      },
      lost: {
        ...layout,
        zeroCount: this.#zeroCount.lost,
        count: this.#count.lost,
        sum: this.#sum.lost,
        positive: this.#positive.losses,
        negative: this.#negative.losses,
      },
    };
  }
}

/** The counts of one side and what rounding has lost of them. */
class RunningCounts {
  readonly #indices: readonly number[];
  readonly #counts: number[];
  readonly #lost: number[];

  constructor({ indices, counts }: Buckets, { counts: lost }: Buckets) {
    this.#indices = indices;
    this.#counts = [...counts];
    this.#lost = [...lost];
  }

  get values(): Buckets {
    return { indices: this.#indices, counts: [...this.#counts] };
  }

  get losses(): Buckets {
    return { indices: this.#indices, counts: [...this.#lost] };
  }

  /** As `CompensatedSum.add`, count by count. */
  add({ counts }: Buckets): void {
    const own = this.#counts;
    const lost = this.#lost;
    for (let i = 0; i < own.length; i++) {
      const value = own[i]!;
      const addend = counts[i]!;
      const total = value + addend;
      if (isInfinite(total)) lost[i] = 0;
      else if (Math.abs(value) >= Math.abs(addend)) lost[i] = lost[i]! + (value - total + addend);
      else lost[i] = lost[i]! + (addend - total + value);
      own[i] = total;
    }
  }

  overflowsWith({ counts }: Buckets): boolean {
    return this.#counts.some((value, i) => isInfinite(value + counts[i]!));
  }
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}
