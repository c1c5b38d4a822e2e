// Decimal numbers, exactly: small ones by one multiplication or division (Clinger), others by Lemire's 128-bit product. More than 19
// significant digits and what overflows is left to the caller.
import { NORMAL_NAN_BITS } from "./layout";
import { multiplyHigh, POWER_MAX, POWER_MIN, POWERS } from "./powers";

// As many decimal digits always fit 64 bits.
const DIGITS_MAX: usize = 19;

// prettier-ignore
const EXACT_POWERS: StaticArray<f64> = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

// The results of the last scan: the bits, and where the number ended; 0 = not in this grammar.
export let numberBits: u64 = 0;
export let numberEnd: usize = 0;

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 48 < 10;
}

// Scans [+-] digits [. digits] [e [+-] digits], NaN, or [+-] Inf; loads nothing from `end` on.
export function scanNumber(ptr: usize, end: usize): void {
  numberEnd = 0;
  if (ptr >= end) return;
  let at = ptr;
  let byte = <u32>load<u8>(at);
  const negative = byte == 0x2d;
  if (negative || byte == 0x2b) at++;
  let mantissa: u64 = 0;
  let exponent: i32 = 0;
  const start = at;
  while (at < end) {
    byte = load<u8>(at);
    if (!isDigit(byte)) break;
    mantissa = mantissa * 10 + (byte - 48);
    at++;
  }
  let digits = at - start;
  if (at < end && byte == 0x2e) {
    at++;
    const fraction = at;
    while (at < end) {
      byte = load<u8>(at);
      if (!isDigit(byte)) break;
      mantissa = mantissa * 10 + (byte - 48);
      at++;
    }
    digits += at - fraction;
    exponent = -<i32>(at - fraction);
  }
  if (digits == 0) {
    if (at == start) scanName(start, end, negative, start != ptr);
    return;
  }
  if (digits > DIGITS_MAX) {
    if (!rescan(start, at)) return;
    mantissa = rescannedMantissa;
    exponent += rescannedZeros;
  }
  if (at < end && (byte | 0x20) == 0x65) {
    at++;
    let exponentNegative = false;
    if (at < end) {
      byte = load<u8>(at);
      exponentNegative = byte == 0x2d;
      if (exponentNegative || byte == 0x2b) at++;
    }
    const exponentStart = at;
    let explicit: i32 = 0;
    while (at < end) {
      byte = load<u8>(at);
      if (!isDigit(byte)) break;
      if (explicit < 100000) explicit = explicit * 10 + <i32>(byte - 48);
      at++;
    }
    if (at == exponentStart) return;
    exponent += exponentNegative ? -explicit : explicit;
  }
  const magnitude = toBits(mantissa, exponent);
  if (magnitude == UNDECIDED) return;
  numberBits = negative ? magnitude | 0x8000000000000000 : magnitude;
  numberEnd = at;
}

// The mantissa of more than 19 digits and a point perhaps, if leading and trailing zeros leave no more than that.
let rescannedMantissa: u64 = 0;
let rescannedZeros: i32 = 0;

function rescan(start: usize, end: usize): bool {
  rescannedMantissa = 0;
  rescannedZeros = 0;
  let significant: usize = 0;
  for (let at = start; at < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) continue;
    if (significant == DIGITS_MAX) {
      if (digit != 0) return false;
      rescannedZeros++;
      continue;
    }
    rescannedMantissa = rescannedMantissa * 10 + digit;
    if (rescannedMantissa != 0) significant++;
  }
  return true;
}

function scanName(at: usize, end: usize, negative: bool, signed: bool): void {
  if (end - at < 3) return;
  const word = <u32>load<u16>(at) | ((<u32>load<u8>(at, 2)) << 16);
  if (word == 0x4e614e && !signed) numberBits = NORMAL_NAN_BITS;
  else if (word == 0x666e49) numberBits = negative ? 0xfff0000000000000 : 0x7ff0000000000000;
  else return;
  numberEnd = at + 3;
}

const UNDECIDED: u64 = u64.MAX_VALUE;

// @ts-ignore: decorator
@inline
function toBits(mantissa: u64, exponent: i32): u64 {
  if (mantissa < 1 << 53) {
    if (exponent == 0) return reinterpret<u64>(<f64>mantissa);
    if (exponent < 0 && exponent >= -22) return reinterpret<u64>(<f64>mantissa / unchecked(EXACT_POWERS[-exponent]));
    if (exponent > 0 && exponent <= 22) return reinterpret<u64>(<f64>mantissa * unchecked(EXACT_POWERS[exponent]));
    if (mantissa == 0) return 0;
  }
  return multiply(mantissa, exponent);
}

function multiply(mantissa: u64, exponent: i32): u64 {
  if (exponent < POWER_MIN) return 0;
  if (exponent > POWER_MAX) return UNDECIDED;
  const power = POWERS + (<usize>(exponent - POWER_MIN) << 4);
  const zeros = clz<u64>(mantissa);
  const scaled = mantissa << zeros;
  const powerHigh = load<u64>(power, 8);
  let high = multiplyHigh(scaled, powerHigh);
  let low = scaled * powerHigh;
  // The 55 bits that matter may still change: the power's low half decides.
  if ((high & 0x1ff) == 0x1ff) {
    const more = multiplyHigh(scaled, load<u64>(power));
    low += more;
    if (low < more) high++;
  }
  const top = high >> 63;
  const shift = top + 9;
  let result = high >> shift;
  // ⌊log₂ 10^e⌋ = ⌊217706 e / 2^16⌋ in this range.
  let binary = ((<i64>217706 * <i64>exponent) >> 16) + 63 + <i64>top - <i64>zeros + 1023;
  if (binary <= 0) {
    // Subnormal.
    if (binary <= -63) return 0;
    result >>= <u64>(1 - binary);
    result = (result + (result & 1)) >> 1;
    return result;
  }
  // Exactly half way between two numbers, which only these powers can be: to the even one.
  if (low <= 1 && exponent >= -4 && exponent <= 23 && (result & 3) == 1 && result << shift == high) result &= ~(<u64>1);
  result = (result + (result & 1)) >> 1;
  if (result >> 53 != 0) {
    result >>= 1;
    binary++;
  }
  if (binary >= 0x7ff) return UNDECIDED;
  return (<u64>binary << 52) | (result & 0x000fffffffffffff);
}

export function parseNumber(ptr: usize, bytes: u32, out: usize): u32 {
  scanNumber(ptr, ptr + bytes);
  if (numberEnd != ptr + bytes || bytes == 0) return 0;
  store<u64>(out, numberBits);
  return 1;
}
