import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { assert, errorMessage, NarthexError } from "../base/index.ts";
import { Kernel, type KernelHandle } from "./kernel.ts";
import {
  chunkEncodingXor,
  control,
  controlMagic,
  isolationNote,
  layoutVersion,
  memoryBytesMax,
  memoryBytesMin,
  memoryPagesMax,
  pageBytes,
  reader,
  spansStart,
} from "./layout.ts";
import { fillPowersOfFive } from "./tables.ts";
import { type WasmMemory, type WasmModule, webAssembly } from "./web-assembly.ts";

export interface KernelOptions {
  /** Size of the shared memory; default `defaultLimitBytes()`, at least 64 MiB, at most 4 GiB, rounded up to 64 KiB. */
  readonly limitBytes?: number;
}

const kernelFile = new URL("../../build/kernel.wasm", import.meta.url);
const epochFirst = 1;

/** The smaller of 4 GiB and three quarters of the machine's memory, at least 64 MiB. */
export function defaultLimitBytes(): number {
  return Math.max(memoryBytesMin, Math.min(memoryBytesMax, Math.floor(totalmem() * 0.75)));
}

/** Reserves the shared memory and prepares it; in the main thread, once per process (tests: as often as they like). */
export function createKernel(options: KernelOptions = {}): Kernel {
  const limitBytes = options.limitBytes ?? defaultLimitBytes();
  if (limitBytes < memoryBytesMin || limitBytes > memoryBytesMax)
    throw new NarthexError(
      "bad_data",
      `shared memory limit must be between ${memoryBytesMin} and ${memoryBytesMax} bytes, got ${limitBytes}`,
    );
  const pages = Math.ceil(limitBytes / pageBytes);
  const module = compileKernel();
  let memory: WasmMemory;
  try {
    memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    throw new NarthexError(
      "unavailable",
      `cannot reserve ${limitBytes} bytes of shared memory: ${errorMessage(error)}`,
    );
  }
  const kernel = new Kernel({ memory, module, readerSlot: 0 });
  const { u32, u8 } = kernel.views;
  const reservedPages = spansStart / pageBytes;
  // The last page is never handed out, so that loads into the slack behind a span cannot leave the memory.
  for (const page of [...Array(reservedPages).keys(), pages - 1])
    u8[control.spanBitmap + (page >>> 3)]! |= 1 << (page & 7);
  u32[control.version >>> 2] = layoutVersion;
  u32[control.pageCount >>> 2] = pages;
  u32[control.pagesUsed >>> 2] = reservedPages + 1;
  u32[control.spanHint >>> 2] = reservedPages;
  u32[control.globalEpoch >>> 2] = epochFirst;
  kernel.floatEncoding = chunkEncodingXor;
  for (const word of [control.isolationNext, control.isolationDone, control.isolationWritten])
    u32[word >>> 2] = control.isolationFirst;
  u32[control.isolationEnd >>> 2] = control.isolationFirst + isolationNote.bytes;
  kernel.exports.initTables();
  fillPowersOfFive(kernel.views);
  Atomics.store(u32, control.magic >>> 2, controlMagic);
  return kernel;
}

/** Joins the memory that `createKernel` made, in a worker. */
export function attachKernel(handle: KernelHandle): Kernel {
  assert(handle.readerSlot >= 0 && handle.readerSlot < reader.slots, "reader slot below 64");
  const kernel = new Kernel(handle);
  const { u32 } = kernel.views;
  assert(Atomics.load(u32, control.magic >>> 2) === controlMagic, "memory was prepared by createKernel");
  assert(u32[control.version >>> 2] === layoutVersion, "memory has this layout");
  return kernel;
}

let compiled: WasmModule | undefined;

function compileKernel(): WasmModule {
  if (compiled !== undefined) return compiled;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(readFileSync(kernelFile));
  } catch (error) {
    throw new NarthexError(
      "internal",
      `kernel.wasm is missing (${errorMessage(error)}): run "node scripts/build-kernel.mjs"`,
    );
  }
  assert(memoryPagesMax * pageBytes === memoryBytesMax, "wasm32 address space");
  compiled = new webAssembly.Module(bytes);
  return compiled;
}
