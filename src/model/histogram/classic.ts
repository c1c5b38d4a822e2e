import { NarthexError } from "../../base/index.ts";
import { formatShortest } from "../number.ts";
import { createHistogram, customBucketsSchema, type Histogram } from "./histogram.ts";
import { compactHistogram } from "./layout.ts";

/** The series of one classic histogram at one moment, from which a native one with custom buckets is made. */
export class ClassicHistogram {
  readonly #buckets = new Map<number, number>();
  #count: number | undefined;
  #sum = 0;

  /** A cumulative bucket; of equal bounds the first holds. */
  setBucket(upperBound: number, count: number): void {
    if (Number.isNaN(upperBound)) fail("bucket boundary is NaN");
    if (count < 0) {
      const what = `le=${formatShortest(upperBound)}, count=${formatShortest(count)}`;
      fail(`bucket count must be non-negative: ${what}`);
    }
    if (!this.#buckets.has(upperBound)) this.#buckets.set(upperBound, count);
  }

  setCount(count: number): void {
    if (count < 0) fail(`count must be non-negative: count=${formatShortest(count)}`);
    this.#count = count;
  }

  setSum(sum: number): void {
    this.#sum = sum;
  }

  /** Throws `bad_data` when counts decrease or do not add up. `isFloat` says that some count is no whole number. */
  convert(): { histogram: Histogram; isFloat: boolean } {
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b);
    const count = this.#count ?? buckets.at(-1)?.[1] ?? 0;
    if (buckets.at(-1)?.[0] !== Infinity) buckets.push([Infinity, count]);
    const counts = buckets.map(([, upTo], i) => {
      const before = i === 0 ? 0 : buckets[i - 1]![1];
      if (upTo < before) fail(`count is not cumulative: ${formatShortest(upTo)} < ${formatShortest(before)}`);
      return upTo - before;
    });
    const all = buckets.at(-1)![1];
    if (all !== count) {
      fail(`count mismatch: count=${formatShortest(count)} != le=+Inf count=${formatShortest(all)}`);
    }
    const isFloat = ![count, ...buckets.map(([, upTo]) => upTo)].every(Number.isInteger);
    const histogram = createHistogram({
      schema: customBucketsSchema,
      count,
      sum: this.#sum,
      customBounds: buckets.slice(0, -1).map(([bound]) => bound),
      positive: { indices: counts.map((_, i) => i), counts },
    });
    return { histogram: compactHistogram(histogram, isFloat ? 0 : wholeGapMax), isFloat };
  }
}

/** Upstream writes gaps of so many empty buckets out in integer histograms. */
const wholeGapMax = 2;

function fail(reason: string): never {
  throw new NarthexError("bad_data", reason);
}
