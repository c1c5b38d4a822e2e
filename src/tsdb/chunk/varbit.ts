import type { BitReader, BitWriter } from "./bit-stream.ts";

/** How many bits a number may take, after as many ones (and a zero) as smaller sizes there are; the last has no zero. */
const sizes = [0, 3, 6, 9, 12, 18, 25, 56, 64] as const;

/** Writes a whole number: few bits when it is near zero. */
export function writeVarbitInt(bits: BitWriter, value: number): void {
  write(
    bits,
    value,
    sizes.findIndex((size) => size === 64 || fitsSigned(value, size)),
  );
}

/** Writes a whole number from 0 on. */
export function writeVarbitUint(bits: BitWriter, value: number): void {
  write(
    bits,
    value,
    sizes.findIndex((size) => size === 64 || value < 2 ** size),
  );
}

export function readVarbitInt(bits: BitReader): number {
  const size = sizes[readPrefix(bits)]!;
  if (size === 0) return 0;
  if (size <= 32) {
    const raw = bits.readBits(size);
    return raw > 2 ** (size - 1) ? raw - 2 ** size : raw;
  }
  const high = bits.readBits(size - 32);
  const low = bits.readBits(32);
  // The half on its own is the largest number, not the smallest; only 64 bits are plain two's complement.
  const half = 2 ** (size - 33);
  const isNegative = high > half || (high === half && (low > 0 || size === 64));
  return (isNegative ? high - 2 * half : high) * 2 ** 32 + low;
}

export function readVarbitUint(bits: BitReader): number {
  return read(bits, sizes[readPrefix(bits)]!);
}

/** One more above zero than below it. */
function fitsSigned(value: number, size: number): boolean {
  if (size === 0) return value === 0;
  return -(2 ** (size - 1)) < value && value <= 2 ** (size - 1);
}

const lastPrefix = sizes.length - 1;

function write(bits: BitWriter, value: number, prefix: number): void {
  if (prefix === lastPrefix) bits.writeBits(0xff, 8);
  else bits.writeBits(2 ** (prefix + 1) - 2, prefix + 1);
  const size = sizes[prefix]!;
  if (size > 32) bits.writeLong(value, size);
  else bits.writeBits(value, size);
}

function readPrefix(bits: BitReader): number {
  let prefix = 0;
  while (prefix < lastPrefix && bits.readBit() === 1) prefix++;
  return prefix;
}

function read(bits: BitReader, size: number): number {
  return size > 32 ? bits.readLong(size) : bits.readBits(size);
}
