import { type Kernel, type SampleStatus, sampleStatus, staleMarkerBits } from "../../kernel/index.ts";
import { type CounterReset, equalHistograms, type Histogram } from "../../model/index.ts";
import type { HistogramKind, SeriesRef } from "../../storage/index.ts";
import { HistogramChunk } from "../chunk/histogram-chunk.ts";
import {
  type HistogramEncoding,
  histogramEncoding,
  histogramKind,
  isHistogramEncoding,
  keepsStarts,
} from "../chunk/histogram-encoding.ts";
import { ChunkBlock, type NewestSample } from "./chunk-block.ts";
import { type ChunkEnd, forecastEnd, openEnd, rangeEndMs } from "./chunk-end.ts";
import { checkTime, newestEncoding } from "./newest-sample.ts";

/** Upstream's sizes: a chunk aims at so many bytes, may have twice as many, and more while it has few samples. */
const chunkBytesTarget = 1024;
const chunkSamplesMin = 10;

/** A histogram on its way into the head. */
export interface HistogramEntry {
  readonly ref: SeriesRef;
  readonly timestampMs: number;
  readonly histogram: Histogram;
  readonly kind: HistogramKind;
  /** Since when it counts; 0 where that is not known. */
  readonly startTimestampMs: number;
}

/** What is kept on this side of a series of histograms. */
interface HistogramSeries {
  readonly chunk: HistogramChunk;
  readonly block: ChunkBlock;
  readonly end: ChunkEnd;
  last: Histogram;
}

/** Appends native histograms to the chunks of head series, which TypeScript encodes. Main thread only. */
export class HistogramWriter {
  readonly #kernel: Kernel;
  readonly #series = new Map<number, HistogramSeries>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The kind of a series' newest sample, undefined unless it is a histogram. */
  kindOf(ref: number): HistogramKind | undefined {
    const encoding = newestEncoding(this.#kernel, ref);
    return isHistogramEncoding(encoding) ? histogramKind(encoding) : undefined;
  }

  /** Series whose newest sample, taken since the start, is a histogram, and the buckets of these samples. */
  count(): { series: number; buckets: number } {
    const count = { series: 0, buckets: 0 };
    for (const [ref, { last }] of this.#series) {
      if (this.kindOf(ref) === undefined) continue;
      count.series++;
      count.buckets += last.positive.indices.length + last.negative.indices.length;
    }
    return count;
  }

  /** Whether the histogram can be the newest of its series. */
  check({ ref, timestampMs, histogram, kind }: HistogramEntry): SampleStatus {
    const status = checkTime(this.#kernel, ref, timestampMs);
    if (status !== undefined) return status;
    const known = this.#series.get(ref);
    const isRepeated =
      known?.end.lastMs === timestampMs &&
      this.kindOf(ref) === kind &&
      equalHistograms(known.last, histogram);
    return isRepeated ? sampleStatus.repeated : sampleStatus.duplicate;
  }

  /** Appends the histogram if it can be the newest of its series. No chunk crosses a multiple of `chunkRangeMs`. */
  append(entry: HistogramEntry, chunkRangeMs: number): SampleStatus {
    const status = this.check(entry);
    if (status !== sampleStatus.ok) return status;
    const { ref, timestampMs, histogram, startTimestampMs } = entry;
    const known = this.#series.get(ref);
    if (known === undefined || !known.block.isOpen || !takes(known.chunk.encoding, entry))
      return this.#begin(entry, "unknown", chunkRangeMs);
    if (isFull(known, timestampMs, chunkRangeMs))
      return this.#begin(entry, known.chunk.headerAfter(histogram), chunkRangeMs);
    const outcome = known.chunk.append(timestampMs, histogram, startTimestampMs);
    if (typeof outcome === "object") return this.#begin(entry, outcome.nextHeader, chunkRangeMs);
    known.last = histogram;
    known.end.lastMs = timestampMs;
    if (known.block.publish(known.chunk, newestOf(entry), outcome === "recoded")) return sampleStatus.ok;
    this.forget(ref);
    return sampleStatus.memoryFull;
  }

  /** To be called when the series is removed. */
  forget(ref: number): void {
    this.#series.delete(ref);
  }

  #begin(entry: HistogramEntry, header: CounterReset, chunkRangeMs: number): SampleStatus {
    const { ref, timestampMs, histogram, kind, startTimestampMs } = entry;
    const chunk = new HistogramChunk(histogramEncoding(kind, startTimestampMs !== 0), header);
    chunk.append(timestampMs, histogram, startTimestampMs);
    const block = ChunkBlock.open(this.#kernel, ref, chunk, newestOf(entry));
    if (block === undefined) {
      this.forget(ref);
      return sampleStatus.memoryFull;
    }
    this.#series.set(ref, { chunk, block, end: openEnd(timestampMs, chunkRangeMs), last: histogram });
    return sampleStatus.ok;
  }
}

function newestOf({ timestampMs, histogram }: HistogramEntry): NewestSample {
  return { timestampMs, bits: histogram.isStale ? staleMarkerBits : 0n };
}

/** Whether a chunk of the encoding can keep all that the entry says. */
function takes(encoding: HistogramEncoding, { kind, startTimestampMs }: HistogramEntry): boolean {
  return histogramKind(encoding) === kind && (startTimestampMs === 0 || keepsStarts(encoding));
}

/** Upstream's rule for when a chunk takes no more; forecasts its end once it is a quarter full. */
function isFull({ chunk, end }: HistogramSeries, timestampMs: number, chunkRangeMs: number): boolean {
  const { byteLength, sampleCount } = chunk;
  if (byteLength >= chunkBytesTarget / 4) forecastEnd(end, chunkBytesTarget / byteLength);
  return (
    (timestampMs >= end.nextCutMs || byteLength >= 2 * chunkBytesTarget) &&
    (sampleCount >= chunkSamplesMin || timestampMs >= rangeEndMs(end.firstMs, chunkRangeMs))
  );
}
