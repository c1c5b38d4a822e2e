/** As much of protobuf's wire format as the silences and the notification log need. */
import { NarthexError } from "../base/index.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Collects the fields of one message. Zero values are left out, as proto3 does. */
export class MessageWriter {
  readonly #octets: number[] = [];

  varint(field: number, value: bigint | number): this {
    if (BigInt(value) === 0n) return this;
    this.#varint(BigInt(field * 8 + VARINT));
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  double(field: number, value: number): this {
    this.#varint(BigInt(field * 8 + FIXED64));
    const buffer = Buffer.alloc(8);
    buffer.writeDoubleLE(value);
    this.#octets.push(...buffer);
    return this;
  }

  /** An embedded message, written even when it is empty. */
  message(field: number, value: Uint8Array): this {
    this.#varint(BigInt(field * 8 + BYTES));
    this.#varint(BigInt(value.length));
    for (const octet of value) this.#octets.push(octet);
    return this;
  }

  packedVarints(field: number, values: Iterable<bigint>): this {
    const packed = new MessageWriter();
    for (const value of values) packed.#varint(BigInt.asUintN(64, value));
    return this.bytes(field, packed.finish());
  }

  /** A google.protobuf.Timestamp. */
  timestamp(field: number, unixMs: number): this {
    const seconds = Math.floor(unixMs / 1000);
    const nanos = Math.floor((unixMs - seconds * 1000) * 1e6);
    return this.message(field, new MessageWriter().varint(1, seconds).varint(2, nanos).finish());
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#octets);
  }

  #varint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.#octets.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#octets.push(Number(rest));
  }
}

export interface Field {
  readonly number: number;
  /** For a varint its value, else 0. */
  readonly integer: bigint;
  /** For a string, bytes, message or fixed value its bytes, else empty. */
  readonly bytes: Uint8Array;
}

/** Reads the fields of one message. Throws `bad_data` when the bytes are none. */
export function* readFields(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.atEnd()) {
    const key = reader.varint();
    const number = Number(key >> 3n);
    switch (Number(key & 7n)) {
      case VARINT:
        yield { number, integer: reader.varint(), bytes: new Uint8Array() };
        break;
      case FIXED64:
        yield { number, integer: 0n, bytes: reader.take(8) };
        break;
      case BYTES:
        yield { number, integer: 0n, bytes: reader.take(Number(reader.varint())) };
        break;
      case FIXED32:
        yield { number, integer: 0n, bytes: reader.take(4) };
        break;
      default:
        throw new NarthexError("bad_data", `protobuf: unknown wire type ${key & 7n}`);
    }
  }
}

export function readString(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

export function readDouble(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0, true);
}

/** Packed varints, or the single one of an unpacked field. */
export function readVarints(field: Field): bigint[] {
  if (field.bytes.length === 0) return [field.integer];
  const reader = new Reader(field.bytes);
  const values: bigint[] = [];
  while (!reader.atEnd()) values.push(reader.varint());
  return values;
}

/** A google.protobuf.Timestamp as Unix milliseconds. */
export function readTimestamp(bytes: Uint8Array): number {
  let [seconds, nanos] = [0n, 0n];
  for (const field of readFields(bytes)) {
    if (field.number === 1) seconds = BigInt.asIntN(64, field.integer);
    if (field.number === 2) nanos = BigInt.asIntN(64, field.integer);
  }
  return Number(seconds) * 1000 + Math.floor(Number(nanos) / 1e6);
}

/** Prefixes a message with its length. */
export function delimit(message: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let rest = message.length;
  while (rest >= 0x80) {
    prefix.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.concat([Uint8Array.of(...prefix, rest), message]);
}

/** Cuts a file of length-prefixed messages apart. Throws `bad_data` naming the offset where it ends amid one. */
export function* readDelimited(file: Uint8Array): Generator<Uint8Array> {
  const reader = new Reader(file);
  while (!reader.atEnd()) yield reader.take(Number(reader.varint()));
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const octet = this.#bytes[this.#at++];
      if (octet === undefined) break;
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 0x80) return BigInt.asUintN(64, value);
    }
    throw new NarthexError("bad_data", `protobuf: bad number before offset ${this.#at}`);
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) {
      throw new NarthexError("bad_data", `protobuf: unexpected end at offset ${this.#bytes.length}`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
