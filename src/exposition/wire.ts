import { NarthexError } from "../base/index.ts";

/** How a field's value is laid out; others are refused. */
const wireVarint = 0;
const wire64 = 1;
const wireBytes = 2;
const wire32 = 5;

/**
 * Reads the fields of one protobuf message in the order in which they come. After `next()` exactly one of the value methods may be
 * called; a field whose value is not asked for is passed over. Throws `bad_data` with the byte where something is wrong.
 */
export class WireReader {
  /** Number of the current field. */
  field = 0;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  #type = wireVarint;
  /** Whether the current field's value has still to be read. */
  #isPending = false;
  #low = 0;
  #high = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#start = start;
    this.#at = start;
    this.#end = end;
  }

  /** Begins the message once more. */
  again(): WireReader {
    return new WireReader(this.#bytes, this.#start, this.#end);
  }

  /** The whole message: its length and a character for each byte. */
  latin1(): string {
    return `${this.#end - this.#start}:${this.#bytes.toString("latin1", this.#start, this.#end)}`;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#isPending) this.#skip();
    if (this.isAtEnd) return false;
    this.#readVarint();
    this.field = this.#low >>> 3;
    this.#type = this.#low & 7;
    if (this.field === 0 || this.#high !== 0) this.#fail("field has an invalid number");
    this.#isPending = true;
    return true;
  }

  /** An unsigned number; beyond 2⁵³ the last digits are lost. */
  uint(): number {
    this.#expect(wireVarint, "a varint");
    this.#readVarint();
    return this.#high * 2 ** 32 + this.#low;
  }

  /** A number in two's complement. */
  int(): number {
    this.#expect(wireVarint, "a varint");
    this.#readVarint();
    return (this.#high | 0) * 2 ** 32 + this.#low;
  }

  /** A zigzag-coded number. */
  sint(): number {
    return zigzag(this.uint());
  }

  double(): number {
    this.#expect(wire64, "a double");
    return this.#readDouble();
  }

  /** A repeated number, packed or one at a time. */
  pushDoubles(into: number[]): void {
    if (this.#type !== wireBytes) into.push(this.double());
    else for (const packed = this.message(); !packed.isAtEnd;) into.push(packed.#readDouble());
  }

  pushSints(into: number[]): void {
    if (this.#type !== wireBytes) return void into.push(this.sint());
    for (const packed = this.message(); !packed.isAtEnd;) {
      packed.#readVarint();
      into.push(zigzag(packed.#high * 2 ** 32 + packed.#low));
    }
  }

  /** UTF-8 text. */
  text(): string {
    const [start, end] = this.#range();
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      return this.#fail("text is not valid UTF-8", start);
    }
  }

  /** A message inside of this one. */
  message(): WireReader {
    const [start, end] = this.#range();
    return new WireReader(this.#bytes, start, end);
  }

  /** The length and then the bytes of a message in a stream of them. */
  delimited(): WireReader {
    this.#type = wireBytes;
    this.#isPending = true;
    return this.message();
  }

  /** Where a field of bytes begins and ends. */
  #range(): [start: number, end: number] {
    this.#expect(wireBytes, "bytes");
    this.#readVarint();
    const length = this.#high * 2 ** 32 + this.#low;
    if (length > this.#end - this.#at) this.#fail(`${length} bytes expected, ${this.#end - this.#at} left`);
    const start = this.#at;
    this.#at += length;
    return [start, this.#at];
  }

  #skip(): void {
    if (this.#type === wireVarint) this.uint();
    else if (this.#type === wire64) this.#take(8);
    else if (this.#type === wireBytes) this.#range();
    else if (this.#type === wire32) this.#take(4);
    else this.#fail(`unknown wire type ${this.#type}`);
    this.#isPending = false;
  }

  #expect(type: number, what: string): void {
    if (this.#type !== type) this.#fail(`field ${this.field} is not ${what}`);
    this.#isPending = false;
  }

  #readVarint(): void {
    this.#low = 0;
    this.#high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      const bits = byte & 0x7f;
      if (shift < 28) this.#low |= bits << shift;
      else if (shift === 28) {
        this.#low |= bits << 28;
        this.#high = bits >>> 4;
      } else this.#high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#low >>>= 0;
        this.#high >>>= 0;
        return;
      }
    }
    this.#fail("varint is longer than 10 bytes");
  }

  #readDouble(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  #take(bytes: number): number {
    if (bytes > this.#end - this.#at) this.#fail("message ends in the middle of a field");
    this.#at += bytes;
    return this.#at - bytes;
  }

  #fail(reason: string, at = this.#at): never {
    throw new NarthexError("bad_data", `protobuf, byte ${at}: ${reason}`);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function zigzag(raw: number): number {
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}
