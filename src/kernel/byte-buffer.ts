import { MemoryFullError } from "./errors.ts";
import type { KernelExports } from "./exports.ts";
import { pageBytes, slackBytes } from "./layout.ts";
import type { Views } from "./views.ts";

/**
 * Bytes gathered in the shared memory, such as the body of a scrape: one span that grows by copy up to `bytesMax`. Owned by who
 * made it, who must `close` it. `ptr` changes when it grows.
 */
export class ByteBuffer {
  readonly #exports: KernelExports;
  readonly #views: Views;
  readonly #readerSlot: number;
  readonly bytesMax: number;
  #ptr = 0;
  #bytes = 0;
  #capacity = 0;

  constructor(exports: KernelExports, views: Views, readerSlot: number, bytesMax: number) {
    this.#exports = exports;
    this.#views = views;
    this.#readerSlot = readerSlot;
    this.bytesMax = bytesMax;
  }

  /** Where the bytes begin; 0 while nothing was reserved. */
  get ptr(): number {
    return this.#ptr;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes at the end; throws MemoryFullError, also past `bytesMax`. */
  append(bytes: Uint8Array): void {
    this.reserve(this.#bytes + bytes.length);
    this.#views.u8.set(bytes, this.#ptr + this.#bytes);
    this.#bytes += bytes.length;
  }

  /** Makes room for `bytes` in all and returns `ptr`; to be filled by the caller, who then sets the length with `setLength`. */
  reserve(bytes: number): number {
    if (bytes + slackBytes <= this.#capacity) return this.#ptr;
    if (bytes > this.bytesMax) throw new MemoryFullError("buffer", bytes);
    const wanted = Math.max(bytes + slackBytes, Math.min(this.#capacity * 2, this.bytesMax + slackBytes));
    const capacity = Math.ceil(wanted / pageBytes) * pageBytes;
    const ptr = this.#exports.allocateSpan(capacity, this.#readerSlot) >>> 0;
    if (ptr === 0) throw new MemoryFullError("buffer", capacity);
    if (this.#ptr !== 0) {
      this.#views.u8.copyWithin(ptr, this.#ptr, this.#ptr + this.#bytes);
      this.#exports.freeSpan(this.#ptr, this.#capacity, this.#readerSlot);
    }
    this.#ptr = ptr;
    this.#capacity = capacity;
    return ptr;
  }

  setLength(bytes: number): void {
    this.#bytes = bytes;
  }

  /** Forgets the bytes and keeps the room. */
  clear(): void {
    this.#bytes = 0;
  }

  /** A view of the bytes, good until the next `append`, `reserve` or `close`. */
  view(): Uint8Array<SharedArrayBuffer> {
    return this.#views.u8.subarray(this.#ptr, this.#ptr + this.#bytes);
  }

  /** A copy in ordinary memory. */
  copy(): Buffer {
    return Buffer.from(this.view());
  }

  close(): void {
    if (this.#ptr !== 0) this.#exports.freeSpan(this.#ptr, this.#capacity, this.#readerSlot);
    this.#ptr = 0;
    this.#bytes = 0;
    this.#capacity = 0;
  }
}
