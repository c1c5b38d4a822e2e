const encoder = new TextEncoder();
const bytesMin = 1024;

/** Bytes that grow at the end. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(bytesInitial = bytesMin) {
    this.#bytes = new Uint8Array(bytesInitial);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far; the writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` more bytes and returns the array, to be filled from `length` on and advanced by `advance`. */
  reserve(count: number): Uint8Array<ArrayBuffer> {
    if (this.#length + count > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count, bytesMin));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
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
}
