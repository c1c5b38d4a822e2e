// Rows of the series of a run, which decodeSeriesRun read into columns: one row behind the other.
import { RUN_ENTRY, RUN_FIRST, RUN_SAMPLES } from "./series-read";
import { selectInstant, window } from "./window";

// In place of a window function: the newest sample of the window.
const SELECT_INSTANT: u32 = u32.MAX_VALUE;

// Of functions that take no argument and need no scratch.
export function windowRun(
  functionId: u32,
  run: usize,
  series: u32,
  ts: usize,
  vs: usize,
  startMs: f64,
  stepMs: f64,
  steps: u32,
  rangeMs: f64,
  out: usize,
  present: usize,
): void {
  for (let i: u32 = 0; i < series; i++) {
    const entry = run + i * RUN_ENTRY;
    const from = <usize>load<u32>(entry, RUN_FIRST) << 3;
    const samples = load<u32>(entry, RUN_SAMPLES);
    if (functionId == SELECT_INSTANT) selectInstant(ts + from, vs + from, samples, startMs, stepMs, steps, rangeMs, out, present, 0);
    else window(functionId, ts + from, vs + from, samples, startMs, stepMs, steps, rangeMs, out, present, 0, 0, 0);
    out += <usize>steps << 3;
    present += steps;
  }
}
