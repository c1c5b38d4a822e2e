import { formatValue } from "../../model/index.ts";

/** No number is longer: 17 digits, sign, point, and up to 21 digits or zeros beside. */
export const numberBytesMax = 32;

const zero = 0x30;

/** Writes a value as upstream's JSON does (`formatValue`) at `at`; returns the place behind. There must be room for `numberBytesMax`. */
export function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && value < 1e15 && value > -1e15 && !Object.is(value, -0)) {
    return writeInteger(bytes, at, value);
  }
  const text = formatValue(value);
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Writes an integer below 10¹⁵. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  let place = at;
  let rest = value;
  if (rest < 0) {
    bytes[place++] = 0x2d;
    rest = -rest;
  }
  if (rest >= 1e8) {
    // Halves stay below 2³¹, where integer division is cheap.
    const high = Math.floor(rest / 1e8);
    place = writeDigits(bytes, place, high, digitCount(high));
    return writeDigits(bytes, place, rest - high * 1e8, 8);
  }
  return writeDigits(bytes, place, rest, digitCount(rest));
}

function writeDigits(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = zero + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

function digitCount(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

/** Writes a time in milliseconds as seconds, with three decimals unless they are zero. */
export function writeTimestamp(bytes: Uint8Array, at: number, timestampMs: number): number {
  let place = at;
  let rest = timestampMs;
  if (rest < 0) {
    bytes[place++] = 0x2d;
    rest = -rest;
  }
  const seconds = Math.floor(rest / 1000);
  place = writeInteger(bytes, place, seconds);
  const fraction = rest - seconds * 1000;
  if (fraction === 0) return place;
  bytes[place++] = 0x2e;
  return writeDigits(bytes, place, fraction, 3);
}
