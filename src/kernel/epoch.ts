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

  /** Begins another epoch; returns a way to ask whether readers of earlier ones, on all threads, are still inside. Main thread only. */
  advance(): () => boolean {
    const epoch = this.#exports.epochAdvance();
    // Of two epochs the earlier one is told by their difference, since the numbers begin again.
    return () => ((this.#exports.epochOldest() - epoch) | 0) < 0;
  }
}
