import { type RowAggregationName, aggregateStateBytes } from "../../kernel/index.ts";

/** Places in a state, in f64: `aggregateStateBytes` in the kernel. */
const value = 0;
const compensation = 1;
const samples = 2;
/** stddev, stdvar: the mean. avg: not 0 once `value` is a running mean instead of the sum. */
const mean = 3;
export const stateLength = aggregateStateBytes / 8;

/**
 * Adds the states of one part of a group to those of another, step by step; both are f64 views over `steps` states. The order
 * of summation differs from upstream's, so the last digit of sums over several readers may.
 */
export function mergeStates(
  name: RowAggregationName,
  into: Float64Array,
  from: Float64Array,
  steps: number,
): void {
  for (let step = 0; step < steps; step++) {
    const a = step * stateLength;
    if (from[a + samples] === 0) continue;
    if (into[a + samples] === 0) {
      for (let i = 0; i < stateLength; i++) into[a + i] = from[a + i]!;
      continue;
    }
    mergeState(name, into.subarray(a, a + stateLength), from.subarray(a, a + stateLength));
    into[a + samples]! += from[a + samples]!;
  }
}

/** Both parts have samples; the counts are added by the caller. */
function mergeState(name: RowAggregationName, a: Float64Array, b: Float64Array): void {
  switch (name) {
    case "sum":
      return addCompensated(a, b);
    case "avg":
      return mergeAverage(a, b);
    case "min":
      if (a[value]! > b[value]! || Number.isNaN(a[value]!)) a[value] = b[value]!;
      return;
    case "max":
      if (a[value]! < b[value]! || Number.isNaN(a[value]!)) a[value] = b[value]!;
      return;
    case "stddev":
    case "stdvar":
      return mergeVariance(a, b);
    case "count":
    case "group":
      return;
  }
}

function addCompensated(a: Float64Array, b: Float64Array): void {
  const x = a[value]!;
  const y = b[value]!;
  const next = x + y;
  const lost = Math.abs(x) >= Math.abs(y) ? x - next + y : y - next + x;
  a[value] = next;
  a[compensation] = Math.abs(next) === Infinity ? 0 : a[compensation]! + b[compensation]! + lost;
}

function mergeAverage(a: Float64Array, b: Float64Array): void {
  if (a[mean] === 0 && b[mean] === 0 && Number.isFinite(a[value]! + b[value]!)) return addCompensated(a, b);
  const total = a[samples]! + b[samples]!;
  a[value] = average(a) * (a[samples]! / total) + average(b) * (b[samples]! / total);
  a[compensation] = 0;
  a[mean] = 1;
}

function average(state: Float64Array): number {
  const divisor = state[mean] === 0 ? state[samples]! : 1;
  return state[value]! / divisor + state[compensation]! / divisor;
}

function mergeVariance(a: Float64Array, b: Float64Array): void {
  const total = a[samples]! + b[samples]!;
  const delta = b[mean]! - a[mean]!;
  a[value]! += b[value]! + (delta * delta * a[samples]! * b[samples]!) / total;
  a[mean]! += (delta * b[samples]!) / total;
}
