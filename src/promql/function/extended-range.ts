import type { StartTimestamps } from "../../storage/index.ts";
import type { SampleArrays } from "./sample-arrays.ts";
import { isStartReset } from "./start-timestamps.ts";

/** A stretch of time whose boundary values come from the samples around it; milliseconds. */
export interface ExtendedWindow {
  readonly startMs: number;
  readonly endMs: number;
  /** Boundary values are interpolated; else they are those of the last samples at or before the boundaries. */
  readonly smoothed: boolean;
}

/** Functions that may be used with each modifier. */
export const anchoredFunctions: readonly string[] = ["changes", "delta", "increase", "rate", "resets"];
export const smoothedFunctions: readonly string[] = ["delta", "increase", "rate"];

/** The first place below `end` whose time is at least (or, `after`, beyond) `timeMs`, else `end`. */
function search(timestamps: Float64Array, end: number, timeMs: number, after: boolean): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const isBefore = after ? timestamps[middle]! <= timeMs : timestamps[middle]! < timeMs;
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value at `timeMs` on the line between two neighbours. A counter that was reset between them began at 0. */
function interpolate(
  { timestamps, values }: SampleArrays,
  place: number,
  timeMs: number,
  isCounter: boolean,
): number {
  const from = timestamps[place]!;
  const last = values[place + 1]!;
  const first = isCounter && last < values[place]! ? 0 : values[place]!;
  return first + ((last - first) * (timeMs - from)) / (timestamps[place + 1]! - from);
}

/** What a window's boundaries are made of: values there, and the places of the samples strictly inside. */
interface Boundaries {
  left: number;
  right: number;
  first: number;
  last: number;
}

/** `samples` are those of the window and of the lookback around it; undefined when nothing lies in the window. */
function boundaries(
  samples: SampleArrays,
  window: ExtendedWindow,
  isCounter: boolean,
): Boundaries | undefined {
  const { timestamps, values } = samples;
  const { startMs, endMs, smoothed } = window;
  if (timestamps.length === 0) return undefined;
  let last = timestamps.length - 1;
  let first = Math.max(0, search(timestamps, last, startMs, true) - 1);
  if (smoothed) last = search(timestamps, last, endMs, false);
  if (timestamps[last]! <= startMs || (smoothed && timestamps[first]! > endMs)) return undefined;
  const isLeftOutside = smoothed && timestamps[first]! < startMs;
  const isRightOutside = smoothed && last > 0 && timestamps[last]! > endMs;
  const left = isLeftOutside ? interpolate(samples, first, startMs, isCounter) : values[first]!;
  const right = isRightOutside ? interpolate(samples, last - 1, endMs, isCounter) : values[last]!;
  if (timestamps[first]! <= startMs) first++;
  if (timestamps[last]! >= endMs) last--;
  return { left, right, first, last };
}

/** rate, increase and delta between a window's boundaries, without extrapolation. */
export function extendedIncrease(
  func: string,
  samples: SampleArrays,
  window: ExtendedWindow,
): number | undefined {
  const isCounter = func !== "delta";
  const found = boundaries(samples, window, isCounter);
  if (found === undefined) return undefined;
  let increase = found.right - found.left;
  if (isCounter) increase += resetCorrection(samples.values, found);
  return func === "rate" ? increase / ((window.endMs - window.startMs) / 1000) : increase;
}

/** What a counter had reached at each of its resets. */
function resetCorrection(values: Float64Array, { left, right, first, last }: Boundaries): number {
  let correction = 0;
  let previous = left;
  for (let i = first; i <= last; i++) {
    if (values[i]! < previous) correction += previous;
    previous = values[i]!;
  }
  return right < previous ? correction + previous : correction;
}

/** changes and resets, counted from the last sample at or before the window's start. */
export function anchoredCount(
  func: string,
  { timestamps, values }: SampleArrays,
  { startMs }: ExtendedWindow,
  starts: StartTimestamps,
): number | undefined {
  const inside = search(timestamps, timestamps.length, startMs, true);
  if (inside >= timestamps.length) return undefined;
  let count = 0;
  for (let i = Math.max(inside, 1); i < timestamps.length; i++) {
    const [previous, value] = [values[i - 1]!, values[i]!];
    if (func === "resets")
      count += Number(value < previous || isStartReset(starts, timestamps[i - 1]!, timestamps[i]!));
    else count += Number(value !== previous && !(Number.isNaN(value) && Number.isNaN(previous)));
  }
  return count;
}

/** The window's samples with one more at each boundary. */
export function extendedSamples(samples: SampleArrays, window: ExtendedWindow): SampleArrays | undefined {
  const found = boundaries(samples, window, false);
  if (found === undefined) return undefined;
  const { left, right, first, last } = found;
  const end = Math.max(first, last + 1);
  return {
    timestamps: enclosed(window.startMs, samples.timestamps.subarray(first, end), window.endMs),
    values: enclosed(left, samples.values.subarray(first, end), right),
  };
}

function enclosed(first: number, inside: Float64Array, last: number): Float64Array {
  const all = new Float64Array(inside.length + 2);
  all[0] = first;
  all.set(inside, 1);
  all[inside.length + 1] = last;
  return all;
}

/** The value at a moment, on the line between the samples around it; the last one's where none follows. */
export function smoothedValue(samples: SampleArrays, timeMs: number): number | undefined {
  const { timestamps, values } = samples;
  const next = search(timestamps, timestamps.length, timeMs, false);
  if (next < timestamps.length && timestamps[next] === timeMs) return values[next];
  if (next === 0) return undefined;
  return next < timestamps.length ? interpolate(samples, next - 1, timeMs, false) : values[next - 1];
}
