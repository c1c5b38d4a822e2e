import { assert } from "../../base/index.ts";
import { ChunkDamagedError } from "../../kernel/index.ts";
import { BitReader } from "./bit-stream.ts";
import { ChunkEncoder, headerBytes } from "./chunk-encoder.ts";
import { startHeaderByte, StartTimestampDecoder, StartTimestampEncoder } from "./start-timestamp.ts";
import { readUvarint, readVarint, writeUvarint, writeVarint } from "./varint.ts";
import { type WindowCodes, XorValue } from "./xor-value.ts";

/** The chunk encoding of floats with start timestamps. */
export const xor2Encoding = 4;

/** A float sample of an XOR2 chunk (encoding 4). */
export interface Xor2Sample {
  readonly timestampMs: number;
  /** Anything where `isStale`. */
  readonly value: number;
  readonly isStale: boolean;
  /** Since when it counts; 0 where that is not known. */
  readonly startTimestampMs: number;
}

const samplesMax = 65_535;

/** After a value that says that it has changed, and after one that may have. */
const changedCodes: WindowCodes = { same: [0, 1], other: [1, 1] };
const valueCodes: WindowCodes = { same: [0b10, 2], other: [0b110, 3] };

/** What a sample from the third on begins with: how many ones stand before the zero. Five ones have none. */
const control = { nothing: 0, valueOnly: 1, short: 2, middle: 3, long: 4, stale: 5 } as const;
const shortBits = 13;
const middleBits = 20;

/** Writes float samples in the order of their times, at most 65,535. */
export class Xor2Encoder extends ChunkEncoder {
  readonly encoding = xor2Encoding;
  readonly #value = new XorValue();
  readonly #starts = new StartTimestampEncoder();
  #timestampMs = 0;
  #deltaMs = 0;

  protected override encodeHeader(): readonly number[] {
    return [this.samples >>> 8, this.samples & 0xff, this.#starts.header];
  }

  append(sample: Xor2Sample): void {
    assert(this.samples < samplesMax, "a chunk's number of samples has 16 bits");
    const { timestampMs, startTimestampMs } = sample;
    const deltaMs = timestampMs - this.#timestampMs;
    if (this.samples === 0) this.#appendFirst(sample);
    else if (this.samples === 1) {
      writeUvarint(this.bits, deltaMs);
      this.#writeValue(sample);
    } else this.#appendNext(sample, deltaMs - this.#deltaMs);
    this.#starts.encode(this.bits, this.samples, timestampMs, this.#timestampMs, startTimestampMs);
    this.#deltaMs = this.samples === 0 ? 0 : deltaMs;
    this.#timestampMs = timestampMs;
    this.samples++;
  }

  #appendFirst({ timestampMs, value, isStale }: Xor2Sample): void {
    writeVarint(this.bits, timestampMs);
    this.#value.writeFirst(this.bits, value, isStale);
    // Later values are compared with the last that was none of the markers.
    if (isStale) this.#value.forget();
  }

  #appendNext(sample: Xor2Sample, change: number): void {
    const bits = this.bits;
    const { value, isStale } = sample;
    if (change === 0) {
      if (isStale) bits.writeBits(0b11111, 5);
      else if (this.#value.holds(value)) bits.writeBit(0);
      else {
        bits.writeBits(0b10, 2);
        this.#value.writeChange(bits, value, false, changedCodes);
      }
      return;
    }
    if (fits(change, shortBits)) {
      bits.writeBits(0b110, 3);
      bits.writeBits(change, shortBits);
    } else if (fits(change, middleBits)) {
      bits.writeBits(0b1110, 4);
      bits.writeBits(change, middleBits);
    } else {
      bits.writeBits(0b11110, 5);
      bits.writeLong(change, 64);
    }
    this.#writeValue(sample);
  }

  #writeValue({ value, isStale }: Xor2Sample): void {
    if (isStale) this.bits.writeBits(0b111, 3);
    else if (this.#value.holds(value)) this.bits.writeBit(0);
    else this.#value.writeChange(this.bits, value, false, valueCodes);
  }
}

function fits(value: number, bits: number): boolean {
  return -(2 ** (bits - 1)) <= value && value < 2 ** (bits - 1);
}

/** The samples of a chunk, or the first few of one that is being written. Throws ChunkDamagedError where its bytes end or contradict themselves. */
export function* decodeXor2Chunk(bytes: Uint8Array, samples = xor2SampleCount(bytes)): Generator<Xor2Sample> {
  const bits = new BitReader(bytes, headerBytes);
  const starts = new StartTimestampDecoder(bytes[startHeaderByte]!);
  const value = new XorValue();
  let timestampMs = 0;
  let deltaMs = 0;
  for (let index = 0; index < samples; index++) {
    const previousMs = timestampMs;
    let isStale = false;
    if (index === 0) {
      timestampMs = readVarint(bits);
      value.readFirst(bits);
      isStale = value.isStaleMarker;
      if (isStale) value.forget();
    } else if (index === 1) {
      deltaMs = readUvarint(bits);
      timestampMs += deltaMs;
      isStale = readValue(bits, value);
    } else {
      const kind = readOnes(bits, control.stale);
      deltaMs += readChange(bits, kind);
      timestampMs += deltaMs;
      if (kind === control.valueOnly) value.readChange(bits, bits.readBit() === 1);
      else isStale = kind === control.stale || (kind !== control.nothing && readValue(bits, value));
    }
    starts.decode(bits, index, timestampMs, previousMs);
    yield { timestampMs, value: isStale ? NaN : value.value, isStale, startTimestampMs: starts.startMs };
  }
}

/** How many samples a chunk's header says it has. Throws ChunkDamagedError. */
function xor2SampleCount(bytes: Uint8Array): number {
  if (bytes.length < headerBytes)
    throw new ChunkDamagedError(`XOR2 chunk of ${bytes.length} bytes has no header`);
  return (bytes[0]! << 8) | bytes[1]!;
}

function readOnes(bits: BitReader, max: number): number {
  let ones = 0;
  while (ones < max && bits.readBit() === 1) ones++;
  return ones;
}

/** How the distance to the sample before has changed. */
function readChange(bits: BitReader, kind: number): number {
  if (kind === control.short) return signed(bits.readBits(shortBits), shortBits);
  if (kind === control.middle) return signed(bits.readBits(middleBits), middleBits);
  return kind === control.long ? (bits.readBits(32) | 0) * 2 ** 32 + bits.readBits(32) : 0;
}

function signed(raw: number, bits: number): number {
  return raw >= 2 ** (bits - 1) ? raw - 2 ** bits : raw;
}

/** Returns whether the value is the stale marker. */
function readValue(bits: BitReader, value: XorValue): boolean {
  const kind = readOnes(bits, 3);
  if (kind === 1 || kind === 2) value.readChange(bits, kind === 2);
  return kind === 3;
}
