import { type SampleStatus, sampleStatus } from "./layout.ts";
import type { Sample } from "./testing.ts";
import { encodeTwin } from "./xor.twin.ts";

/** What kernel/series.ts does to one series, plainly: upstream's rules for order and for cutting chunks. Used by tests only. */
export class SeriesTwin {
  /** Oldest first; the last one is open. */
  readonly chunks: Sample[][] = [];
  readonly #chunkRangeMs: number;
  readonly #samplesPerChunk: number;
  #nextCutMs = 0;

  constructor(chunkRangeMs: number, samplesPerChunk: number) {
    this.#chunkRangeMs = chunkRangeMs;
    this.#samplesPerChunk = samplesPerChunk;
  }

  append(sample: Sample): SampleStatus {
    const open = this.chunks.at(-1);
    const last = open?.at(-1);
    if (open === undefined || last === undefined) return this.#cut(sample);
    if (sample.t < last.t) return sampleStatus.outOfOrder;
    if (sample.t === last.t)
      return sample.bits === last.bits ? sampleStatus.repeated : sampleStatus.duplicate;
    if (open.length === Math.floor(this.#samplesPerChunk / 4))
      this.#nextCutMs = predictEnd(open[0]!.t, last.t, this.#nextCutMs);
    const full = open.length >= this.#samplesPerChunk * 2 || encodeTwin(open).length > 1005;
    if (full || sample.t >= this.#nextCutMs) return this.#cut(sample);
    open.push(sample);
    return sampleStatus.ok;
  }

  #cut(sample: Sample): SampleStatus {
    this.chunks.push([sample]);
    this.#nextCutMs = Math.trunc(sample.t / this.#chunkRangeMs) * this.#chunkRangeMs + this.#chunkRangeMs;
    return sampleStatus.ok;
  }
}

function predictEnd(start: number, current: number, limit: number): number {
  const n = (limit - start) / ((current - start + 1) * 4);
  return n <= 1 ? limit : Math.trunc(start + (limit - start) / Math.floor(n));
}
