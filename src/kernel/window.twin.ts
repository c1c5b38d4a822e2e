import type { WindowFunctionName } from "./window.ts";

/** Window functions written plainly over arrays: what kernel/window.ts computes. Used by tests only. */
export interface Point {
  readonly t: number;
  readonly v: number;
}

/** A Kahan–Neumaier sum, step by step. */
export class CompensatedSum {
  total: number;
  compensation = 0;

  constructor(start = 0) {
    this.total = start;
  }

  add(increment: number): void {
    const next = this.total + increment;
    if (Math.abs(next) === Infinity) this.compensation = 0;
    else if (Math.abs(this.total) >= Math.abs(increment)) this.compensation += this.total - next + increment;
    else this.compensation += increment - next + this.total;
    this.total = next;
  }
}

export interface WindowTwinQuery {
  readonly points: readonly Point[];
  readonly timeMs: number;
  readonly rangeMs: number;
  readonly parameter: number;
  readonly offsetMs: number;
}

/** The value at one step, or undefined. `timeMs` is already moved back by the offset. */
export function windowTwin(name: WindowFunctionName, query: WindowTwinQuery): number | undefined {
  const { timeMs, rangeMs } = query;
  const points = query.points.filter(({ t }) => t > timeMs - rangeMs && t <= timeMs);
  const values = points.map(({ v }) => v);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return undefined;
  switch (name) {
    case "rate":
    case "increase":
    case "delta":
      return extrapolated(name, points, timeMs, rangeMs);
    case "irate":
    case "idelta":
      return lastTwo(name, points);
    case "deriv":
      return points.length < 2 ? undefined : regression(points, first.t).slope;
    case "predict_linear": {
      if (points.length < 2) return undefined;
      const { slope, intercept } = regression(points, timeMs + query.offsetMs);
      return slope * query.parameter + intercept;
    }
    case "changes":
      return pairs(values).filter(([a, b]) => !Object.is(a, b) && !(a === 0 && b === 0)).length;
    case "resets":
      return pairs(values).filter(([a, b]) => b < a).length;
    case "sum_over_time":
      return sum(values);
    case "avg_over_time":
      return averageTwin(values);
    case "min_over_time":
      return values.reduce((best, v) => (v < best || Number.isNaN(best) ? v : best));
    case "max_over_time":
      return values.reduce((best, v) => (v > best || Number.isNaN(best) ? v : best));
    case "count_over_time":
      return values.length;
    case "stddev_over_time":
      return Math.sqrt(variance(values));
    case "stdvar_over_time":
      return variance(values);
    case "last_over_time":
      return last.v;
    case "first_over_time":
      return first.v;
    case "present_over_time":
      return 1;
    case "quantile_over_time":
      return quantileTwin(query.parameter, values);
    case "mad_over_time": {
      if (values.some(Number.isNaN)) return NaN;
      const median = quantileTwin(0.5, values);
      return quantileTwin(
        0.5,
        values.map((v) => Math.abs(v - median)),
      );
    }
    case "ts_of_min_over_time":
      return points.reduce((best, p) => (p.v <= best.v || Number.isNaN(best.v) ? p : best)).t / 1000;
    case "ts_of_max_over_time":
      return points.reduce((best, p) => (p.v >= best.v || Number.isNaN(best.v) ? p : best)).t / 1000;
    case "ts_of_last_over_time":
      return last.t / 1000;
    case "ts_of_first_over_time":
      return first.t / 1000;
    default:
      return name satisfies never;
  }
}

function pairs(values: readonly number[]): [number, number][] {
  return values.slice(1).map((v, i) => [values[i]!, v]);
}

function extrapolated(
  name: "rate" | "increase" | "delta",
  points: readonly Point[],
  timeMs: number,
  rangeMs: number,
): number | undefined {
  if (points.length < 2) return undefined;
  const first = points[0]!;
  const last = points.at(-1)!;
  const counter = name !== "delta";
  let result = last.v - first.v;
  if (counter)
    for (const [before, after] of pairs(points.map(({ v }) => v))) if (after < before) result += before;
  let toStart = (first.t - (timeMs - rangeMs)) / 1000;
  let toEnd = (timeMs - last.t) / 1000;
  const sampled = (last.t - first.t) / 1000;
  const average = sampled / (points.length - 1);
  if (toStart >= average * 1.1) toStart = average / 2;
  if (counter && result > 0 && first.v >= 0) toStart = Math.min(toStart, sampled * (first.v / result));
  if (toEnd >= average * 1.1) toEnd = average / 2;
  let factor = (sampled + toStart + toEnd) / sampled;
  // Go's Duration.Seconds.
  if (name === "rate") factor /= Math.floor(rangeMs / 1000) + ((rangeMs % 1000) * 1e6) / 1e9;
  return result * factor;
}

function lastTwo(name: "irate" | "idelta", points: readonly Point[]): number | undefined {
  const [previous, last] = points.slice(-2);
  if (previous === undefined || last === undefined) return undefined;
  if (name === "idelta") return last.v - previous.v;
  return (last.v < previous.v ? last.v : last.v - previous.v) / ((last.t - previous.t) / 1000);
}

function regression(points: readonly Point[], timeMs: number): { slope: number; intercept: number } {
  const n = points.length;
  const firstV = points[0]!.v;
  if (points.slice(1).every(({ v }) => v === firstV)) {
    if (Math.abs(firstV) === Infinity) return { slope: NaN, intercept: NaN };
    return { slope: 0, intercept: firstV };
  }
  const sums = [0, 0, 0, 0].map(() => new CompensatedSum());
  for (const { t, v } of points) {
    const x = (t - timeMs) / 1000;
    [x, v, x * v, x * x].forEach((term, i) => sums[i]!.add(term));
  }
  const [x, y, xy, x2] = sums.map(({ total, compensation }) => total + compensation) as [
    number,
    number,
    number,
    number,
  ];
  const slope = (xy - (x * y) / n) / (x2 - (x * x) / n);
  return { slope, intercept: y / n - (slope * x) / n };
}

export function sum(values: readonly number[]): number {
  const result = new CompensatedSum();
  for (const v of values) result.add(v);
  return Math.abs(result.total) === Infinity ? result.total : result.total + result.compensation;
}

export function averageTwin(values: readonly number[]): number {
  const [first, ...rest] = values;
  let running = new CompensatedSum(first);
  let incremental = false;
  let count = 1;
  for (const v of rest) {
    count++;
    if (!incremental && Math.abs(running.total + v) !== Infinity) {
      running.add(v);
      continue;
    }
    if (!incremental) {
      incremental = true;
      running.total /= count - 1;
      running.compensation /= count - 1;
    }
    const q = (count - 1) / count;
    const next = new CompensatedSum(q * running.total);
    next.compensation = q * running.compensation;
    next.add(v / count);
    running = next;
  }
  if (incremental) return running.total + running.compensation;
  return running.total / count + running.compensation / count;
}

function variance(values: readonly number[]): number {
  const mean = new CompensatedSum();
  const squares = new CompensatedSum();
  values.forEach((v, i) => {
    const delta = v - (mean.total + mean.compensation);
    mean.add(delta / (i + 1));
    squares.add(delta * (v - (mean.total + mean.compensation)));
  });
  return (squares.total + squares.compensation) / values.length;
}

export function quantileTwin(q: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const sorted = values.toSorted((a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
    return a === b ? 0 : a - b;
  });
  const rank = q * (sorted.length - 1);
  const lower = Math.floor(rank);
  const weight = rank - lower;
  return sorted[lower]! * (1 - weight) + sorted[Math.min(lower + 1, sorted.length - 1)]! * weight;
}
