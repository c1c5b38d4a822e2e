import {
  type BlockRunCopy,
  type Kernel,
  layout,
  seriesFileDamaged,
  seriesNotLoaded,
  type SeriesRun,
  type Snapshot,
} from "../../kernel/index.ts";
import {
  type HistogramNeed,
  noHistograms,
  noStarts,
  putRun,
  type SampleColumns,
  type StartTimestamps,
  type StoredHistogram,
} from "../../storage/index.ts";
import { startsOf } from "../block/chunk-codec.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";
import { copyHeadRun } from "./block-copier.ts";
import { hasChunksOf, isEncoded } from "./encoded-chunks.ts";
import { readHeadHistograms } from "./histogram-reader.ts";
import { readHeadRun } from "./run-reader.ts";

/** Samples that a series may get while it is read a second time. */
const growthMax = 1024;
const keepsStarts = (encoding: number): boolean => encoding === layout.chunkEncodingXor2;

/**
 * Reads the samples that came in order, as they were when the snapshot was taken, of series that are given by their place in `refs`. Chunks in files are loaded; those that are damaged
 * are noticed and left out.
 */
export class InOrderReader {
  readonly #kernel: Kernel;
  readonly #snapshot: Snapshot;
  readonly #chunks: HeadChunkReader;
  readonly #refs: Uint32Array;
  /** What `hasEncoded` was asked last, and its answer. */
  #askedSeries = -1;
  #askedMinMs = 0;
  #hadEncoded = false;

  constructor(kernel: Kernel, snapshot: Snapshot, chunks: HeadChunkReader, refs: Uint32Array) {
    this.#kernel = kernel;
    this.#snapshot = snapshot;
    this.#chunks = chunks;
    this.#refs = refs;
  }

  /** Whether some chunks of the series are not the kernel's to decode. Asked for each kind of sample, so the last answer is kept. */
  hasEncoded(series: number, minTimestampMs: number): boolean {
    if (series !== this.#askedSeries || minTimestampMs !== this.#askedMinMs) {
      this.#hadEncoded = hasChunksOf(this.#kernel, this.#refs[series]!, minTimestampMs, isEncoded);
      this.#askedSeries = series;
      this.#askedMinMs = minTimestampMs;
    }
    return this.#hadEncoded;
  }

  /** An upper bound of the floats in the time range. */
  floatCountMax(series: number, minTimestampMs: number, maxTimestampMs: number): number {
    return this.#kernel.series.sampleCount(this.#refs[series]!, minTimestampMs, maxTimestampMs);
  }

  /** Reads the floats in the time range into the columns; returns how many. */
  readFloats(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const ref = this.#refs[series]!;
    const untilMs = Math.min(maxTimestampMs, this.#snapshot.untilMs(ref));
    const count = this.#decode(series, minTimestampMs, untilMs, dropStale, columns);
    if (count < 0) return this.#readApart(series, -count, minTimestampMs, untilMs, dropStale, columns);
    return this.#keepVisible(ref, columns, count);
  }

  /** See `readHeadRun`. */
  readRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number {
    const range = [minTimestampMs, maxTimestampMs] as const;
    return readHeadRun(
      this.#kernel,
      this.#snapshot,
      this.#chunks,
      this.#refs,
      first,
      ...range,
      dropStale,
      run,
    );
  }

  /** Since when the floats in the time range count, as far as that is known; also of some that are too new. */
  starts(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps {
    const ref = this.#refs[series]!;
    if (!hasChunksOf(this.#kernel, ref, minTimestampMs, keepsStarts)) return noStarts;
    const capacity = this.floatCountMax(series, minTimestampMs, maxTimestampMs) + growthMax;
    return startsOf(this.#kernel, capacity, (timestamps, values, starts) =>
      this.#decode(series, minTimestampMs, maxTimestampMs, false, { timestamps, values, capacity }, starts),
    );
  }

  /** The native histograms in the time range. */
  histograms(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    need: HistogramNeed | undefined,
  ): readonly StoredHistogram[] {
    if (!this.hasEncoded(series, minTimestampMs)) return noHistograms;
    const ref = this.#refs[series]!;
    const dataOf = this.#dataOf(series, minTimestampMs, maxTimestampMs);
    const range = [minTimestampMs, maxTimestampMs] as const;
    // Samples that are too new are left out below, so that the one before them is needed.
    const known = this.#snapshot.untilMs(ref) === Infinity ? need : undefined;
    let all = readHeadHistograms(this.#kernel, ref, ...range, dataOf, known);
    const untilMs = this.#snapshot.untilMs(ref);
    if (untilMs < Infinity && known !== undefined)
      all = readHeadHistograms(this.#kernel, ref, ...range, dataOf);
    return all.filter(({ timestampMs }) => timestampMs <= untilMs);
  }

  /** See `copyHeadRun`. */
  copyRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    isAlone: (ref: number) => boolean,
    copy: BlockRunCopy,
  ): number {
    const range = [minTimestampMs, maxTimestampMs] as const;
    return copyHeadRun(this.#snapshot, this.#chunks, this.#refs, first, ...range, isAlone, copy);
  }

  /** Takes away what was committed since the snapshot was taken. Returns how many samples are left. */
  #keepVisible(ref: number, { timestamps }: SampleColumns, count: number): number {
    const { f64 } = this.#kernel.views;
    const untilMs = this.#snapshot.untilMs(ref);
    let visible = count;
    while (visible > 0 && f64[timestamps / 8 + visible - 1]! > untilMs) visible--;
    return visible;
  }

  /** Commits since the columns were made have added samples that have no room there, and are to be left out anyway. */
  #readApart(
    series: number,
    needed: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const { scratch, views } = this.#kernel;
    const mark = scratch.mark();
    try {
      const capacity = needed + growthMax;
      const apart = {
        timestamps: scratch.allocate(8 * capacity),
        values: scratch.allocate(8 * capacity),
        capacity,
      };
      const count = this.#decode(series, minTimestampMs, maxTimestampMs, dropStale, apart);
      const visible = count < 0 ? -count : this.#keepVisible(this.#refs[series]!, apart, count);
      return putRun(views, { ...apart, count: visible }, columns);
    } finally {
      scratch.release(mark);
    }
  }

  /** The samples there are, or minus those that there must be room for. */
  #decode(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    { timestamps, values, capacity }: SampleColumns,
    starts = 0,
  ): number {
    for (;;) {
      const count = this.#kernel.decodeSeries(
        this.#refs[series]!,
        minTimestampMs,
        maxTimestampMs,
        dropStale,
        timestamps,
        values,
        capacity,
        this.#chunks.filesOf(this.#refs, series),
        starts,
      );
      if (count === seriesNotLoaded) this.#chunks.load(this.#refs, series, minTimestampMs, maxTimestampMs);
      else if (count === seriesFileDamaged) this.#chunks.noticeDamage(this.#refs, series);
      else return count;
    }
  }

  #dataOf(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
  ): (chunk: number) => Uint8Array | undefined {
    return (chunk) => this.#chunks.dataOf(this.#refs, series, chunk, minTimestampMs, maxTimestampMs);
  }
}
