// What is computed of the n ≥ 1 samples of one window, in upstream's order of operations.
import { at } from "./column";
import { compensate } from "./compensated";
import { quantile } from "./quantile";

// Least squares: the slope, or the prediction `parameter` seconds after `time`.
export function regression(ts: usize, vs: usize, n: u32, time: f64, parameter: f64, predict: bool): f64 {
  let sumX: f64 = 0;
  let cX: f64 = 0;
  let sumY: f64 = 0;
  let cY: f64 = 0;
  let sumXY: f64 = 0;
  let cXY: f64 = 0;
  let sumX2: f64 = 0;
  let cX2: f64 = 0;
  const firstY = at(vs, 0);
  let constant = true;
  for (let i: u32 = 0; i < n; i++) {
    const y = at(vs, i);
    if (i > 0 && y != firstY) constant = false;
    const x = (at(ts, i) - time) / 1e3;
    let next = sumX + x;
    cX = compensate(x, sumX, next, cX);
    sumX = next;
    next = sumY + y;
    cY = compensate(y, sumY, next, cY);
    sumY = next;
    const xy = x * y;
    next = sumXY + xy;
    cXY = compensate(xy, sumXY, next, cXY);
    sumXY = next;
    const x2 = x * x;
    next = sumX2 + x2;
    cX2 = compensate(x2, sumX2, next, cX2);
    sumX2 = next;
  }
  if (constant) {
    if (abs<f64>(firstY) == Infinity) return NaN;
    return predict ? 0 * parameter + firstY : 0;
  }
  sumX += cX;
  sumY += cY;
  sumXY += cXY;
  sumX2 += cX2;
  const samples = <f64>n;
  const covariance = sumXY - (sumX * sumY) / samples;
  const varianceX = sumX2 - (sumX * sumX) / samples;
  const slope = covariance / varianceX;
  if (!predict) return slope;
  const intercept = sumY / samples - (slope * sumX) / samples;
  return slope * parameter + intercept;
}

export function changes(vs: usize, n: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 1; i < n; i++) {
    const previous = at(vs, i - 1);
    const current = at(vs, i);
    if (current != previous && !(isNaN(current) && isNaN(previous))) found++;
  }
  return found;
}

export function resets(vs: usize, n: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 1; i < n; i++) if (at(vs, i) < at(vs, i - 1)) found++;
  return found;
}

export function sum(vs: usize, n: u32): f64 {
  let total: f64 = 0;
  let compensation: f64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const value = at(vs, i);
    const next = total + value;
    compensation = compensate(value, total, next, compensation);
    total = next;
  }
  return abs<f64>(total) == Infinity ? total : total + compensation;
}

// The mean of the sum, until the sum would overflow; from then on the running mean.
export function average(vs: usize, n: u32): f64 {
  let total = at(vs, 0);
  let compensation: f64 = 0;
  let i: u32 = 1;
  for (; i < n; i++) {
    const value = at(vs, i);
    const next = total + value;
    if (abs<f64>(next) == Infinity) break;
    compensation = compensate(value, total, next, compensation);
    total = next;
  }
  if (i == n) return total / <f64>n + compensation / <f64>n;
  let mean = total / <f64>i;
  compensation /= <f64>i;
  for (; i < n; i++) {
    const samples = <f64>(i + 1);
    const q = (samples - 1) / samples;
    const increment = at(vs, i) / samples;
    const scaled = q * mean;
    const next = scaled + increment;
    compensation = compensate(increment, scaled, next, q * compensation);
    mean = next;
  }
  return mean + compensation;
}

export function lowest(vs: usize, n: u32): f64 {
  let result = at(vs, 0);
  for (let i: u32 = 1; i < n; i++) {
    const value = at(vs, i);
    if (value < result || isNaN(result)) result = value;
  }
  return result;
}

export function highest(vs: usize, n: u32): f64 {
  let result = at(vs, 0);
  for (let i: u32 = 1; i < n; i++) {
    const value = at(vs, i);
    if (value > result || isNaN(result)) result = value;
  }
  return result;
}

export function indexOfLowest(vs: usize, n: u32): u32 {
  let index: u32 = 0;
  for (let i: u32 = 1; i < n; i++) if (at(vs, i) <= at(vs, index) || isNaN(at(vs, index))) index = i;
  return index;
}

export function indexOfHighest(vs: usize, n: u32): u32 {
  let index: u32 = 0;
  for (let i: u32 = 1; i < n; i++) if (at(vs, i) >= at(vs, index) || isNaN(at(vs, index))) index = i;
  return index;
}

export function variance(vs: usize, n: u32): f64 {
  let mean: f64 = 0;
  let cMean: f64 = 0;
  let aux: f64 = 0;
  let cAux: f64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const value = at(vs, i);
    const delta = value - (mean + cMean);
    const meanStep = delta / <f64>(i + 1);
    let next = mean + meanStep;
    cMean = compensate(meanStep, mean, next, cMean);
    mean = next;
    const auxStep = delta * (value - (mean + cMean));
    next = aux + auxStep;
    cAux = compensate(auxStep, aux, next, cAux);
    aux = next;
  }
  return (aux + cAux) / <f64>n;
}

export function medianDeviation(vs: usize, n: u32, scratch: usize): f64 {
  for (let i: u32 = 0; i < n; i++) if (isNaN(at(vs, i))) return NaN;
  memory.copy(scratch, vs, <usize>n << 3);
  const median = quantile(0.5, scratch, n);
  for (let i: u32 = 0; i < n; i++) store<f64>(scratch + (<usize>i << 3), abs<f64>(at(scratch, i) - median));
  return quantile(0.5, scratch, n);
}
