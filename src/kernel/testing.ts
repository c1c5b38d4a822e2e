import { createKernel } from "./create.ts";
import type { Kernel } from "./kernel.ts";
import { memoryBytesMin } from "./layout.ts";

/** A small kernel of its own for a test file, and how tests put columns into it. */
export function testKernel(limitBytes: number = memoryBytesMin): Kernel {
  return createKernel({ limitBytes });
}

export interface Sample {
  readonly t: number;
  /** The value's bits, so that NaN payloads can be compared. */
  readonly bits: bigint;
}

const converter = new DataView(new ArrayBuffer(8));

export function bitsOf(value: number): bigint {
  converter.setFloat64(0, value);
  return converter.getBigUint64(0);
}

export function valueOf(bits: bigint): number {
  converter.setBigUint64(0, bits);
  return converter.getFloat64(0);
}

/** Copies samples to two new scratch columns. */
export function putColumns(
  kernel: Kernel,
  samples: readonly Sample[],
): { tsPtr: number; vsPtr: number; count: number } {
  const tsPtr = kernel.scratch.allocate(samples.length * 8 + 64);
  const vsPtr = kernel.scratch.allocate(samples.length * 8 + 64);
  samples.forEach((sample, index) => {
    kernel.views.f64[tsPtr / 8 + index] = sample.t;
    kernel.views.u64[vsPtr / 8 + index] = sample.bits;
  });
  return { tsPtr, vsPtr, count: samples.length };
}

export function getColumns(kernel: Kernel, tsPtr: number, vsPtr: number, count: number): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    t: kernel.views.f64[tsPtr / 8 + index]!,
    bits: kernel.views.u64[vsPtr / 8 + index]!,
  }));
}
