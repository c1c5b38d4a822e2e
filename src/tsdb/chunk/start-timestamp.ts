import type { BitReader, BitWriter } from "./bit-stream.ts";
import { readVarbitInt, writeVarbitInt } from "./varbit.ts";
import { readVarint, writeVarint } from "./varint.ts";

/** The place of the byte that says which samples have a start timestamp, in all chunks that keep them. */
export const startHeaderByte = 2;
const firstIsKnown = 0x80;
/** The last sample that the header can name as the first with a change: from there on every one is written. */
const changeMax = 0x7f;

/**
 * Start timestamps of a chunk's samples, written behind each: nothing as long as it is the same as of the first sample, then how far it
 * lies before the previous sample. 0 means unknown. Milliseconds.
 */
export class StartTimestampEncoder {
  /** The header byte for what was written so far. */
  header = 0;
  #startMs = 0;
  #difference = 0;

  encode(bits: BitWriter, index: number, timestampMs: number, previousMs: number, startMs: number): void {
    if (index === 0) {
      if (startMs !== 0) {
        writeVarint(bits, timestampMs - startMs);
        this.header = firstIsKnown;
      }
    } else if (this.#hasChanged || startMs !== this.#startMs || index === changeMax) {
      const difference = previousMs - startMs;
      if (!this.#hasChanged) this.header |= index;
      writeVarbitInt(bits, difference - this.#difference);
      this.#difference = difference;
    }
    this.#startMs = startMs;
  }

  get #hasChanged(): boolean {
    return (this.header & changeMax) !== 0;
  }
}

export class StartTimestampDecoder {
  startMs = 0;
  readonly #header: number;
  #difference = 0;

  constructor(header: number) {
    this.#header = header;
  }

  decode(bits: BitReader, index: number, timestampMs: number, previousMs: number): void {
    const firstChange = this.#header & changeMax;
    if (index === 0) {
      if ((this.#header & firstIsKnown) !== 0) this.startMs = timestampMs - readVarint(bits);
    } else if (firstChange > 0 && index >= firstChange) {
      this.#difference += readVarbitInt(bits);
      this.startMs = previousMs - this.#difference;
    }
  }
}
