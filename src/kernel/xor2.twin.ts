import { staleMarkerBits } from "./layout.ts";
import type { Sample } from "./testing.ts";
import { BitReader, BitWriter, readUvarint, writeUvarint, zigzag, unzigzag } from "./xor.twin.ts";

/** A sample with the time since when it counts, 0 where that is not known. */
export interface StartedSample extends Sample {
  readonly start: number;
}

/** The XOR2 encoding written plainly, bit by bit: what kernel/xor2.ts computes. Used by tests only. */
export function encodeXor2Twin(samples: readonly StartedSample[]): Uint8Array {
  const writer = new BitWriter();
  writer.write(BigInt(samples.length), 16);
  const ownFrom = samples.findIndex(
    ({ start }, index) => index === 127 || (index > 0 && start !== samples[0]!.start),
  );
  const header = (samples[0]!.start === 0 ? 0 : 0x80) | Math.max(ownFrom, 0);
  writer.write(BigInt(header), 8);
  let window: Window | undefined;
  let comparedWith = 0n;
  let delta = 0n;
  let said = 0n;
  samples.forEach(({ t, bits, start }, index) => {
    const previous = samples[index - 1];
    const isStale = bits === staleMarkerBits;
    if (previous === undefined) {
      writeUvarint(writer, zigzag(BigInt(t)));
      writer.write(bits, 64);
      if (start !== 0) writeUvarint(writer, zigzag(BigInt(t - start)));
    } else {
      const nextDelta = BigInt(t) - BigInt(previous.t);
      const change = nextDelta - delta;
      delta = nextDelta;
      const xor = bits ^ comparedWith;
      if (index > 1 && change === 0n) {
        if (isStale) writer.write(0b11111n, 5);
        else if (xor === 0n) writer.write(0n, 1);
        else {
          writer.write(0b10n, 2);
          window = writeChange(writer, xor, window, ["0", "1"]);
        }
      } else {
        if (index === 1) writeUvarint(writer, delta);
        else writeTimeChange(writer, change);
        if (isStale) writer.write(0b111n, 3);
        else if (xor === 0n) writer.write(0n, 1);
        else window = writeChange(writer, xor, window, ["10", "110"]);
      }
      if (ownFrom > 0 && index >= ownFrom) {
        const difference = BigInt(previous.t - start);
        writeVarbit(writer, difference - said);
        said = difference;
      }
    }
    if (!isStale) comparedWith = bits;
  });
  return writer.bytes();
}

interface Window {
  readonly leading: number;
  readonly trailing: number;
}

function writeTimeChange(writer: BitWriter, change: bigint): void {
  const fits = (bits: bigint): boolean => BigInt.asIntN(Number(bits), change) === change;
  if (fits(13n)) writer.write((0b110n << 13n) | BigInt.asUintN(13, change), 16);
  else if (fits(20n)) writer.write((0b1110n << 20n) | BigInt.asUintN(20, change), 24);
  else writer.write((0b11110n << 64n) | BigInt.asUintN(64, change), 69);
}

function writeChange(
  writer: BitWriter,
  xor: bigint,
  window: Window | undefined,
  [same, other]: readonly [string, string],
): Window {
  const text = xor.toString(2);
  const leading = Math.min(64 - text.length, 31);
  const trailing = text.length - 1 - text.lastIndexOf("1");
  const isInside = window !== undefined && leading >= window.leading && trailing >= window.trailing;
  const used = isInside ? window : { leading, trailing };
  const length = 64 - used.leading - used.trailing;
  const code = isInside ? same : other;
  writer.write(BigInt(`0b${code}`), code.length);
  if (!isInside) writer.write((BigInt(leading) << 6n) | BigInt(length % 64), 11);
  writer.write(xor >> BigInt(used.trailing), length);
  return used;
}

/** So many bits, one more number above zero than below it, behind as many ones. */
const varbitSizes = [0, 3, 6, 9, 12, 18, 25, 56, 64];

function writeVarbit(writer: BitWriter, value: bigint): void {
  const ones = varbitSizes.findIndex((bits) => {
    if (bits === 0) return value === 0n;
    const half = 1n << BigInt(bits - 1);
    return bits === 64 || (value > -half && value <= half);
  });
  writer.write((1n << BigInt(ones)) - 1n, ones);
  if (ones < 8) writer.write(0n, 1);
  writer.write(BigInt.asUintN(varbitSizes[ones]!, value), varbitSizes[ones]!);
}

function readVarbit(reader: BitReader): bigint {
  const bits = varbitSizes[readOnes(reader, 8)]!;
  if (bits === 0) return 0n;
  const raw = reader.read(bits);
  if (bits === 64) return BigInt.asIntN(64, raw);
  return raw > 1n << BigInt(bits - 1) ? raw - (1n << BigInt(bits)) : raw;
}

function readOnes(reader: BitReader, max: number): number {
  let ones = 0;
  while (ones < max && reader.read(1) === 1n) ones++;
  return ones;
}

/** The samples, or undefined if the bytes end too early or contradict themselves. */
export function decodeXor2Twin(bytes: Uint8Array, count: number): StartedSample[] | undefined {
  const reader = new BitReader(bytes, 16);
  const samples: StartedSample[] = [];
  try {
    const header = Number(reader.read(8));
    const ownFrom = header & 0x7f;
    let t = 0n;
    let delta = 0n;
    let start = 0n;
    let difference = 0n;
    let comparedWith = 0n;
    let window = { leading: 0, trailing: 0 };
    const readChange = (isOther: boolean): bigint => {
      if (isOther) {
        const leading = Number(reader.read(5));
        const length = Number(reader.read(6)) || 64;
        if (leading + length > 64) throw new RangeError("more than 64 bits");
        window = { leading, trailing: 64 - leading - length };
      }
      const xor = reader.read(64 - window.leading - window.trailing) << BigInt(window.trailing);
      return comparedWith ^ xor;
    };
    for (let index = 0; index < count; index++) {
      const previous = t;
      let bits = comparedWith;
      const readValue = (): void => {
        const kind = readOnes(reader, 3);
        if (kind === 3) bits = staleMarkerBits;
        else if (kind > 0) bits = readChange(kind === 2);
      };
      if (index === 0) {
        t = unzigzag(readUvarint(reader));
        bits = reader.read(64);
        if (header >= 0x80) start = BigInt.asIntN(64, t - unzigzag(readUvarint(reader)));
      } else if (index === 1) {
        delta = readUvarint(reader);
        readValue();
      } else {
        const kind = readOnes(reader, 5);
        const width = [0, 0, 13, 20, 64, 0][kind]!;
        delta += BigInt.asIntN(width, reader.read(width));
        if (kind === 1) bits = readChange(reader.read(1) === 1n);
        else if (kind === 5) bits = staleMarkerBits;
        else if (kind > 1) readValue();
      }
      t = BigInt.asIntN(64, index === 0 ? t : t + delta);
      if (ownFrom > 0 && index >= ownFrom) {
        difference += readVarbit(reader);
        start = BigInt.asIntN(64, previous - difference);
      }
      if (bits !== staleMarkerBits) comparedWith = bits;
      samples.push({ t: Number(t), bits, start: Number(start) });
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return samples;
}
