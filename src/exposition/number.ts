import { parseNumber } from "../model/index.ts";

/** Exact as doubles, so that one multiplication or division by them rounds correctly. */
const powersOfTen: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Mantissas of this many decimal digits are exact as doubles. */
const digitsMax = 15;

const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const lowerE = 0x65;

/**
 * The number that `bytes[start, end)` spells, as the scrape formats accept it: Go's decimal syntax, `NaN`, `Inf`, without
 * hexadecimal and `_`; undefined when it is none or too large for a double. Makes no garbage for usual numbers.
 */
export function readFloat(bytes: Buffer, start: number, end: number): number | undefined {
  let at = start;
  const negative = bytes[at] === minus;
  if (negative || bytes[at] === plus) at++;
  let mantissa = 0;
  let digits = 0;
  let fraction = 0;
  let seenPoint = false;
  for (; at < end; at++) {
    const digit = bytes[at]! - zero;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (seenPoint) fraction++;
    } else if (bytes[at] === point && !seenPoint) {
      seenPoint = true;
    } else {
      break;
    }
  }
  if (digits === 0 || digits > digitsMax) return readSlowly(bytes, start, end);
  let exponent = -fraction;
  if (at < end) {
    const written = readExponent(bytes, at, end);
    if (written === undefined) return readSlowly(bytes, start, end);
    exponent += written;
  }
  if (exponent < -22 || exponent > 22) return readSlowly(bytes, start, end);
  const size = exponent < 0 ? mantissa / powersOfTen[-exponent]! : mantissa * powersOfTen[exponent]!;
  return negative ? -size : size;
}

/** The value of `e+06`, when it is one of at most three digits. */
function readExponent(bytes: Buffer, start: number, end: number): number | undefined {
  let at = start;
  if ((bytes[at++]! | 0x20) !== lowerE) return undefined;
  const negative = bytes[at] === minus;
  if (negative || bytes[at] === plus) at++;
  if (at >= end || end - at > 3) return undefined;
  let exponent = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) return undefined;
    exponent = exponent * 10 + digit;
  }
  return negative ? -exponent : exponent;
}

function readSlowly(bytes: Buffer, start: number, end: number): number | undefined {
  const text = bytes.toString("latin1", start, end);
  if (/[pPxX_]/.test(text)) return undefined;
  const value = parseNumber(text);
  // An infinity that was not spelled out is a number beyond the range.
  if (value !== undefined && Math.abs(value) === Infinity && !/inf/i.test(text)) return undefined;
  return value;
}

const int64Max = 2n ** 63n - 1n;

/**
 * A timestamp of digits only, in milliseconds; undefined when it does not fit 64 bits. What lies beyond a double's exact
 * integers (some 285,000 years from now) is brought back to their end.
 */
export function readTimestampMs(bytes: Buffer, start: number, end: number): number | undefined {
  const text = bytes.toString("latin1", start, end);
  const value = Number(text);
  if (value > Number.MAX_SAFE_INTEGER) return BigInt(text) > int64Max ? undefined : Number.MAX_SAFE_INTEGER;
  return value;
}
