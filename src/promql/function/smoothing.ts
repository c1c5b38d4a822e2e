import { NarthexError } from "../../base/index.ts";

/**
 * Holt's double exponential smoothing of the values of a window; undefined for fewer than two. Throws `execution` for
 * factors outside of (0, 1).
 */
export function smoothDoubleExponential(
  values: Float64Array,
  smoothingFactor: number,
  trendFactor: number,
): number | undefined {
  if (values.length === 0) return undefined;
  checkFactor("smoothing", "sf", smoothingFactor);
  checkFactor("trend", "tf", trendFactor);
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

function checkFactor(what: string, symbol: string, factor: number): void {
  if (!(factor <= 0 || factor >= 1)) return;
  throw new NarthexError(
    "execution",
    `invalid ${what} factor. Expected: 0 < ${symbol} < 1, got: ${factor.toFixed(6)}`,
  );
}
