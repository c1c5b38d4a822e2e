import { NarthexError } from "../base/index.ts";
import { quoteGo } from "./quote.ts";

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** What promtool's flags know besides. */
const longUnitMs: Readonly<Record<string, number>> = { d: 86_400_000, w: 604_800_000 };
/** An amount and what is behind it, which should be a unit. */
const part = /(\d+\.?\d*|\.\d+)([^\d.]*)/y;

/**
 * Reads Go's own durations, `1h2m3.5s`, into milliseconds; `knowsDays` allows `d` and `w` as well. Throws `bad_data` with Go's texts.
 */
export function parseGoDuration(source: string, knowsDays = false): number {
  const invalid = (): NarthexError =>
    new NarthexError("bad_data", `time: invalid duration ${quoteGo(source)}`);
  const text = source.replace(/^[+-]/, "");
  if (text === "0") return 0;
  if (text === "") throw invalid();
  let totalMs = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const [, amount, unit] = part.exec(text) ?? [];
    if (amount === undefined || unit === undefined) throw invalid();
    if (unit === "") throw new NarthexError("bad_data", `time: missing unit in duration ${quoteGo(source)}`);
    const length = unitMs[unit] ?? (knowsDays ? longUnitMs[unit] : undefined);
    if (length === undefined)
      throw new NarthexError(
        "bad_data",
        `time: unknown unit ${quoteGo(unit)} in duration ${quoteGo(source)}`,
      );
    totalMs += Number(amount) * length;
  }
  return source.startsWith("-") ? -totalMs : totalMs;
}

/** Go's `Duration.String()`: `1h2m3.5s`, `250ms`, `0s`. */
export function formatGoDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${fraction(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${fraction(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${fraction(size % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  return `${sign}${minutes < 60n ? "" : `${minutes / 60n}h`}${minutes % 60n}m${seconds}`;
}

/** `value` × 10^-digits without trailing zeros. */
function fraction(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  const rest = text.slice(-digits).replace(/0+$/, "");
  return text.slice(0, -digits) + (rest === "" ? "" : `.${rest}`);
}
