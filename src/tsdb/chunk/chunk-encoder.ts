import { BitWriter } from "./bit-stream.ts";

/** In front of the samples: their number, and flags or what is known of start timestamps. */
export const headerBytes = 3;

/** A chunk that is being written, sample by sample. Its header changes with each, and is put in its place when somebody asks for the bytes. */
export abstract class ChunkEncoder {
  protected bits = newBits();
  protected samples = 0;

  get sampleCount(): number {
    return this.samples;
  }

  get byteLength(): number {
    return this.bits.byteLength;
  }

  /** The chunk's bytes as files hold them. A copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    this.#setHeader();
    return this.bits.bytes();
  }

  /** Copies the chunk's bytes to `at`: the header, and the rest from a byte on. */
  copyTo(target: Uint8Array, at: number, fromByte: number): void {
    this.#setHeader();
    this.bits.copyTo(target, at, 0, headerBytes);
    this.bits.copyTo(target, at, fromByte);
  }

  /** The bytes of the header for the samples so far. */
  protected abstract encodeHeader(): readonly number[];

  /** Begins anew, without samples. */
  protected restart(): void {
    this.bits = newBits();
    this.samples = 0;
  }

  #setHeader(): void {
    this.encodeHeader().forEach((byte, at) => this.bits.setByte(at, byte));
  }
}

function newBits(): BitWriter {
  const bits = new BitWriter();
  bits.writeBits(0, 8 * headerBytes);
  return bits;
}
