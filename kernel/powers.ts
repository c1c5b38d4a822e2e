// The table of powers of five that src/kernel/tables.ts fills (16 bytes each, low half first), and the wide product it is made for.
import { TABLES } from "./layout";

export const POWERS: usize = TABLES + 16384;
export const POWER_MIN: i32 = -342;
export const POWER_MAX: i32 = 308;

// The high half of a 64 × 64-bit product.
// @ts-ignore: decorator
@inline
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const carry = (middle & 0xffffffff) + aLow * bHigh;
  return aHigh * bHigh + (middle >> 32) + (carry >> 32);
}
