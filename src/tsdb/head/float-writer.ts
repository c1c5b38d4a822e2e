import { type Kernel, type SampleStatus, sampleStatus, staleMarkerBits } from "../../kernel/index.ts";
import { Xor2Encoder, xor2Encoding } from "../chunk/xor2.ts";
import type { FloatEntry } from "../wal/float-record.ts";
import { ChunkBlock } from "./chunk-block.ts";
import { type ChunkEnd, forecastEnd, openEnd } from "./chunk-end.ts";
import { checkTime, newestEncoding } from "./newest-sample.ts";

/** How long chunks become. */
export interface ChunkLength {
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
}

/** What is kept on this side of a series of floats with start timestamps. */
interface FloatSeries {
  readonly chunk: Xor2Encoder;
  readonly block: ChunkBlock;
  readonly end: ChunkEnd;
  lastBits: bigint;
}

const doubles = new DataView(new ArrayBuffer(8));

/** Appends floats of which it is known since when they count to the XOR2 chunks of head series; the kernel appends all others. Main thread only. */
export class FloatWriter {
  readonly #kernel: Kernel;
  readonly #series = new Map<number, FloatSeries>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Whether the newest sample of a series is a float in a chunk that keeps start timestamps. */
  has(ref: number): boolean {
    return newestEncoding(this.#kernel, ref) === xor2Encoding;
  }

  /** Whether the float can be the newest of its series. */
  check({ ref, timestampMs, bits }: FloatEntry): SampleStatus {
    const status = checkTime(this.#kernel, ref, timestampMs);
    if (status !== undefined) return status;
    const known = this.#series.get(ref);
    const isRepeated =
      known?.block.isOpen === true && known.end.lastMs === timestampMs && known.lastBits === bits;
    return isRepeated ? sampleStatus.repeated : sampleStatus.duplicate;
  }

  /** Appends the float if it can be the newest of its series. No chunk crosses a multiple of `chunkRangeMs`. */
  append(entry: FloatEntry, length: ChunkLength): SampleStatus {
    const status = this.check(entry);
    if (status !== sampleStatus.ok) return status;
    const { ref, timestampMs, bits } = entry;
    const known = this.#series.get(ref);
    if (known === undefined || !known.block.isOpen || isFull(known, timestampMs, length))
      return this.#begin(entry, length);
    writeFloat(known.chunk, entry);
    known.end.lastMs = timestampMs;
    known.lastBits = bits;
    if (known.block.publish(known.chunk, entry, false)) return sampleStatus.ok;
    this.forget(ref);
    return sampleStatus.memoryFull;
  }

  /** To be called when the series is removed. */
  forget(ref: number): void {
    this.#series.delete(ref);
  }

  #begin(entry: FloatEntry, { chunkRangeMs }: ChunkLength): SampleStatus {
    const { ref, timestampMs, bits } = entry;
    const chunk = new Xor2Encoder();
    writeFloat(chunk, entry);
    const block = ChunkBlock.open(this.#kernel, ref, chunk, entry);
    if (block === undefined) {
      this.forget(ref);
      return sampleStatus.memoryFull;
    }
    this.#series.set(ref, { chunk, block, end: openEnd(timestampMs, chunkRangeMs), lastBits: bits });
    return sampleStatus.ok;
  }
}

/** Adds a float to a chunk. */
export function writeFloat(chunk: Xor2Encoder, { timestampMs, bits, startTimestampMs }: FloatEntry): void {
  doubles.setBigUint64(0, bits);
  chunk.append({
    timestampMs,
    value: doubles.getFloat64(0),
    isStale: bits === staleMarkerBits,
    startTimestampMs,
  });
}

/** The kernel's rule for when a chunk takes no more; forecasts its end once it is a quarter full. */
function isFull({ chunk, end }: FloatSeries, timestampMs: number, { samplesPerChunk }: ChunkLength): boolean {
  const { sampleCount } = chunk;
  if (sampleCount >= samplesPerChunk / 4) forecastEnd(end, samplesPerChunk / sampleCount);
  return timestampMs >= end.nextCutMs || sampleCount >= 2 * samplesPerChunk;
}
