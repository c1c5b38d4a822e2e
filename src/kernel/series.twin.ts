import {
  chunkEncodingXor,
  chunkEncodingXor2,
  type FloatEncoding,
  type SampleStatus,
  sampleStatus,
} from "./layout.ts";
import { encodeTwin } from "./xor.twin.ts";
import { encodeXor2Twin, type StartedSample } from "./xor2.twin.ts";

export interface ChunkTwin {
  readonly encoding: FloatEncoding;
  readonly samples: StartedSample[];
}

export function encodeChunkTwin({ encoding, samples }: ChunkTwin): Uint8Array {
  return encoding === chunkEncodingXor ? encodeTwin(samples) : encodeXor2Twin(samples);
}

/** What kernel/series-append.ts does to one series, plainly: upstream's rules for order and for cutting chunks. Used by tests only. */
export class SeriesTwin {
  /** Oldest first; the last one is open. */
  readonly chunks: ChunkTwin[] = [];
  /** Of chunks that are begun. */
  encoding: FloatEncoding = chunkEncodingXor;
  readonly #chunkRangeMs: number;
  readonly #samplesPerChunk: number;
  #nextCutMs = 0;

  constructor(chunkRangeMs: number, samplesPerChunk: number) {
    this.#chunkRangeMs = chunkRangeMs;
    this.#samplesPerChunk = samplesPerChunk;
  }

  append(sample: StartedSample): SampleStatus {
    const chunk = this.chunks.at(-1);
    const open = chunk?.samples;
    const last = open?.at(-1);
    if (chunk === undefined || open === undefined || last === undefined) return this.#cut(sample);
    if (sample.t < last.t) return sampleStatus.outOfOrder;
    if (sample.t === last.t)
      return sample.bits === last.bits ? sampleStatus.repeated : sampleStatus.duplicate;
    if (open.length === Math.floor(this.#samplesPerChunk / 4))
      this.#nextCutMs = predictEnd(open[0]!.t, last.t, this.#nextCutMs);
    const full = open.length >= this.#samplesPerChunk * 2 || encodeChunkTwin(chunk).length > 1005;
    const hasNoRoom = sample.start !== 0 && chunk.encoding === chunkEncodingXor;
    if (full || hasNoRoom || sample.t >= this.#nextCutMs) return this.#cut(sample);
    open.push(sample);
    return sampleStatus.ok;
  }

  #cut(sample: StartedSample): SampleStatus {
    const encoding = sample.start === 0 ? this.encoding : chunkEncodingXor2;
    this.chunks.push({ encoding, samples: [sample] });
    this.#nextCutMs = Math.trunc(sample.t / this.#chunkRangeMs) * this.#chunkRangeMs + this.#chunkRangeMs;
    return sampleStatus.ok;
  }
}

function predictEnd(start: number, current: number, limit: number): number {
  const n = (limit - start) / ((current - start + 1) * 4);
  return n <= 1 ? limit : Math.trunc(start + (limit - start) / Math.floor(n));
}
