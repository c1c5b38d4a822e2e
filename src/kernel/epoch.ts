import type { KernelExports } from "./exports.ts";

/**
 * A reader's stay in the shared memory. Between `enter` and `leave` nothing that it can reach is freed. Calls nest: several
 * queries of one thread may overlap, and the thread leaves when the last one does. A pointer must not be kept past `leave`.
 */
export class Epoch {
  readonly #exports: KernelExports;
  readonly #readerSlot: number;
  #depth = 0;

  constructor(exports: KernelExports, readerSlot: number) {
    this.#exports = exports;
    this.#readerSlot = readerSlot;
  }

  enter(): void {
    if (this.#depth++ === 0) this.#exports.epochEnter(this.#readerSlot);
  }

  leave(): void {
    if (--this.#depth === 0) this.#exports.epochLeave(this.#readerSlot);
  }
}
