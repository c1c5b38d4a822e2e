// Upstream's varbits: signed numbers in few bits when they are near zero.
import { bitsAt, loadBigEndian, putBits, signExtend } from "./bits";

// Bits of a varbit behind so many ones and a zero; eight ones have no zero.
// @ts-ignore: decorator
@inline
export function varbitSize(ones: u32): u32 {
  // 3, 6, 9, 12, 18, 25, 56, 64.
  return ones == 0 ? 0 : <u32>((0x40_38_19_12_0c_09_06_03 as u64) >> ((ones - 1) << 3)) & 0xff;
}

export function putVarbit(base: usize, pos: u32, v: i64): u32 {
  if (v == 0) return pos + 1;
  for (let ones: u32 = 1; ones < 8; ones++) {
    const n = varbitSize(ones);
    // One more above zero than below it.
    const half = <i64>1 << (n - 1);
    if (v <= -half || v > half) continue;
    pos = putBits(base, pos, (<u64>1 << (ones + 1)) - 2, ones + 1);
    return putBits(base, pos, <u64>v & ((<u64>1 << n) - 1), n);
  }
  return putBits(base, putBits(base, pos, 0xff, 8), <u64>v, 64);
}

// The varbit at pos, and its length in `varbitBits`, which is 0 when it does not end before endPos.
export let varbitBits: u32 = 0;
export function varbitAt(base: usize, pos: u64, endPos: u64): i64 {
  const word = loadBigEndian(base + <usize>(pos >> 3)) << (pos & 7);
  const ones = min<u32>(<u32>clz<u64>(~word), 8);
  const size = varbitSize(ones);
  const prefix = min<u32>(ones + 1, 8);
  varbitBits = pos + prefix + size > endPos ? 0 : prefix + size;
  if (size == 0 || varbitBits == 0) return 0;
  const raw = bitsAt(base, pos + prefix, size);
  return size == 64 ? <i64>raw : signExtend(raw << (64 - size), 0, size);
}
