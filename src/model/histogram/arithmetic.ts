import { NarthexError } from "../../base/index.ts";
import {
  type Buckets,
  type CounterReset,
  hasCustomBuckets,
  type Histogram,
  noBuckets,
  sameNumbers,
} from "./histogram.ts";
import {
  commonBounds,
  countsBetweenBounds,
  countWithin,
  reconcileZeroBuckets,
  reduceResolution,
  targetBuckets,
  withoutFirst,
} from "./layout.ts";

/** A histogram made of two, and what a user should hear about how that went. */
export interface HistogramCombination {
  readonly histogram: Histogram;
  /** One of them said that there was a reset, the other that there was none. */
  readonly counterResetCollision: boolean;
  /** Their custom bounds differ, so that only common ones are left. */
  readonly boundsReconciled: boolean;
}

export const incompatibleSchemas =
  "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas";

/**
 * a + b in the lower of their resolutions, the larger of their zero buckets and their common custom bounds; empty buckets are
 * kept. Throws `execution` when one has exponential and the other custom buckets.
 */
export function addHistograms(a: Histogram, b: Histogram): HistogramCombination {
  return combine(a, b, 1);
}

/** a − b, likewise. The hint is combined as for `add`; where the result is a difference to be shown it has to become `gauge`. */
export function subtractHistograms(a: Histogram, b: Histogram): HistogramCombination {
  return combine(a, b, -1);
}

function combine(a: Histogram, b: Histogram, sign: 1 | -1): HistogramCombination {
  checkCompatible(a, b);
  const { hint, collision } = combineCounterResets(a.counterReset, b.counterReset);
  const bounds = hasCustomBuckets(a) && !sameNumbers(a.customBounds, b.customBounds);
  const combined = bounds ? combineCustom(a, b, sign) : combineAligned(...align(a, b), sign);
  return {
    histogram: {
      ...combined,
      counterReset: hint,
      count: a.count + sign * b.count,
      sum: a.sum + sign * b.sum,
    },
    counterResetCollision: collision,
    boundsReconciled: bounds,
  };
}

export function checkCompatible(a: Histogram, b: Histogram): void {
  if (hasCustomBuckets(a) !== hasCustomBuckets(b)) throw new NarthexError("execution", incompatibleSchemas);
}

/** What is known of resets after two histograms were combined. Mostly both are gauges; else the less certain one wins. */
export function combineCounterResets(
  a: CounterReset,
  b: CounterReset,
): { hint: CounterReset; collision: boolean } {
  if (a === b) return { hint: a, collision: false };
  if (a === "gauge" || b === "gauge") return { hint: "gauge", collision: false };
  return { hint: "unknown", collision: a !== "unknown" && b !== "unknown" };
}

function align(a: Histogram, b: Histogram): [Histogram, Histogram] {
  if (hasCustomBuckets(a)) return [a, b];
  const [left, right] = reconcileZeroBuckets(a, b);
  const schema = Math.min(a.schema, b.schema);
  return [reduceResolution(left, schema), reduceResolution(right, schema)];
}

function combineAligned(a: Histogram, b: Histogram, sign: 1 | -1): Histogram {
  const side = (left: Buckets, right: Buckets): Buckets => {
    const within = countWithin(right, a.schema, a.zeroThreshold);
    return combineBuckets(left, withoutFirst(right, within), sign);
  };
  return {
    ...a,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    positive: side(a.positive, b.positive),
    negative: side(a.negative, b.negative),
  };
}

function combineBuckets(a: Buckets, b: Buckets, sign: 1 | -1): Buckets {
  if (b.indices.length === 0) return a;
  if (sameNumbers(a.indices, b.indices)) {
    // Of the right length at once, here and below: rates over long ranges make very many of these.
    const combined = Array<number>(a.counts.length);
    for (let i = 0; i < combined.length; i++) combined[i] = a.counts[i]! + sign * b.counts[i]!;
    return { indices: a.indices, counts: combined };
  }
  const indices: number[] = [];
  const counts: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.indices.length || j < b.indices.length) {
    const left = i < a.indices.length ? a.indices[i]! : Infinity;
    const right = j < b.indices.length ? b.indices[j]! : Infinity;
    indices.push(Math.min(left, right));
    if (left < right) counts.push(a.counts[i++]!);
    else if (right < left) counts.push(sign * b.counts[j++]!);
    else counts.push(a.counts[i++]! + sign * b.counts[j++]!);
  }
  return { indices, counts };
}

function combineCustom(a: Histogram, b: Histogram, sign: 1 | -1): Histogram {
  const customBounds = commonBounds(a.customBounds, b.customBounds);
  const totals = countsBetweenBounds(a, customBounds);
  targetBuckets(b, customBounds).forEach((target, i) => {
    totals[target]! += sign * b.positive.counts[i]!;
  });
  return { ...a, customBounds, positive: populatedBuckets(totals) };
}

/** The populated ones of counts that stand for buckets 0, 1, 2 … */
function populatedBuckets(totals: readonly number[]): Buckets {
  const indices = [...totals.keys()].filter((index) => totals[index] !== 0);
  return { indices, counts: indices.map((index) => totals[index]!) };
}

/** Everything counted `factor` times; a negative factor makes a gauge of it. */
export function multiplyHistogram(histogram: Histogram, factor: number): Histogram {
  return scale(histogram, factor, (value) => value * factor, multiplyCounts);
}

/** Everything divided; a division by zero leaves no buckets. */
export function divideHistogram(histogram: Histogram, divisor: number): Histogram {
  const scaled = scale(histogram, divisor, (value) => value / divisor, divideCounts);
  return divisor === 0 ? { ...scaled, positive: noBuckets, negative: noBuckets } : scaled;
}

export function negateHistogram(histogram: Histogram): Histogram {
  return multiplyHistogram(histogram, -1);
}

function scale(
  histogram: Histogram,
  factor: number,
  change: (value: number) => number,
  changeCounts: (counts: readonly number[], factor: number) => number[],
): Histogram {
  const { positive, negative } = histogram;
  return {
    ...histogram,
    counterReset: factor < 0 ? "gauge" : histogram.counterReset,
    zeroCount: change(histogram.zeroCount),
    count: change(histogram.count),
    sum: change(histogram.sum),
    positive: { indices: positive.indices, counts: changeCounts(positive.counts, factor) },
    negative: { indices: negative.indices, counts: changeCounts(negative.counts, factor) },
  };
}

function multiplyCounts(counts: readonly number[], factor: number): number[] {
  const scaled = Array<number>(counts.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = counts[i]! * factor;
  return scaled;
}

function divideCounts(counts: readonly number[], divisor: number): number[] {
  const scaled = Array<number>(counts.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = counts[i]! / divisor;
  return scaled;
}
