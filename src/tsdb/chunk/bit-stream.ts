import { ChunkDamagedError } from "../../kernel/index.ts";

/** Bytes that are written bit by bit, the highest bit of each first. */
export class BitWriter {
  #bytes = new Uint8Array(128);
  /** Bits written so far. */
  #length = 0;

  get byteLength(): number {
    return Math.ceil(this.#length / 8);
  }

  /** What was written; the last byte is filled up with zeros. A copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.byteLength);
  }

  /** Copies some of the bytes to the same place behind `at`. */
  copyTo(target: Uint8Array, at: number, fromByte: number, toByte = this.byteLength): void {
    target.set(this.#bytes.subarray(fromByte, toByte), at + fromByte);
  }

  /** Overwrites a whole byte that was written before. */
  setByte(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  writeBit(bit: 0 | 1): void {
    this.writeBits(bit, 1);
  }

  /** Writes the lowest `count` bits of an integer, at most 32. */
  writeBits(value: number, count: number): void {
    this.#reserve(count);
    for (let left = count; left > 0;) {
      const at = this.#length >>> 3;
      const free = 8 - (this.#length & 7);
      const taken = Math.min(free, left);
      const bits = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#bytes[at]! |= bits << (free - taken);
      this.#length += taken;
      left -= taken;
    }
  }

  /** Writes the lowest `count` bits, from 33 to 64, of a whole number in two's complement. */
  writeLong(value: number, count: number): void {
    this.writeBits(Math.floor(value / 2 ** 32), count - 32);
    this.writeBits(value, 32);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length * 8) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what a `BitWriter` wrote. Reading on behind the end throws ChunkDamagedError. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;

  /** Begins at a byte. */
  constructor(bytes: Uint8Array, fromByte = 0) {
    this.#bytes = bytes;
    this.#at = fromByte * 8;
  }

  /** The next bit's. */
  get position(): number {
    return this.#at;
  }

  get bitsLeft(): number {
    return this.#bytes.length * 8 - this.#at;
  }

  readBit(): number {
    const byte = this.#bytes[this.#at >>> 3];
    if (byte === undefined) throw endsEarly();
    return (byte >>> (7 - (this.#at++ & 7))) & 1;
  }

  /** An unsigned number of at most 32 bits. */
  readBits(count: number): number {
    if (count > this.bitsLeft) throw endsEarly();
    let value = 0;
    for (let left = count; left > 0;) {
      const inByte = 8 - (this.#at & 7);
      const taken = Math.min(inByte, left);
      const bits = (this.#bytes[this.#at >>> 3]! >>> (inByte - taken)) & ((1 << taken) - 1);
      value = (value << taken) | bits;
      this.#at += taken;
      left -= taken;
    }
    return value >>> 0;
  }

  /** An unsigned number of more than 32 bits; beyond 2⁵³ the last digits are lost. */
  readLong(count: number): number {
    return this.readBits(count - 32) * 2 ** 32 + this.readBits(32);
  }
}

function endsEarly(): ChunkDamagedError {
  return new ChunkDamagedError("chunk ends in the middle of a sample");
}
