// Where samples come at the pace of the steps, each window has lost the first sample of the one before and got one more, at the same distances from its edges.
// Such windows are computed two at once.

// After so many samples that came at another pace it is no longer tried.
const TRIES: u32 = 8;

// How often it is tried to find such windows: not at all where neither the first samples nor the last come at the pace of the steps.
export function evenTries(ts: usize, count: u32, stepMs: f64): u32 {
  if (count < 3) return 0;
  const last = ts + (<usize>(count - 1) << 3);
  const isPaced = load<f64>(ts, 8) - load<f64>(ts) == stepMs || load<f64>(last) - load<f64>(last - 8) == stepMs;
  return isPaced ? TRIES : 0;
}

// How many windows of counters or gauges follow one so and have no reset: increases times the one's factor go to `out`, from its second place on. The samples of the one begin
// at `ts` and `vs` and reach `across` bytes to its last; `windows` is the most there can be, the one included. What samples follow the last of a window is not looked at.
export function evenIncreases(
  isCounter: bool,
  ts: usize,
  vs: usize,
  across: usize,
  windows: u32,
  stepMs: f64,
  factor: f64,
  out: usize,
): u32 {
  const zero = f64x2.splat(0);
  const factors = f64x2.splat(factor);
  const pace = f64x2.splat(2 * stepMs);
  const ahead = f64x2.replace_lane(f64x2.splat(stepMs), 1, 2 * stepMs);
  let firstT = f64x2.add(f64x2.splat(load<f64>(ts)), ahead);
  let lastT = f64x2.add(f64x2.splat(load<f64>(ts + across)), ahead);
  let at: u32 = 1;
  for (; at + 1 < windows; at += 2) {
    const offset = <usize>at << 3;
    const first = v128.load(vs + offset);
    const last = v128.load(vs + offset + across);
    const increase = f64x2.sub(last, first);
    let other = v128.or(
      f64x2.ne(v128.load(ts + offset), firstT),
      f64x2.ne(v128.load(ts + offset + across), lastT),
    );
    if (isCounter) {
      other = v128.or(other, f64x2.lt(last, v128.load(vs + offset + across - 8)));
      // It may have been zero within the window.
      const isYoung = v128.and(f64x2.gt(increase, first), f64x2.ge(first, zero));
      other = v128.or(other, isYoung);
    }
    if (v128.any_true(other)) break;
    v128.store(out + offset, f64x2.mul(increase, factors));
    firstT = f64x2.add(firstT, pace);
    lastT = f64x2.add(lastT, pace);
  }
  return at - 1;
}

// As evenIncreases, of the values of single samples: they are copied as long as none is a mark of staleness.
export function evenSamples(ts: usize, vs: usize, samples: u32, stepMs: f64, stale: u64, out: usize): u32 {
  const marks = i64x2.splat(<i64>stale);
  const pace = f64x2.splat(2 * stepMs);
  let times = f64x2.add(f64x2.splat(load<f64>(ts)), f64x2.replace_lane(f64x2.splat(stepMs), 1, 2 * stepMs));
  let at: u32 = 1;
  for (; at + 1 < samples; at += 2) {
    const offset = <usize>at << 3;
    const values = v128.load(vs + offset);
    const other = v128.or(f64x2.ne(v128.load(ts + offset), times), i64x2.eq(values, marks));
    if (v128.any_true(other)) break;
    v128.store(out + offset, values);
    times = f64x2.add(times, pace);
  }
  return at - 1;
}
