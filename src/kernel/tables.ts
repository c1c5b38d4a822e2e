import { tablesStart } from "./layout.ts";
import type { Views } from "./views.ts";

/** CRC-32C: 16 tables of 256 u32, filled by the kernel itself. */
export const crcTablesStart = tablesStart;
/** For q in [powerMin, powerMax]: the top 128 bits of 5^q, normalised, as two u64 (low, high). */
export const powersStart = tablesStart + 16_384;
export const powerMin = -342;
export const powerMax = 308;
/** 5^27 is the largest power of five below 2^64: a 64-bit number is divisible by none beyond. */
const exactReciprocalMin = -27;

/** Fills the table of Lemire's number parser: 5^q, or its reciprocal, scaled by a power of two so that bit 127 is its highest, and cut there. */
export function fillPowersOfFive(views: Views): void {
  for (let q = powerMin; q <= powerMax; q++) {
    const bits = powerOfFiveBits(q);
    const index = (powersStart + (q - powerMin) * 16) / 8;
    views.u64[index] = BigInt.asUintN(64, bits);
    views.u64[index + 1] = bits >> 64n;
  }
}

function powerOfFiveBits(q: number): bigint {
  const power = 5n ** BigInt(Math.abs(q));
  const length = BigInt(power.toString(2).length);
  if (q >= 0) return length > 128n ? power >> (length - 128n) : power << (128n - length);
  // 2^b / 5^-q with b such that the quotient has 128 bits; rounded up where a quotient can be exact, so that it is not taken for less.
  return (1n << (length + 127n)) / power + (q >= exactReciprocalMin ? 1n : 0n);
}
