import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { control } from "./layout.ts";
import type { Views } from "./views.ts";

export interface ArenaUsage {
  /** Bytes handed out and not freed, rounded to their size class; retired ones included. */
  readonly usedBytes: number;
  /** Bytes retired and waiting for readers to leave. */
  readonly retiredBytes: number;
  /** Bytes the arena has taken from the spans. */
  readonly reservedBytes: number;
}

/**
 * Long-lived blocks of the head: symbols, labels, postings, chunks. **Main thread only.** Size classes of 16 bytes up to 512, then
 * ×1.125 to ×1.25 up to 56,800 bytes; larger blocks are spans of their own. A slab without blocks in use goes back to the spans. Blocks are 16-byte aligned and not zeroed. The arena takes at most 15/16 of the memory, so that
 * buffers and queries have room when it is full; queries in workers leave a sixteenth free, so that the head can grow.
 */
export class Arena {
  readonly #exports: KernelExports;
  readonly #views: Views;

  constructor(exports: KernelExports, views: Views) {
    this.#exports = exports;
    this.#views = views;
  }

  /** A block of at least `bytes`; throws MemoryFullError. `what` names it in the error. */
  allocate(bytes: number, what = "data"): number {
    const ptr = this.tryAllocate(bytes);
    if (ptr === 0) throw new MemoryFullError(what, bytes);
    return ptr;
  }

  /** A block of at least `bytes`, or 0 when the memory is full. */
  tryAllocate(bytes: number): number {
    return this.#exports.arenaAllocate(bytes) >>> 0;
  }

  /** As `allocate`, and every byte of it is 0. */
  allocateZeroed(bytes: number, what = "data"): number {
    const ptr = this.allocate(bytes, what);
    this.#views.u8.fill(0, ptr, ptr + bytes);
    return ptr;
  }

  /** Returns a block that no reader can have seen. `bytes` is what was asked for. */
  free(ptr: number, bytes: number): void {
    this.#exports.arenaFree(ptr, bytes);
  }

  /** Returns a block that is no longer published: it is freed once every reader that is running now has left. */
  retire(ptr: number, bytes: number): void {
    this.#exports.arenaRetire(ptr, bytes);
  }

  /** Frees retired blocks that no reader can see any more; to be called regularly (each second). Returns the blocks freed. */
  reclaim(): number {
    return this.#exports.arenaReclaim();
  }

  /** The bytes that a request of `bytes` really occupies. */
  classBytes(bytes: number): number {
    return this.#exports.arenaClassBytes(bytes) >>> 0;
  }

  usage(): ArenaUsage {
    const { f64 } = this.#views;
    return {
      usedBytes: f64[control.arenaUsedBytes / 8]!,
      retiredBytes: f64[control.arenaRetiredBytes / 8]!,
      reservedBytes: f64[control.arenaReservedBytes / 8]!,
    };
  }
}
