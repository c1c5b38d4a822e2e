import { NarthexError, releaseBytes } from "../../base/index.ts";

const encoder = new TextEncoder();
const bytesMin = 1024;
/** What one answer may need: 1 GiB. */
export const answerBytesMax = 1024 * 1024 * 1024;

/** Bytes that grow at the end, up to a limit. */
export class ByteWriter {
  readonly bytesMax: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** Begins in `initial`, which may have been used before: its content does not matter. */
  constructor(bytesMax = answerBytesMax, initial = new Uint8Array(bytesMin)) {
    this.bytesMax = bytesMax;
    this.#bytes = initial;
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far; the writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Makes room for `count` more bytes and returns the array, to be filled from `length` on and advanced by `advance`. Throws
   * `execution` beyond the limit.
   */
  reserve(count: number): Uint8Array<ArrayBuffer> {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) this.#grow(needed);
    return this.#bytes;
  }

  advance(to: number): void {
    this.#length = to;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  byte(byte: number): void {
    this.reserve(1)[this.#length++] = byte;
  }

  /** Text of ASCII characters only. */
  ascii(text: string): void {
    const bytes = this.reserve(text.length);
    for (let i = 0; i < text.length; i++) bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += text.length;
  }

  text(text: string): void {
    const bytes = this.reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, bytes.subarray(this.#length)).written;
  }

  #grow(needed: number): void {
    if (needed > this.bytesMax) {
      throw new NarthexError("execution", `the result is larger than the limit of ${this.bytesMax} bytes`);
    }
    const grown = new Uint8Array(Math.min(Math.max(this.#bytes.length * 2, needed), this.bytesMax));
    grown.set(this.#bytes.subarray(0, this.#length));
    releaseBytes(this.#bytes);
    this.#bytes = grown;
  }
}
