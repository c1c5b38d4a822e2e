// Numbers as text, the shortest digits that read back as the same number (Schubfach: one product with a 128-bit power of ten for
// the number and for each of the two halfway points around it), and whole rows of them as JSON.
import { multiplyHigh, POWER_MAX, POWER_MIN, POWERS } from "./powers";

// 5^q fits 128 bits up to here, and the table's reciprocals down to here are rounded up already.
const EXACT_MAX: i32 = 55;
const ROUNDED_MIN: i32 = -27;

const HIDDEN: u64 = 1 << 52;
const FRACTION: u64 = HIDDEN - 1;
const INTEGERS_MAX: f64 = 9007199254740992;
// Millionths below it have at most 15 digits.
const SHORT_MAX: f64 = 1e9;

let digits: u64 = 0;
let exponent: i32 = 0;
let powerHigh: u64 = 0;
let powerLow: u64 = 0;

// The top 64 bits of power × cp, of which the lowest also tells whether anything was cut off.
// @ts-ignore: decorator
@inline
function roundToOdd(cp: u64): u64 {
  const carry = multiplyHigh(powerLow, cp);
  const low = powerHigh * cp;
  const sum = low + carry;
  const high = multiplyHigh(powerHigh, cp) + <u64>(sum < low);
  return high | <u64>(sum > 1);
}

// The top 128 bits of 10^k, rounded up.
// @ts-ignore: decorator
@inline
function loadPower(k: i32): void {
  const at = POWERS + <usize>(<u32>(k - POWER_MIN) << 4);
  powerLow = load<u64>(at);
  powerHigh = load<u64>(at, 8);
  if (k > EXACT_MAX || k < ROUNDED_MIN) {
    powerLow++;
    if (powerLow == 0) powerHigh++;
  }
}

// Shortest decimal of a positive, finite, normal number: `digits` × 10^`exponent`. False when the power is beyond the table.
function shortest(bits: u64): bool {
  const fraction = bits & FRACTION;
  const biased = <i32>(bits >> 52);
  const c = HIDDEN | fraction;
  const q = biased - 1075;
  const isEven = (c & 1) == 0;
  // Below a power of two numbers lie twice as close.
  const isCloser = fraction == 0 && biased > 1;
  const k = (q * 1262611 - (isCloser ? 524031 : 0)) >> 22;
  if (-k > POWER_MAX || -k < POWER_MIN) return false;
  loadPower(-k);
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1);
  const cb = c << 2;
  const low = roundToOdd((cb - 2 + <u64>isCloser) << h) + <u64>!isEven;
  const value = roundToOdd(cb << h);
  const high = roundToOdd((cb + 2) << h) - <u64>!isEven;
  const s = value >> 2;
  if (s >= 10) {
    const tens = s / 10;
    const lowInside = low <= 40 * tens;
    const highInside = 40 * tens + 40 <= high;
    if (lowInside != highInside) {
      digits = tens + <u64>highInside;
      exponent = k + 1;
      return true;
    }
  }
  exponent = k;
  const lowInside = low <= s << 2;
  const highInside = (s << 2) + 4 <= high;
  if (lowInside != highInside) {
    digits = s + <u64>highInside;
    return true;
  }
  const middle = (s << 2) + 2;
  digits = s + <u64>(value > middle || (value == middle && (s & 1) == 1));
  return true;
}

// The last `count` of the eight digits of a number below 10^8. Eight bytes are touched.
// @ts-ignore: decorator
@inline
function writeDigits32(value: u32, count: i32, out: usize): void {
  // Lanes of four digits, then of two, then of one; the first are in the lowest bits.
  const fours = <u64>(value / 10000) | (<u64>(value % 10000) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = hundreds | ((fours - hundreds * 100) << 16);
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  const ones = tens | ((twos - tens * 10) << 8);
  store<u64>(out, (ones | 0x3030303030303030) >> (<u64>(8 - count) << 3));
}

// Below 10^8.
// @ts-ignore: decorator
@inline
function countDigits32(value: u32): i32 {
  if (value < 10000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  return value < 1000000 ? (value < 100000 ? 5 : 6) : value < 10000000 ? 7 : 8;
}

// Decimal digits of a number below 10^17; returns how many. At most seven bytes behind them are touched.
function writeDigits(value: u64, out: usize): i32 {
  if (value < 100000000) {
    const count = countDigits32(<u32>value);
    writeDigits32(<u32>value, count, out);
    return count;
  }
  const high = value / 100000000;
  let count: i32;
  if (high < 100000000) {
    count = countDigits32(<u32>high);
    writeDigits32(<u32>high, count, out);
  } else {
    const top = high / 100000000;
    count = countDigits32(<u32>top);
    writeDigits32(<u32>top, count, out);
    writeDigits32(<u32>(high - top * 100000000), 8, out + count);
    count += 8;
  }
  writeDigits32(<u32>(value - high * 100000000), 8, out + count);
  return count + 8;
}

// @ts-ignore: decorator
@inline
function fillZeros(out: usize, count: i32): void {
  for (let i: i32 = 0; i < count; i++) store<u8>(out + i, 0x30);
}

// Takes the zeros off the end of `digits`, many at a time: short decimals come with a dozen of them.
function dropZeros(): void {
  if (digits % 100000000 == 0) {
    digits /= 100000000;
    exponent += 8;
  }
  if (digits % 10000 == 0) {
    digits /= 10000;
    exponent += 4;
  }
  if (digits % 100 == 0) {
    digits /= 100;
    exponent += 2;
  }
  while (digits % 10 == 0) {
    digits /= 10;
    exponent++;
  }
}

// Writes `digits` × 10^`exponent` with an exponent of two digits and more below 1e-6 and from 1e21 on, else plainly.
function writeDecimal(out: usize): usize {
  if (digits % 10 == 0) dropZeros();
  const count = writeDigits(digits, out);
  const point = count + exponent;
  if (point > 21 || point < -5) {
    let at = out + 1;
    if (count > 1) {
      putPoint(at);
      at += count;
    }
    store<u8>(at, 0x65);
    const power = point - 1;
    store<u8>(at + 1, power < 0 ? 0x2d : 0x2b);
    const magnitude = <u32>(power < 0 ? -power : power);
    const width = magnitude < 100 ? 2 : 3;
    writeDigits32(magnitude, width, at + 2);
    return at + 2 + width;
  }
  if (point <= 0) {
    const at = out + 2 - point;
    const first = v128.load(out);
    const last = load<u8>(out, 16);
    v128.store(at, first);
    store<u8>(at, last, 16);
    store<u8>(out, 0x30);
    store<u8>(out, 0x2e, 1);
    fillZeros(out + 2, -point);
    return at + count;
  }
  if (point >= count) {
    fillZeros(out + count, point - count);
    return out + point;
  }
  putPoint(out + point);
  return out + count + 1;
}

// Puts a point before up to 16 digits.
// @ts-ignore: decorator
@inline
function putPoint(at: usize): void {
  v128.store(at + 1, v128.load(at));
  store<u8>(at, 0x2e);
}

// Writes a number that is no integer and the nearest to so many millionths: those are at most 15 digits, and of decimals that short no two
// have the same nearest number, so no other reads back as it.
// @ts-ignore: decorator
@inline
function writeShort(value: f64, millionths: f64, out: usize): usize {
  const whole = <u32>value;
  let fraction = <u32>(millionths - <f64>whole * 1e6);
  let places: i32 = 6;
  if (fraction % 1000 == 0) {
    fraction /= 1000;
    places = 3;
  }
  while (fraction % 10 == 0) {
    fraction /= 10;
    places--;
  }
  const count = writeDigits(whole, out);
  store<u8>(out + count, 0x2e);
  writeDigits32(fraction, places, out + count + 1);
  return out + count + 1 + places;
}

// Writes a number as the HTTP API does; returns where it ends, or 0 when it is too small for the tables. At most 40 bytes are touched.
function writeNumber(value: f64, out: usize): usize {
  const bits = reinterpret<u64>(value);
  const magnitude = bits & 0x7fffffffffffffff;
  let at = out;
  if (magnitude >= 0x7ff0000000000000) {
    if (magnitude > 0x7ff0000000000000) {
      store<u8>(at, 0x4e);
      store<u16>(at + 1, 0x4e61);
      return at + 3;
    }
    // +Inf and -Inf, little-endian.
    store<u32>(at, bits == magnitude ? 0x666e492b : 0x666e492d);
    return at + 4;
  }
  if (bits != magnitude) store<u8>(at++, 0x2d);
  if (magnitude == 0) {
    store<u8>(at, 0x30);
    return at + 1;
  }
  const positive = reinterpret<f64>(magnitude);
  if (positive < INTEGERS_MAX && Math.floor(positive) == positive) return at + writeDigits(<u64>positive, at);
  if (positive < SHORT_MAX) {
    const millionths = Math.floor(positive * 1e6 + 0.5);
    if (millionths / 1e6 == positive) return writeShort(positive, millionths, at);
  }
  if (magnitude < HIDDEN || !shortest(magnitude)) return 0;
  return writeDecimal(at);
}

// Writes `<time><number>"]` for each present step, with commas between. The text of a step's time (`[1.5,"`) is the bytes between two
// of the u32 offsets, at most 32, with slack behind. Returns the bytes written, or -1 - step for a number that the caller must write.
export function formatRow(
  row: usize,
  present: usize,
  steps: u32,
  times: usize,
  timeOffsets: usize,
  out: usize,
): i32 {
  let at = out;
  for (let k: u32 = 0; k < steps; k++) {
    if (load<u8>(present + k) == 0) continue;
    if (at != out) store<u8>(at++, 0x2c);
    const offset = timeOffsets + (<usize>k << 2);
    const start = load<u32>(offset);
    const time = times + start;
    v128.store(at, v128.load(time));
    v128.store(at + 16, v128.load(time + 16));
    at = writeNumber(load<f64>(row + (<usize>k << 3)), at + (load<u32>(offset, 4) - start));
    if (at == 0) return -1 - <i32>k;
    store<u16>(at, 0x5d22);
    at += 2;
  }
  return <i32>(at - out);
}
