import { layout } from "../../kernel/index.ts";

/** One of a chunk's times in milliseconds. Its halves are read again should the writer have been between them. */
export function chunkTimeMs(
  u32: Uint32Array,
  chunkPtr: number,
  field: "minTimestampMs" | "maxTimestampMs",
): number {
  const low = (chunkPtr + layout.chunk[field]) >>> 2;
  for (;;) {
    const high = Atomics.load(u32, low + 1);
    const value = (high | 0) * 2 ** 32 + Atomics.load(u32, low);
    if (Atomics.load(u32, low + 1) === high) return value;
  }
}
