import {
  addHistograms,
  checkCompatible,
  combineCounterResets,
  divideHistogram,
  multiplyHistogram,
} from "./arithmetic.ts";
import { reducedIndex } from "./bounds.ts";
import { CompensatedSum } from "./compensated-sum.ts";
import { type Buckets, hasCustomBuckets, type Histogram, noBuckets, sameNumbers } from "./histogram.ts";
import {
  commonBounds,
  countInside,
  countWithin,
  targetBuckets,
  withoutFirst,
  zeroThresholdFrom,
} from "./layout.ts";

/**
 * A sum of histograms and, number by number, what rounding has lost of it. Both parts have the same layout.
 */
export interface CompensatedHistogram {
  readonly value: Histogram;
  readonly lost: Histogram;
}

/** Nothing is lost as yet: −0, which added to −0 leaves it. */
export function uncompensated(value: Histogram): CompensatedHistogram {
  const { positive, negative } = value;
  const lost = {
    ...value,
    zeroCount: -0,
    count: -0,
    sum: -0,
    positive: zeros(positive),
    negative: zeros(negative),
  };
  return { value, lost };
}

function zeros({ indices, counts }: Buckets): Buckets {
  return { indices, counts: counts.map(() => -0) };
}

/** What the sum comes to; empty buckets are kept. */
export function totalOf({ value, lost }: CompensatedHistogram): Histogram {
  return addHistograms(value, lost).histogram;
}

export function multiplyCompensated(
  { value, lost }: CompensatedHistogram,
  factor: number,
): CompensatedHistogram {
  return { value: multiplyHistogram(value, factor), lost: multiplyHistogram(lost, factor) };
}

export function divideCompensated(
  { value, lost }: CompensatedHistogram,
  divisor: number,
): CompensatedHistogram {
  return { value: divideHistogram(value, divisor), lost: divideHistogram(lost, divisor) };
}

/**
 * Adds a histogram to a sum, as `add` does; where the buckets are the same, `RunningSum` does so with less ado. Says whether custom bounds had to be reconciled. Throws `execution` when exponential
 * meets custom buckets.
 */
export function addCompensated(
  sum: CompensatedHistogram,
  histogram: Histogram,
): { sum: CompensatedHistogram; boundsReconciled: boolean } {
  checkCompatible(sum.value, histogram);
  const count = new CompensatedSum(sum.value.count, sum.lost.count);
  count.add(histogram.count);
  const total = new CompensatedSum(sum.value.sum, sum.lost.sum);
  total.add(histogram.sum);
  const { hint: counterReset } = combineCounterResets(sum.value.counterReset, histogram.counterReset);
  const boundsReconciled =
    hasCustomBuckets(histogram) && !sameNumbers(sum.value.customBounds, histogram.customBounds);
  const { value, lost } = boundsReconciled ? addCustom(sum, histogram) : addAligned(sum, histogram);
  return {
    sum: {
      value: { ...value, counterReset, count: count.value, sum: total.value },
      lost: { ...lost, counterReset, count: count.lost, sum: total.lost },
    },
    boundsReconciled,
  };
}

/** Whether bucket can be added to bucket, as for nearly all histograms of one metric: then nothing has to be moved or merged. */
export function hasSameBuckets(a: Histogram, b: Histogram): boolean {
  return (
    a.schema === b.schema &&
    sameNumbers(a.customBounds, b.customBounds) &&
    a.zeroThreshold === b.zeroThreshold &&
    sameNumbers(a.positive.indices, b.positive.indices) &&
    sameNumbers(a.negative.indices, b.negative.indices) &&
    (b.zeroThreshold === 0 ||
      (countWithin(b.positive, b.schema, b.zeroThreshold) === 0 &&
        countWithin(b.negative, b.schema, b.zeroThreshold) === 0))
  );
}

function addAligned(sum: CompensatedHistogram, histogram: Histogram): CompensatedHistogram {
  let addend = uncompensated(histogram);
  if (!hasCustomBuckets(histogram)) {
    while (sum.value.zeroThreshold !== addend.value.zeroThreshold) {
      if (sum.value.zeroThreshold > addend.value.zeroThreshold)
        addend = withZeroThreshold(addend, sum.value.zeroThreshold);
      else sum = withZeroThreshold(sum, addend.value.zeroThreshold);
    }
    const schema = Math.min(sum.value.schema, addend.value.schema);
    sum = reduce(sum, schema);
    addend = reduce(addend, schema);
  }
  const zero = new CompensatedSum(sum.value.zeroCount, sum.lost.zeroCount);
  zero.add(addend.value.zeroCount);
  zero.add(addend.lost.zeroCount);
  return assemble(sum, zero, (side) => {
    const within = countWithin(addend.value[side], addend.value.schema, addend.value.zeroThreshold);
    return addLanes(laneOf(sum, side), laneOf(addend, side, within));
  });
}

function addCustom(sum: CompensatedHistogram, histogram: Histogram): CompensatedHistogram {
  const customBounds = commonBounds(sum.value.customBounds, histogram.customBounds);
  const totals = Array.from({ length: customBounds.length + 1 }, () => new CompensatedSum(0, 0));
  const { counts, lost } = laneOf(sum, "positive");
  targetBuckets(sum.value, customBounds).forEach((target, i) => {
    totals[target]!.add(counts[i]!);
    totals[target]!.add(lost[i]!);
  });
  const { positive } = histogram;
  targetBuckets(histogram, customBounds).forEach((target, i) => {
    totals[target]!.add(positive.counts[i]!);
  });
  const populated = totals
    .map((total, index) => ({ total, index }))
    .filter(({ total }) => total.value !== 0 || total.lost !== 0);
  const shared = populated.map(({ index }) => index);
  return {
    value: {
      ...sum.value,
      customBounds,
      positive: { indices: shared, counts: populated.map(({ total }) => total.value) },
    },
    lost: {
      ...sum.lost,
      customBounds,
      positive: { indices: shared, counts: populated.map(({ total }) => total.lost) },
    },
  };
}

/** The buckets of one side with both their parts. */
interface Lane {
  readonly indices: readonly number[];
  readonly counts: readonly number[];
  readonly lost: readonly number[];
}

type Side = "positive" | "negative";

function laneOf({ value, lost }: CompensatedHistogram, side: Side, from = 0): Lane {
  const { indices, counts } = withoutFirst(value[side], from);
  return { indices, counts, lost: withoutFirst(lost[side], from).counts };
}

function assemble(
  { value, lost }: CompensatedHistogram,
  zero: CompensatedSum,
  lane: (side: Side) => Lane,
): CompensatedHistogram {
  const positive = lane("positive");
  const negative = hasCustomBuckets(value) ? { ...noBuckets, lost: [] } : lane("negative");
  return {
    value: { ...value, zeroCount: zero.value, positive: values(positive), negative: values(negative) },
    lost: { ...lost, zeroCount: zero.lost, positive: losses(positive), negative: losses(negative) },
  };
}

function values({ indices, counts }: Lane): Buckets {
  return { indices, counts };
}

function losses({ indices, lost }: Lane): Buckets {
  return { indices, counts: lost };
}

function addLanes(a: Lane, b: Lane): Lane {
  if (b.indices.length === 0) return a;
  const indices: number[] = [];
  const counts: number[] = [];
  const lost: number[] = [];
  const total = new CompensatedSum(0, 0);
  let i = 0;
  let j = 0;
  while (i < a.indices.length || j < b.indices.length) {
    const left = i < a.indices.length ? a.indices[i]! : Infinity;
    const right = j < b.indices.length ? b.indices[j]! : Infinity;
    const first = left <= right;
    total.value = first ? a.counts[i]! : b.counts[j]!;
    total.lost = first ? a.lost[i]! : b.lost[j]!;
    if (left === right) {
      total.add(b.counts[j]!);
      if (b.lost[j] !== 0) total.add(b.lost[j]!);
    }
    if (left <= right) i++;
    if (right <= left) j++;
    indices.push(Math.min(left, right));
    counts.push(total.value);
    lost.push(total.lost);
  }
  return { indices: sameNumbers(indices, a.indices) ? a.indices : indices, counts, lost };
}

function reduce(sum: CompensatedHistogram, schema: number): CompensatedHistogram {
  if (schema === sum.value.schema) return sum;
  const { value, lost } = assemble(sum, new CompensatedSum(sum.value.zeroCount, sum.lost.zeroCount), (side) =>
    reduceLane(laneOf(sum, side), sum.value.schema, schema),
  );
  return { value: { ...value, schema }, lost: { ...lost, schema } };
}

function reduceLane(lane: Lane, schema: number, targetSchema: number): Lane {
  const indices: number[] = [];
  const totals: CompensatedSum[] = [];
  lane.indices.forEach((index, i) => {
    const target = reducedIndex(index, schema, targetSchema);
    if (indices.at(-1) === target) {
      totals.at(-1)!.add(lane.counts[i]!);
      totals.at(-1)!.add(lane.lost[i]!);
    } else {
      indices.push(target);
      totals.push(new CompensatedSum(lane.counts[i]!, lane.lost[i]!));
    }
  });
  return { indices, counts: totals.map(({ value }) => value), lost: totals.map(({ lost }) => lost) };
}

function withZeroThreshold(sum: CompensatedHistogram, least: number): CompensatedHistogram {
  const zeroThreshold = zeroThresholdFrom(sum.value, least);
  const zero = new CompensatedSum(sum.value.zeroCount, sum.lost.zeroCount);
  const { value, lost } = assemble(sum, zero, (side) => {
    const inside = countInside(sum.value[side], sum.value.schema, zeroThreshold);
    const { counts, lost: losses } = laneOf(sum, side);
    for (let i = 0; i < inside; i++) {
      zero.add(counts[i]!);
      zero.add(losses[i]!);
    }
    return laneOf(sum, side, inside);
  });
  return { value: { ...value, zeroThreshold }, lost: { ...lost, zeroThreshold } };
}
