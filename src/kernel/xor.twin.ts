import type { Sample } from "./testing.ts";

/**
 * The XOR encoding written plainly, bit by bit: what kernel/xor.ts computes. Used by tests only.
 */
export class BitWriter {
  readonly bits: number[] = [];

  write(value: bigint, count: number): void {
    for (let i = count - 1; i >= 0; i--) this.bits.push(Number((value >> BigInt(i)) & 1n));
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.bits.length / 8));
    this.bits.forEach((bit, index) => {
      bytes[index >> 3]! |= bit << (7 - (index & 7));
    });
    return bytes;
  }
}

export function writeUvarint(writer: BitWriter, value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) writer.write((rest & 0x7fn) | 0x80n, 8);
  writer.write(rest, 8);
}

export function zigzag(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value;
}

export function unzigzag(raw: bigint): bigint {
  return BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
}

/** Times are integers, ascending or not. */
export function encodeTwin(samples: readonly Sample[]): Uint8Array {
  const writer = new BitWriter();
  writer.write(BigInt(samples.length), 16);
  let leading = -1;
  let trailing = 0;
  let delta = 0n;
  samples.forEach((sample, index) => {
    const previous = samples[index - 1];
    const t = BigInt(sample.t);
    if (previous === undefined) {
      writeUvarint(writer, zigzag(t));
      writer.write(sample.bits, 64);
      return;
    }
    const nextDelta = t - BigInt(previous.t);
    const dod = nextDelta - delta;
    delta = nextDelta;
    if (index === 1) writeUvarint(writer, delta);
    else if (dod === 0n) writer.write(0n, 1);
    else if (fits(dod, 14)) writer.write((0b10n << 14n) | BigInt.asUintN(14, dod), 16);
    else if (fits(dod, 17)) writer.write((0b110n << 17n) | BigInt.asUintN(17, dod), 20);
    else if (fits(dod, 20)) writer.write((0b1110n << 20n) | BigInt.asUintN(20, dod), 24);
    else writer.write((0b1111n << 64n) | BigInt.asUintN(64, dod), 68);

    const xor = sample.bits ^ previous.bits;
    if (xor === 0n) {
      writer.write(0n, 1);
      return;
    }
    const text = xor.toString(2);
    const newLeading = Math.min(64 - text.length, 31);
    const newTrailing = text.length - 1 - text.lastIndexOf("1");
    if (leading >= 0 && newLeading >= leading && newTrailing >= trailing) {
      writer.write(0b10n, 2);
    } else {
      leading = newLeading;
      trailing = newTrailing;
      writer.write(0b11n, 2);
      writer.write(BigInt(leading), 5);
      writer.write(BigInt(64 - leading - trailing) % 64n, 6);
    }
    writer.write(xor >> BigInt(trailing), 64 - leading - trailing);
  });
  return writer.bytes();
}

function fits(dod: bigint, bits: number): boolean {
  const half = 1n << BigInt(bits - 1);
  return dod >= -(half - 1n) && dod <= half;
}

/** Reads on from a bit. Throws RangeError where the bytes end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#position = position;
  }

  read(n: number): bigint {
    let value = 0n;
    for (let i = 0; i < n; i++, this.#position++) {
      if (this.#position >= this.#bytes.length * 8) throw new RangeError("end of chunk");
      const byte = this.#bytes[this.#position >> 3]!;
      value = (value << 1n) | BigInt((byte >> (7 - (this.#position & 7))) & 1);
    }
    return value;
  }
}

export function readUvarint(reader: BitReader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.read(8);
    value |= (byte & 0x7fn) << shift;
    if (byte < 0x80n) return BigInt.asUintN(64, value);
  }
  throw new RangeError("varint too long");
}

/** The samples, or undefined if the bytes end too early or contradict themselves. */
export function decodeTwin(bytes: Uint8Array, count: number): Sample[] | undefined {
  const reader = new BitReader(bytes, 16);
  const read = (n: number): bigint => reader.read(n);
  const readDod = (): bigint => {
    let ones = 0;
    while (ones < 4 && read(1) === 1n) ones++;
    if (ones === 0) return 0n;
    if (ones === 4) return BigInt.asIntN(64, read(64));
    const width = [0, 14, 17, 20][ones]!;
    const raw = read(width);
    return raw > 1n << BigInt(width - 1) ? raw - (1n << BigInt(width)) : raw;
  };
  const samples: Sample[] = [];
  try {
    let t = 0n;
    let delta = 0n;
    let bits = 0n;
    let trailing = 0;
    let significant = 64;
    for (let index = 0; index < count; index++) {
      if (index === 0) {
        t = unzigzag(readUvarint(reader));
        bits = read(64);
      } else {
        delta = BigInt.asIntN(64, index === 1 ? readUvarint(reader) : delta + readDod());
        t = BigInt.asIntN(64, t + delta);
        if (read(1) === 1n) {
          if (read(1) === 1n) {
            const leading = Number(read(5));
            significant = Number(read(6)) || 64;
            if (leading + significant > 64) return undefined;
            trailing = 64 - leading - significant;
          }
          bits ^= read(significant) << BigInt(trailing);
        }
      }
      samples.push({ t: Number(t), bits });
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return samples;
}
