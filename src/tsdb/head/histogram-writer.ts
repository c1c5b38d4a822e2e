import { type Kernel, layout, type SampleStatus, sampleStatus } from "../../kernel/index.ts";
import { type CounterReset, equalHistograms, type Histogram } from "../../model/index.ts";
import type { HistogramKind, SeriesRef } from "../../storage/index.ts";
import {
  HistogramChunk,
  type HistogramEncoding,
  histogramEncoding,
  histogramKind,
  isHistogramEncoding,
  keepsStarts,
} from "../chunk/histogram-chunk.ts";
import { ChunkBlock } from "./chunk-block.ts";

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
  readonly firstMs: number;
  last: Histogram;
  lastMs: number;
  /** The first sample at or after this time begins a new chunk. */
  nextCutMs: number;
  hasForecast: boolean;
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
    const { series, views } = this.#kernel;
    if (series.labelsPtr(ref) === 0) return undefined;
    const chunk = views.u32[(series.slot(ref) + layout.slot.chunkPtr) >>> 2]!;
    const encoding = chunk === 0 ? 0 : views.u8[chunk + layout.chunk.encoding]!;
    return isHistogramEncoding(encoding) ? histogramKind(encoding) : undefined;
  }

  /** Notes until when a series has samples, for readers that are to see a commit whole or not at all. */
  note(ref: number): void {
    this.#kernel.exports.isolationNote(ref, this.newestMs(ref));
  }

  /** To be called after `note`, before anything is appended. */
  showNotes(): void {
    this.#kernel.exports.isolationShow();
  }

  /** The time of the newest sample of a series that there is, -Infinity when it has none. */
  newestMs(ref: number): number {
    const { series, views } = this.#kernel;
    const slot = series.slot(ref);
    if (views.u32[(slot + layout.slot.chunkPtr) >>> 2] === 0) return -Infinity;
    return Number(views.i64[(slot + layout.slot.lastTimestampMs) / 8]);
  }

  /** Whether the histogram can be the newest of its series. */
  check({ ref, timestampMs, histogram, kind }: HistogramEntry): SampleStatus {
    if (this.#kernel.series.labelsPtr(ref) === 0) return sampleStatus.unknownSeries;
    const newestMs = this.newestMs(ref);
    if (timestampMs > newestMs) return sampleStatus.ok;
    if (timestampMs < newestMs) return sampleStatus.outOfOrder;
    const known = this.#series.get(ref);
    const isRepeated =
      known?.lastMs === newestMs && this.kindOf(ref) === kind && equalHistograms(known.last, histogram);
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
    known.lastMs = timestampMs;
    if (known.block.publish(known.chunk, timestampMs, outcome === "recoded")) return sampleStatus.ok;
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
    const block = ChunkBlock.open(this.#kernel, ref, chunk, timestampMs);
    if (block === undefined) {
      this.forget(ref);
      return sampleStatus.memoryFull;
    }
    this.#series.set(ref, {
      chunk,
      block,
      firstMs: timestampMs,
      last: histogram,
      lastMs: timestampMs,
      nextCutMs: rangeEndMs(timestampMs, chunkRangeMs),
      hasForecast: false,
    });
    return sampleStatus.ok;
  }
}

/** Whether a chunk of the encoding can keep all that the entry says. */
function takes(encoding: HistogramEncoding, { kind, startTimestampMs }: HistogramEntry): boolean {
  return histogramKind(encoding) === kind && (startTimestampMs === 0 || keepsStarts(encoding));
}

/** Upstream's rule for when a chunk takes no more; forecasts its end once it is a quarter full. */
function isFull(series: HistogramSeries, timestampMs: number, chunkRangeMs: number): boolean {
  const { byteLength, sampleCount } = series.chunk;
  const rangeMs = rangeEndMs(series.firstMs, chunkRangeMs);
  if (!series.hasForecast && byteLength >= chunkBytesTarget / 4) {
    series.nextCutMs = forecastEndMs(series, chunkBytesTarget / byteLength);
    series.hasForecast = true;
  }
  return (
    (timestampMs >= series.nextCutMs || byteLength >= 2 * chunkBytesTarget) &&
    (sampleCount >= chunkSamplesMin || timestampMs >= rangeMs)
  );
}

/** Spreads the samples that are still to come in the range evenly over chunks. */
function forecastEndMs({ firstMs, lastMs, nextCutMs }: HistogramSeries, ratioToFull: number): number {
  const chunks = (nextCutMs - firstMs) / ((lastMs - firstMs + 1) * ratioToFull);
  return chunks <= 1 ? nextCutMs : Math.trunc(firstMs + (nextCutMs - firstMs) / Math.floor(chunks));
}

function rangeEndMs(timestampMs: number, chunkRangeMs: number): number {
  return Math.trunc(timestampMs / chunkRangeMs) * chunkRangeMs + chunkRangeMs;
}
