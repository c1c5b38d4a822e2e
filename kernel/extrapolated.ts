// rate, increase, delta: what the samples of a window say, extrapolated to its edges. Order of operations is upstream's, so that results agree to the
// last digit.
import { at } from "./column";
import { evenIncreases, evenTries } from "./even-windows";

const RATE: u32 = 0;
export const DELTA: u32 = 2;

// Go's Duration.Seconds: whole seconds plus the fraction, which rounds differently from one division.
function toSeconds(durationMs: f64): f64 {
  const whole = Math.trunc(durationMs / 1000);
  return whole + ((durationMs - whole * 1000) * 1e6) / 1e9;
}

// Counter resets inside the window are counted while it slides, and where they are is known of the newest 64 samples.
export function extrapolated(
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
): u32 {
  const isCounter = functionId != DELTA;
  const rangeSeconds = functionId == RATE ? toSeconds(rangeMs) : 1;
  let lo: u32 = 0;
  let hi: u32 = 0;
  let resetsInside: u32 = 0;
  // Bit n: sample hi − 1 − n is below the one before.
  let resetBits: u64 = 0;
  const triesMax = evenTries(ts, count, stepMs);
  let tries = triesMax;
  // How far the samples of the window before were from its edges.
  let seenBeforeMs: f64 = NaN;
  let seenBehindMs: f64 = NaN;
  let found: u32 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    const end = startMs + stepMs * <f64>k;
    const begin = end - rangeMs;
    while (hi < count && at(ts, hi) <= end) {
      const isReset = hi > lo && at(vs, hi) < at(vs, hi - 1);
      resetsInside += <u32>isReset;
      resetBits = (resetBits << 1) | <u64>isReset;
      hi++;
    }
    while (lo < hi && at(ts, lo) <= begin) {
      lo++;
      if (lo < hi && at(vs, lo) < at(vs, lo - 1)) resetsInside--;
    }
    if (hi - lo < 2) {
      store<u8>(present + k, 0);
      continue;
    }
    const firstT = at(ts, lo);
    const lastT = at(ts, hi - 1);
    const firstValue = at(vs, lo);
    let result = at(vs, hi - 1) - firstValue;
    if (isCounter && resetsInside != 0) result = withResets(result, vs, lo, hi, resetBits);

    let toStart = (firstT - begin) / 1000;
    let toEnd = (end - lastT) / 1000;
    const sampled = (lastT - firstT) / 1000;
    const average = sampled / <f64>(hi - lo - 1);
    const threshold = average * 1.1;
    if (toStart >= threshold) toStart = average / 2;
    let isCut = false;
    if (isCounter && result > 0 && firstValue >= 0) {
      // A counter is not extrapolated below zero.
      const toZero = sampled * (firstValue / result);
      isCut = toZero < toStart;
      if (isCut) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = average / 2;
    let factor: f64 = 1;
    if (sampled != 0) factor = (sampled + toStart + toEnd) / sampled;
    if (functionId == RATE) factor /= rangeSeconds;
    store<f64>(out + (<usize>k << 3), result * factor);
    store<u8>(present + k, 1);
    found++;

    if (tries == 0) continue;
    const beforeMs = firstT - begin;
    const behindMs = end - lastT;
    const isPace = behindMs == seenBehindMs && behindMs < stepMs;
    const isEven = isPace && beforeMs == seenBeforeMs && beforeMs <= stepMs;
    seenBeforeMs = beforeMs;
    seenBehindMs = behindMs;
    if (!isPace) tries--;
    // A counter that began with all that it has gained, or more, would not come to zero within the time of its samples, and is not cut.
    if (!isEven || isCut || resetsInside != 0 || sampled < toStart) continue;
    const from = <usize>lo << 3;
    const windows = min<u32>(steps - k, count - hi + 1);
    let even = evenIncreases(isCounter, ts + from, vs + from, <usize>(hi - 1 - lo) << 3, windows, stepMs, factor, out + (<usize>k << 3));
    // The last one has more samples if the next comes early.
    if (even > 0 && hi + even < count && at(ts, hi + even) <= end + stepMs * <f64>even) even--;
    tries = even > 0 ? triesMax : tries - 1;
    memory.fill(present + k + 1, 1, even);
    lo += even;
    hi += even;
    k += even;
    found += even;
    resetBits = 0;
  }
  return found;
}

// The increase with what resets of the samples [lo, hi) took away, added in their order.
function withResets(increase: f64, vs: usize, lo: u32, hi: u32, resetBits: u64): f64 {
  let result = increase;
  if (hi - lo > 64) {
    for (let i = lo + 1; i < hi; i++) if (at(vs, i) < at(vs, i - 1)) result += at(vs, i - 1);
    return result;
  }
  let bits = resetBits & ((<u64>1 << (hi - lo - 1)) - 1);
  while (bits != 0) {
    const n = 63 - <u32>clz<u64>(bits);
    result += at(vs, hi - 2 - n);
    bits ^= <u64>1 << n;
  }
  return result;
}
