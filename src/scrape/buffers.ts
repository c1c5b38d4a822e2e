import type { ByteBuffer, Kernel } from "../kernel/index.ts";

/** Buffers kept for the next scrape. */
const idleMax = 16;
/** A larger buffer is given back to the memory after use. */
const idleBytesMax = 4 * 1024 * 1024;

/** Buffers in the shared memory for bodies, passed from scrape to scrape. */
export class BufferPool {
  readonly #kernel: Kernel;
  readonly #bytesMax: number;
  readonly #idle: ByteBuffer[] = [];

  /** No body can be larger than `bytesMax`. */
  constructor(kernel: Kernel, bytesMax: number) {
    this.#kernel = kernel;
    this.#bytesMax = bytesMax;
  }

  take(): ByteBuffer {
    return this.#idle.pop() ?? this.#kernel.createByteBuffer(this.#bytesMax);
  }

  give(buffer: ByteBuffer): void {
    const keep = this.#idle.length < idleMax && buffer.bytes <= idleBytesMax;
    buffer.clear();
    if (keep) this.#idle.push(buffer);
    else buffer.close();
  }

  close(): void {
    for (const buffer of this.#idle.splice(0)) buffer.close();
  }
}
