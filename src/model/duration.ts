import { NarthexError } from "../base/index.ts";
import { quoteGo } from "./quote.ts";

/** Lengths of the units in milliseconds, largest first: the order in which a duration may name them. */
const units: readonly (readonly [unit: string, milliseconds: number])[] = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
/** A count and what is behind it, which should be a unit. */
const part = /(\d+)(\D*)/y;
/** Upstream's durations are int64 nanoseconds; a longer one cannot be expressed there. */
const durationMsMax = 9_223_372_036_854;

/** Reads `1h30m`, `15s`, `250ms` or `0` into milliseconds. Throws `bad_data` with upstream's texts. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw new NarthexError("bad_data", "empty duration string");
  const invalid = (): NarthexError =>
    new NarthexError("bad_data", `not a valid duration string: ${quoteGo(text)}`);
  let totalMs = 0;
  let last = -1;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const [, digits, unit] = part.exec(text) ?? [];
    if (digits === undefined || !unit || BigInt(digits) >= 2n ** 64n) throw invalid();
    const place = units.findIndex(([name]) => name === unit);
    if (place < 0)
      throw new NarthexError("bad_data", `unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`);
    if (place <= last) throw invalid();
    last = place;
    totalMs += Number(digits) * units[place]![1];
    if (totalMs > durationMsMax) throw new NarthexError("bad_data", "duration out of range");
  }
  return totalMs;
}

/** Writes milliseconds as upstream does: `1h30m`, years and weeks only when they divide evenly, zero as `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  let rest = Math.abs(durationMs);
  let text = durationMs < 0 ? "-" : "";
  for (const [unit, unitMs] of units) {
    const exactOnly = unit === "y" || unit === "w";
    if (exactOnly && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}
