// Functions over the windows (t − range, t] of one series; src/kernel/window.ts names them. Order of operations is upstream's, so that
// results agree to the last digit.
import { at, firstAfter } from "./column";
import { evenSamples, evenTries } from "./even-windows";
import { DELTA, extrapolated } from "./extrapolated";
import { STALE_BITS } from "./layout";
import { slidingQuantile } from "./quantile";
import {
  regression,
  changes,
  resets,
  sum,
  average,
  lowest,
  highest,
  indexOfLowest,
  indexOfHighest,
  variance,
  medianDeviation,
} from "./window-functions";

const IRATE: u32 = 3;
const IDELTA: u32 = 4;
const DERIV: u32 = 5;
const PREDICT_LINEAR: u32 = 6;
const CHANGES: u32 = 7;
const RESETS: u32 = 8;
const SUM: u32 = 9;
const AVG: u32 = 10;
const MIN: u32 = 11;
const MAX: u32 = 12;
const COUNT: u32 = 13;
const STDDEV: u32 = 14;
const STDVAR: u32 = 15;
const LAST: u32 = 16;
const FIRST: u32 = 17;
const PRESENT: u32 = 18;
const QUANTILE: u32 = 19;
const MAD: u32 = 20;
const TS_OF_MIN: u32 = 21;
const TS_OF_MAX: u32 = 22;
const TS_OF_LAST: u32 = 23;
const TS_OF_FIRST: u32 = 24;

// Returns the steps that have a value.
export function window(
  functionId: u32,
  ts: usize,
  vs: usize,
  count: u32,
  startMs: f64,
  stepMs: f64,
  steps: u32,
  rangeMs: f64,
  out: usize,
  present: usize,
  arg: usize,
  offsetMs: f64,
  scratch: usize,
): u32 {
  if (functionId <= DELTA) return extrapolated(functionId, ts, vs, count, startMs, stepMs, steps, rangeMs, out, present);
  if (functionId == QUANTILE)
    return slidingQuantile(ts, vs, count, startMs, stepMs, steps, rangeMs, out, present, arg, scratch);
  let lo: u32 = 0;
  let hi: u32 = 0;
  let found: u32 = 0;
  const samplesMin: u32 = functionId <= PREDICT_LINEAR ? 2 : 1;
  for (let k: u32 = 0; k < steps; k++) {
    const end = startMs + stepMs * <f64>k;
    const begin = end - rangeMs;
    hi = firstAfter(ts, hi, count, end);
    lo = firstAfter(ts, lo, hi, begin);
    let has: u8 = 0;
    if (hi - lo >= samplesMin) {
      const parameter = arg == 0 ? 0 : at(arg, k);
      const offset = <usize>lo << 3;
      has = evaluate(functionId, ts + offset, vs + offset, hi - lo, end + offsetMs, parameter, scratch, out + (<usize>k << 3));
    }
    store<u8>(present + k, has);
    found += has;
  }
  return found;
}

// One window of n ≥ 1 samples; stores its result and returns 1, or 0 for none.
function evaluate(functionId: u32, ts: usize, vs: usize, n: u32, time: f64, parameter: f64, scratch: usize, out: usize): u8 {
  let result: f64 = 0;
  switch (functionId) {
    case IRATE:
    case IDELTA: {
      const interval = at(ts, n - 1) - at(ts, n - 2);
      if (interval == 0) return 0;
      const last = at(vs, n - 1);
      const previous = at(vs, n - 2);
      if (functionId == IDELTA) result = last - previous;
      // After a reset the counter has counted `last` from zero.
      else result = (last < previous ? last : last - previous) / (interval / 1000);
      break;
    }
    case DERIV:
      result = regression(ts, vs, n, at(ts, 0), parameter, false);
      break;
    case PREDICT_LINEAR:
      result = regression(ts, vs, n, time, parameter, true);
      break;
    case CHANGES:
      result = <f64>changes(vs, n);
      break;
    case RESETS:
      result = <f64>resets(vs, n);
      break;
    case SUM:
      result = sum(vs, n);
      break;
    case AVG:
      result = average(vs, n);
      break;
    case MIN:
      result = lowest(vs, n);
      break;
    case MAX:
      result = highest(vs, n);
      break;
    case COUNT:
      result = <f64>n;
      break;
    case STDDEV:
      result = Math.sqrt(variance(vs, n));
      break;
    case STDVAR:
      result = variance(vs, n);
      break;
    case LAST:
      store<u64>(out, load<u64>(vs + (<usize>(n - 1) << 3)));
      return 1;
    case FIRST:
      store<u64>(out, load<u64>(vs));
      return 1;
    case PRESENT:
      result = 1;
      break;
    case MAD:
      result = medianDeviation(vs, n, scratch);
      break;
    case TS_OF_MIN:
      result = at(ts, indexOfLowest(vs, n)) / 1000;
      break;
    case TS_OF_MAX:
      result = at(ts, indexOfHighest(vs, n)) / 1000;
      break;
    case TS_OF_LAST:
      result = at(ts, n - 1) / 1000;
      break;
    case TS_OF_FIRST:
      result = at(ts, 0) / 1000;
      break;
    default:
      return 0;
  }
  store<f64>(out, result);
  return 1;
}

// The newest sample in (t − lookback, t] at each step; none if that is a staleness marker.
export function selectInstant(
  ts: usize,
  vs: usize,
  count: u32,
  startMs: f64,
  stepMs: f64,
  steps: u32,
  lookbackMs: f64,
  out: usize,
  present: usize,
  sampleTimes: usize,
): u32 {
  let hi: u32 = 0;
  const triesMax = evenTries(ts, count, stepMs);
  let tries = triesMax;
  let seenAgeMs: f64 = NaN;
  let found: u32 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    const time = startMs + stepMs * <f64>k;
    hi = firstAfter(ts, hi, count, time);
    store<u8>(present + k, 0);
    if (hi == 0) continue;
    const from = <usize>(hi - 1) << 3;
    const to = <usize>k << 3;
    const bits = load<u64>(vs + from);
    const sampleTime = load<f64>(ts + from);
    if (sampleTime <= time - lookbackMs || bits == STALE_BITS) continue;
    store<u64>(out + to, bits);
    store<u8>(present + k, 1);
    found++;
    if (sampleTimes != 0) store<f64>(sampleTimes + to, sampleTime);
    if (sampleTimes != 0 || tries == 0) continue;
    const ageMs = time - sampleTime;
    const isEven = ageMs == seenAgeMs && ageMs < stepMs;
    seenAgeMs = ageMs;
    if (!isEven) {
      tries--;
      continue;
    }
    let even = evenSamples(ts + from, vs + from, min<u32>(steps - k, count - hi + 1), stepMs, STALE_BITS, out + to);
    // Behind the last one, the next may have come early.
    if (even > 0 && hi + even < count && at(ts, hi + even) <= time + stepMs * <f64>even) even--;
    tries = even > 0 ? triesMax : tries - 1;
    memory.fill(present + k + 1, 1, even);
    hi += even;
    k += even;
    found += even;
  }
  return found;
}
