import type { StartTimestamps } from "../../storage/index.ts";
import type { SampleArrays } from "./sample-arrays.ts";
import { extrapolation } from "./extrapolation.ts";

/** The functions that look at since when samples count. */
const startFunctions = ["rate", "increase", "irate", "resets"] as const;
export type StartFunction = (typeof startFunctions)[number];

export function usesStarts(func: string): func is StartFunction {
  return startFunctions.includes(func as StartFunction);
}

/** Whether a counter began anew between two neighbours, judged by since when they count. */
export function isStartReset(starts: StartTimestamps, previousMs: number, currentMs: number): boolean {
  if (starts.size === 0) return false;
  const startMs = starts.get(currentMs) ?? 0;
  // It is not known, makes no sense, or is what OpenTelemetry writes where it is not known.
  if (startMs === 0 || startMs >= currentMs) return false;
  if (startMs !== previousMs) return startMs > previousMs;
  // Each counts since the one before: such are deltas, unless the start of the one before is not known.
  const previousStartMs = starts.get(previousMs) ?? 0;
  return previousStartMs !== 0 && previousStartMs < previousMs;
}

/** Whether a sample says to count since before its neighbour, and the neighbour since another time. */
function startOverlaps(starts: StartTimestamps, previousMs: number, currentMs: number): boolean {
  if (starts.size === 0) return false;
  const startMs = starts.get(currentMs) ?? 0;
  return startMs !== 0 && startMs < previousMs && startMs !== (starts.get(previousMs) ?? 0);
}

/** Whether any of the samples of a window overlaps with the one before. */
export function someStartOverlaps(starts: StartTimestamps, timestamps: ArrayLike<number>): boolean {
  for (let i = 1; i < timestamps.length; i++)
    if (startOverlaps(starts, timestamps[i - 1]!, timestamps[i]!)) return true;
  return false;
}

/** When a counter was zero, if that is known to have been in the window, before its first sample. */
export function zeroBefore(
  starts: StartTimestamps,
  firstMs: number,
  windowStartMs: number,
): number | undefined {
  const startMs = starts.get(firstMs) ?? 0;
  return startMs !== 0 && startMs > windowStartMs && startMs < firstMs ? startMs : undefined;
}

/** rate, increase, irate and resets of floats, some of which are known to count since a certain time. */
export function startedFunction(
  func: StartFunction,
  samples: SampleArrays,
  starts: StartTimestamps,
  window: { readonly startMs: number; readonly endMs: number },
  onOverlap: () => void,
): number | undefined {
  if (func === "irate") return instantRate(samples, starts);
  const { timestamps, values } = samples;
  const last = timestamps.length - 1;
  if (last < 0) return undefined;
  const resets: number[] = [];
  for (let i = 1; i <= last; i++) if (isReset(samples, starts, i)) resets.push(i);
  if (func === "resets") return resets.length;
  if (someStartOverlaps(starts, timestamps)) onOverlap();
  const first = values[0]!;
  const firstMs = timestamps[0]!;
  const zeroMs = zeroBefore(starts, firstMs, window.startMs);
  if (zeroMs === undefined && last === 0) return undefined;
  let increase = values[last]! - first;
  for (const i of resets) increase += values[i - 1]!;
  if (zeroMs !== undefined) increase += first;
  const sampled = { firstMs, lastMs: timestamps[last]!, samples: last + 1, first, increase, zeroMs };
  return increase * extrapolation(sampled, { ...window, isCounter: true, isRate: func === "rate" });
}

function instantRate({ timestamps, values }: SampleArrays, starts: StartTimestamps): number | undefined {
  const last = timestamps.length - 1;
  if (last < 1) return undefined;
  const change = isReset({ timestamps, values }, starts, last)
    ? values[last]!
    : values[last]! - values[last - 1]!;
  return change / ((timestamps[last]! - timestamps[last - 1]!) / 1000);
}

function isReset({ timestamps, values }: SampleArrays, starts: StartTimestamps, i: number): boolean {
  return values[i]! < values[i - 1]! || isStartReset(starts, timestamps[i - 1]!, timestamps[i]!);
}
