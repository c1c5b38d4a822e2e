import type { KernelExports } from "./exports.ts";
import { control, memoryPagesMax, pageBytes } from "./layout.ts";
import type { Views } from "./views.ts";

/** One run of pages that is given back at once: while it is, other threads cannot have it. */
const runPagesMax = 64;
/** What one call gives back at most, a few milliseconds' work. */
const pagesMaxPerCall = 1024;

const words = memoryPagesMax / 32;

/**
 * Gives pages of spans that nobody has back to the system, which WebAssembly itself cannot. **Main thread only.** Pages go when they were free at two calls and
 * used at some time before: what comes and goes between the calls is rarely touched. Whoever gets them next finds zeros.
 */
export class IdlePages {
  /** All that was given back so far. */
  releasedBytes = 0;
  readonly #exports: KernelExports;
  readonly #views: Views;
  readonly #readerSlot: number;
  /** A bit for each page that was free at the last call. */
  readonly #free = new Uint32Array(words);

  constructor(exports: KernelExports, views: Views, readerSlot: number) {
    this.#exports = exports;
    this.#views = views;
    this.#readerSlot = readerSlot;
  }

  /** `giveBack` returns whether the system took the bytes, which are zero from then on. To be called now and then. */
  release(giveBack: (bytes: Uint8Array) => boolean): void {
    const idle = this.#note();
    let left = pagesMaxPerCall;
    // High pages first: low ones are used again before them.
    for (let page = memoryPagesMax - 1; page >= 0 && left > 0; page--) {
      if (!isSet(idle, page)) {
        // 32 pages at a time where none is idle.
        if (idle[page >>> 5] === 0) page &= ~31;
        continue;
      }
      const end = page + 1;
      const firstMin = end - Math.min(runPagesMax, left);
      while (page > firstMin && isSet(idle, page - 1)) page--;
      this.#releaseRun(page * pageBytes, (end - page) * pageBytes, giveBack);
      left -= end - page;
    }
  }

  /** Notes which pages are free, and says which of them were before. Other threads may take some meanwhile. */
  #note(): Uint32Array {
    const idle = new Uint32Array(words);
    const { u32 } = this.#views;
    for (let word = 0; word < words; word++) {
      const free = ~Atomics.load(u32, (control.spanBitmap >>> 2) + word);
      idle[word] = free & this.#free[word]! & u32[(control.touchedBitmap >>> 2) + word]!;
      this.#free[word] = free;
    }
    return idle;
  }

  #releaseRun(ptr: number, bytes: number, giveBack: (bytes: Uint8Array) => boolean): void {
    if (this.#exports.takeFreeSpan(ptr, bytes, this.#readerSlot) === 0) return;
    if (giveBack(this.#views.u8.subarray(ptr, ptr + bytes))) this.releasedBytes += bytes;
    this.#exports.freeSpan(ptr, bytes, this.#readerSlot);
  }
}

function isSet(bits: Uint32Array, page: number): boolean {
  return ((bits[page >>> 5]! >>> (page & 31)) & 1) !== 0;
}
