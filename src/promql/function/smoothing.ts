import { NarthexError } from "../../base/index.ts";
import { formatPlain } from "../../model/index.ts";

/**
 * Holt's double exponential smoothing of the values of a window; undefined for fewer than two. Throws `execution` for factors outside of
 * (0, 1).
 */
export function smoothDoubleExponential(
  values: Float64Array,
  smoothingFactor: number,
  trendFactor: number,
): number | undefined {
  if (values.length === 0) return undefined;
  checkFactors(smoothingFactor, trendFactor);
  if (values.length < 2) return undefined;
  let before = 0;
  let level = values[0]!;
  let trend = values[1]! - values[0]!;
  for (let i = 1; i < values.length; i++) {
    if (i > 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend;
    const next = smoothingFactor * values[i]! + (1 - smoothingFactor) * (level + trend);
    before = level;
    level = next;
  }
  return level;
}

/** Throws `execution` for factors outside of (0, 1). */
export function checkFactors(smoothingFactor: number, trendFactor: number): void {
  checkFactor("smoothing", "sf", smoothingFactor);
  checkFactor("trend", "tf", trendFactor);
}

function checkFactor(what: string, symbol: string, factor: number): void {
  if (!(factor <= 0 || factor >= 1)) return;
  throw new NarthexError(
    "execution",
    `invalid ${what} factor. Expected: 0 < ${symbol} < 1, got: ${formatSixDecimals(factor)}`,
  );
}

/** Go's `%f`. */
function formatSixDecimals(value: number): string {
  if (!Number.isFinite(value)) return formatPlain(value);
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
