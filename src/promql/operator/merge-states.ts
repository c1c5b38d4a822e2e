import { type RowAggregationName, aggregateStateBytes } from "../../kernel/index.ts";

/** Places in a state, in f64: `aggregateStateBytes` in the kernel. */
const value = 0;
const compensation = 1;
const samples = 2;
/** stddev, stdvar: the mean. avg: not 0 once `value` is a running mean instead of the sum. */
const mean = 3;
export const stateLength = aggregateStateBytes / 8;

/** Adds one state to another, both of which have samples; `at` is where they begin. Counts are added by the caller. */
type MergeState = (into: Float64Array, from: Float64Array, at: number) => void;

const mergers: Readonly<Record<RowAggregationName, MergeState>> = {
  sum: addCompensated,
  avg: mergeAverage,
  stddev: mergeVariance,
  stdvar: mergeVariance,
  count: () => {},
  group: () => {},
  min: (into, from, at) => {
    if (into[at]! > from[at]! || Number.isNaN(into[at]!)) into[at] = from[at]!;
  },
  max: (into, from, at) => {
    if (into[at]! < from[at]! || Number.isNaN(into[at]!)) into[at] = from[at]!;
  },
};

/**
 * Adds the states of one part of a group to those of another, step by step; both are views over `steps` states. The order of
 * summation differs from upstream's, so the last digit of sums over several readers may.
 */
export function mergeStates(
  name: RowAggregationName,
  into: Float64Array,
  from: Float64Array,
  steps: number,
): void {
  const merge = mergers[name];
  for (let at = 0; at < steps * stateLength; at += stateLength) {
    if (from[at + samples] === 0) continue;
    if (into[at + samples] === 0) {
      for (let i = at; i < at + stateLength; i++) into[i] = from[i]!;
      continue;
    }
    merge(into, from, at);
    into[at + samples]! += from[at + samples]!;
  }
}

function addCompensated(into: Float64Array, from: Float64Array, at: number): void {
  const x = into[at + value]!;
  const y = from[at + value]!;
  const next = x + y;
  const lost = Math.abs(x) >= Math.abs(y) ? x - next + y : y - next + x;
  const compensated = into[at + compensation]! + from[at + compensation]! + lost;
  into[at + value] = next;
  into[at + compensation] = Math.abs(next) === Infinity ? 0 : compensated;
}

function mergeAverage(into: Float64Array, from: Float64Array, at: number): void {
  const isSum = into[at + mean] === 0 && from[at + mean] === 0;
  if (isSum && Number.isFinite(into[at + value]! + from[at + value]!)) return addCompensated(into, from, at);
  const [a, b] = [into[at + samples]!, from[at + samples]!];
  into[at + value] = average(into, at) * (a / (a + b)) + average(from, at) * (b / (a + b));
  into[at + compensation] = 0;
  into[at + mean] = 1;
}

function average(state: Float64Array, at: number): number {
  const divisor = state[at + mean] === 0 ? state[at + samples]! : 1;
  return state[at + value]! / divisor + state[at + compensation]! / divisor;
}

function mergeVariance(into: Float64Array, from: Float64Array, at: number): void {
  const [a, b] = [into[at + samples]!, from[at + samples]!];
  const delta = from[at + mean]! - into[at + mean]!;
  into[at + value]! += from[at + value]! + (delta * delta * a * b) / (a + b);
  into[at + mean]! += (delta * b) / (a + b);
}
