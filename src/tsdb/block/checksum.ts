import type { Kernel } from "../../kernel/index.ts";

const windowBytesMax = 65_536;

/** CRC-32C of bytes outside the shared memory, continued from `seed`. */
export function checksumOf(kernel: Kernel, bytes: Uint8Array, seed = 0): number {
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  const ptr = scratch.allocate(Math.min(bytes.length, windowBytesMax));
  let crc = seed;
  for (let start = 0; start < bytes.length; start += windowBytesMax) {
    const part = bytes.subarray(start, start + windowBytesMax);
    views.u8.set(part, ptr);
    crc = kernel.crc32c(ptr, part.length, crc);
  }
  scratch.release(mark);
  return crc;
}
