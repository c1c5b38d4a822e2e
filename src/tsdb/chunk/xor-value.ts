import { staleMarkerBits } from "../../kernel/index.ts";
import { ChunkDamagedError } from "../../kernel/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";

const view = new DataView(new ArrayBuffer(8));
const staleHigh = Number(staleMarkerBits >> 32n);
const staleLow = Number(staleMarkerBits & 0xffffffffn);

/** A double of which only what has changed is written: its XOR with the one before, without the zeros around. */
export class XorValue {
  #high = 0;
  #low = 0;
  /** Zeros before and after the changed bits, as last written; −1 before the first. */
  #leading = -1;
  #trailing = 0;

  get value(): number {
    view.setUint32(0, this.#high);
    view.setUint32(4, this.#low);
    return view.getFloat64(0);
  }

  get isStaleMarker(): boolean {
    return this.#high === staleHigh && this.#low === staleLow;
  }

  /** Writes the first value whole. */
  writeFirst(bits: BitWriter, value: number, isStale = false): void {
    this.#set(value, isStale);
    bits.writeBits(this.#high, 32);
    bits.writeBits(this.#low, 32);
  }

  readFirst(bits: BitReader): void {
    this.#high = bits.readBits(32);
    this.#low = bits.readBits(32);
  }

  /** 0 for the value of before; 10 and the changed bits in the window of before, or 11, another window and those. */
  writeNext(bits: BitWriter, value: number, isStale = false): void {
    const beforeHigh = this.#high;
    const beforeLow = this.#low;
    this.#set(value, isStale);
    const high = (this.#high ^ beforeHigh) >>> 0;
    const low = (this.#low ^ beforeLow) >>> 0;
    if (high === 0 && low === 0) return bits.writeBit(0);
    const leading = Math.min(high === 0 ? 32 + Math.clz32(low) : Math.clz32(high), 31);
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (this.#leading >= 0 && leading >= this.#leading && trailing >= this.#trailing) {
      bits.writeBits(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      bits.writeBits(0b11, 2);
      bits.writeBits(leading, 5);
      // 64 does not fit into 6 bits; 0 stands for it, for nothing to write has its own code.
      bits.writeBits(64 - leading - trailing, 6);
    }
    writeMiddle(bits, high, low, this.#leading, this.#trailing);
  }

  readNext(bits: BitReader): void {
    if (bits.readBit() === 0) return;
    if (bits.readBit() === 1) {
      this.#leading = bits.readBits(5);
      const significant = bits.readBits(6) || 64;
      this.#trailing = 64 - this.#leading - significant;
      if (this.#trailing < 0) throw new ChunkDamagedError("chunk has a value of more than 64 bits");
    }
    const significant = 64 - Math.max(this.#leading, 0) - this.#trailing;
    // The changed bits may lie in both halves: those of the upper half come first.
    const inHigh = Math.max(significant - Math.max(32 - this.#trailing, 0), 0);
    const inLow = significant - inHigh;
    const highShift = Math.max(this.#trailing - 32, 0);
    if (inHigh > 0) this.#high = (this.#high ^ (bits.readBits(inHigh) << highShift)) >>> 0;
    if (inLow > 0) this.#low = (this.#low ^ (bits.readBits(inLow) << this.#trailing)) >>> 0;
  }

  #set(value: number, isStale: boolean): void {
    [this.#high, this.#low] = bitsOf(value, isStale);
  }
}

function bitsOf(value: number, isStale: boolean): [high: number, low: number] {
  if (isStale) return [staleHigh, staleLow];
  view.setFloat64(0, value);
  return [view.getUint32(0), view.getUint32(4)];
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function writeMiddle(bits: BitWriter, high: number, low: number, leading: number, trailing: number): void {
  const inHigh = Math.max(32 - leading - Math.max(trailing - 32, 0), 0);
  if (inHigh > 0) bits.writeBits(high >>> Math.max(trailing - 32, 0), inHigh);
  if (trailing < 32) bits.writeBits(low >>> trailing, 32 - trailing);
}
