import { BlockDamagedError } from "./damage.ts";

/** Variable-length numbers of so many bytes are below 2²¹. */
const shortVarintBytes = 3;

/** Reads numbers from a stretch of a file; running over its end, or a number beyond 2⁵³, is damage. */
export class ByteCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  #path = "";
  /** File offset of `bytes[0]`. */
  #start = 0;

  set(path: string, start: number, bytes: Buffer, at: number, end: number): this {
    this.#path = path;
    this.#start = start;
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  /** File offset of the next byte. */
  get offset(): number {
    return this.#start + this.at;
  }

  get left(): number {
    return this.end - this.at;
  }

  fail(reason: string): never {
    throw new BlockDamagedError(this.#path, this.offset, reason);
  }

  u8(): number {
    this.#need(1);
    return this.bytes[this.at++]!;
  }

  u32(): number {
    this.#need(4);
    this.at += 4;
    return this.bytes.readUInt32BE(this.at - 4);
  }

  u64(): number {
    const high = this.u32();
    const value = high * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) this.fail("number beyond 2^53");
    return value;
  }

  uvarint(): number {
    const { bytes, at } = this;
    // Nearly all are short.
    if (this.end - at >= shortVarintBytes) {
      const first = bytes[at]!;
      if (first < 0x80) return this.#short(first, 1);
      const second = bytes[at + 1]!;
      if (second < 0x80) return this.#short((first & 0x7f) | (second << 7), 2);
      const third = bytes[at + 2]!;
      if (third < 0x80) return this.#short((first & 0x7f) | ((second & 0x7f) << 7) | (third << 14), 3);
    }
    return this.#longUvarint();
  }

  #short(value: number, bytes: number): number {
    this.at += bytes;
    return value;
  }

  #longUvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER || scale > 2 ** 63) this.fail("number beyond 2^53");
      if (byte < 0x80) return value;
    }
  }

  /** Zigzag-coded. */
  varint(): number {
    const raw = this.uvarint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** Moves over `length` bytes and returns where they began in `bytes`. */
  skip(length: number): number {
    this.#need(length);
    this.at += length;
    return this.at - length;
  }

  text(length: number): string {
    const start = this.skip(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  #need(length: number): void {
    if (length > this.end - this.at) this.fail(`${length} bytes expected, ${this.end - this.at} left`);
  }
}

/** Bytes that are being put together; grows as needed. */
export class ByteWriter {
  length = 0;
  #bytes: Buffer;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** A view of what was written, good until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32BE(value, this.length);
    return this;
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  /** An integer from −2⁵³ to 2⁵³. */
  i64(value: number): this {
    this.#reserve(8);
    this.length = this.#bytes.writeBigInt64BE(BigInt(value), this.length);
    return this;
  }

  f64(value: number): this {
    this.#reserve(8);
    this.length = this.#bytes.writeDoubleBE(value, this.length);
    return this;
  }

  /** An integer from 0 to 2⁵³. */
  uvarint(value: number): this {
    this.#reserve(10);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.length++] = rest;
    return this;
  }

  /** An integer from −2⁵² to 2⁵². */
  varint(value: number): this {
    return this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** The text's length in bytes, and its bytes. */
  text(text: string): this {
    const bytes = Buffer.byteLength(text);
    this.uvarint(bytes);
    this.#reserve(bytes);
    this.length += this.#bytes.write(text, this.length);
    return this;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + bytes));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

/** Orders the bytes [start, end) of `bytes` before, like or after `key`: negative, 0 or positive. */
export function compareBytes(bytes: Uint8Array, start: number, end: number, key: Uint8Array): number {
  const length = Math.min(end - start, key.length);
  for (let i = 0; i < length; i++) {
    const order = bytes[start + i]! - key[i]!;
    if (order !== 0) return order;
  }
  return end - start - key.length;
}
