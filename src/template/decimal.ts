/**
 * Floating-point numbers in Go's printed forms (`strconv.FormatFloat`). JavaScript's own `toFixed` and
 * `toPrecision` round ties away from zero; Go rounds the exact binary value half to even, so that is done
 * here on the exact decimal expansion.
 */
import { formatExponent, formatPlain, formatShortest } from "../model/index.ts";

export type FloatForm = "e" | "f" | "g";

interface Decimal {
  /** Significant digits, without leading or trailing zeros; empty for zero. */
  readonly digits: string;
  /** Position of the decimal point relative to the start of `digits`: the value is 0.digits × 10^point. */
  readonly point: number;
}

/** No double has more decimal digits than this behind or before the point. */
const PRECISION_MAX = 1100;

const shortest: Record<FloatForm, (value: number) => string> = {
  e: formatExponent,
  f: formatPlain,
  g: formatShortest,
};

/** Formats `value`; `precision` < 0 asks for the shortest text that reads back as the same number. */
export function formatFloat(value: number, form: FloatForm, precision: number): string {
  if (precision < 0 || !Number.isFinite(value)) return shortest[form](value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return sign + formatRounded(Math.abs(value), form, Math.min(precision, PRECISION_MAX));
}

function formatRounded(magnitude: number, form: FloatForm, precision: number): string {
  const exact = exactDecimal(magnitude);
  if (form === "e") return exponentForm(roundTo(exact, precision + 1), precision);
  if (form === "f") return fixedForm(roundTo(exact, exact.point + precision), precision);
  const significant = precision === 0 ? 1 : precision;
  const rounded = roundTo(exact, significant);
  const digitCount = rounded.digits.length;
  const exponent = digitCount === 0 ? 0 : rounded.point - 1;
  const threshold = significant > digitCount && digitCount >= rounded.point ? digitCount : significant;
  if (exponent < -4 || exponent >= Math.max(threshold, 1)) {
    return exponentForm(rounded, Math.max(digitCount - 1, 0));
  }
  return fixedForm(rounded, Math.max(digitCount - rounded.point, 0));
}

const bits = new DataView(new ArrayBuffer(8));

function exactDecimal(magnitude: number): Decimal {
  if (magnitude === 0) return { digits: "", point: 0 };
  bits.setFloat64(0, magnitude);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return trimmed(digits, digits.length);
  }
  // m × 2^-k = m × 5^k / 10^k
  const digits = (mantissa * 5n ** BigInt(-exponent)).toString();
  return trimmed(digits, digits.length + exponent);
}

function trimmed(digits: string, point: number): Decimal {
  const end = digits.length - (/0*$/.exec(digits)?.[0].length ?? 0);
  return end === 0 ? { digits: "", point: 0 } : { digits: digits.slice(0, end), point };
}

/** Keeps the first `count` digits, rounding half to even. */
function roundTo(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return { digits: "", point: 0 };
  const kept = digits.slice(0, count);
  const next = digits.charCodeAt(count) - 48;
  const tie = next === 5 && digits.length === count + 1;
  const odd = count > 0 && (kept.charCodeAt(count - 1) & 1) === 1;
  const up = tie ? odd : next >= 5;
  if (!up) return trimmed(kept, point);
  const raised = (BigInt(kept === "" ? "0" : kept) + 1n).toString().padStart(count, "0");
  return trimmed(raised, point + (raised.length - count));
}

function exponentForm(decimal: Decimal, precision: number): string {
  const digits = decimal.digits.padEnd(precision + 1, "0");
  const exponent = decimal.digits === "" ? 0 : decimal.point - 1;
  const fraction = precision > 0 ? `.${digits.slice(1, precision + 1)}` : "";
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits.charAt(0)}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
}

function fixedForm(decimal: Decimal, precision: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (precision === 0) return whole;
  const lead = "0".repeat(Math.min(Math.max(-point, 0), precision));
  const fraction = (lead + digits.slice(Math.max(point, 0))).padEnd(precision, "0").slice(0, precision);
  return `${whole}.${fraction}`;
}
