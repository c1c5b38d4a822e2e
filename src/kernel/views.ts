import type { WasmMemory } from "./web-assembly.ts";

/**
 * Typed views over the whole shared memory. The memory never grows, so they are made once per thread and never go stale.
 * Indices count elements: a u32 at pointer p is `u32[p >>> 2]`, an f64 `f64[p / 8]` (p may exceed 2³¹: never `p >> 3`).
 */
export interface Views {
  readonly u8: Uint8Array<SharedArrayBuffer>;
  readonly u16: Uint16Array<SharedArrayBuffer>;
  readonly u32: Uint32Array<SharedArrayBuffer>;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly u64: BigUint64Array<SharedArrayBuffer>;
  readonly i64: BigInt64Array<SharedArrayBuffer>;
}

export function createViews(memory: WasmMemory): Views {
  const buffer = memory.buffer;
  return {
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    f64: new Float64Array(buffer),
    u64: new BigUint64Array(buffer),
    i64: new BigInt64Array(buffer),
  };
}
