import { assert } from "../../base/index.ts";
import {
  type Kernel,
  seriesFileDamaged,
  seriesNotLoaded,
  type SeriesRun,
  type SeriesPiece,
  type Snapshot,
} from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type { LabelsCache } from "./labels-cache.ts";
import {
  type HistogramNeed,
  noStarts,
  type SampleColumns,
  type SeriesSet,
  type StartTimestamps,
  type StoredHistogram,
  type SymbolView,
  putRun,
} from "../../storage/index.ts";
import type { Xor2Sample } from "../chunk/xor2.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";
import { hasEncodedChunks } from "./encoded-chunks.ts";
import { mergeStartedFloats, readStartedFloats, startedFloatCountMax } from "./float-reader.ts";
import { readHeadHistograms } from "./histogram-reader.ts";
import { readHeadRun } from "./run-reader.ts";
import { dropIntervals } from "../block/columns.ts";
import type { PieceSource } from "../block/head-block.ts";
import { cutHistograms } from "../block/histograms.ts";
import {
  mergeOutOfOrder,
  mergeOutOfOrderHistograms,
  outOfOrderCountMax,
  outOfOrderStarts,
} from "../out-of-order/read.ts";
import { outOfOrderRuns, stateOf } from "../out-of-order/chunks.ts";
import { type RunData, runDataOf } from "../out-of-order/run.ts";
import { putNewestFloat } from "./newest-sample.ts";
import type { SymbolReader } from "./symbols.ts";
import { deletedIntervals } from "./tombstones.ts";

/** Reader slot of the thread that writes. */
const writerSlot = 0;
/** Samples that a series may get while it is read a second time. */
const growthMax = 1024;
const noHistograms: readonly StoredHistogram[] = [];
const noFloats: readonly Xor2Sample[] = [];

/** Which samples of the head: those that came in order, the others, or all. */
export type HeadPart = "all" | "inOrder" | "outOfOrder";

/** Series of the head by ref and address of their labels: both stay good in the epoch, even when the writer removes the series. */
export class HeadSeriesSet implements SeriesSet, PieceSource {
  readonly symbols: SymbolView;
  readonly #kernel: Kernel;
  readonly #reader: SymbolReader;
  readonly #snapshot: Snapshot;
  readonly #chunks: HeadChunkReader;
  readonly #part: HeadPart;
  readonly #labels: LabelsCache | undefined;
  readonly #refs: Uint32Array;
  readonly #labelsPtrs: Uint32Array;
  readonly #runData: RunData;
  /** What `#hasEncoded` was asked last, and its answer. */
  #askedSeries = -1;
  #askedMinMs = 0;
  #hadEncoded = false;

  /** Labels are looked for in `labels`, if it is given. */
  constructor(
    kernel: Kernel,
    reader: SymbolReader,
    snapshot: Snapshot,
    chunks: HeadChunkReader,
    part: HeadPart,
    refs: Uint32Array,
    labelsPtrs: Uint32Array,
    labels?: LabelsCache,
  ) {
    this.#kernel = kernel;
    this.#reader = reader;
    this.#snapshot = snapshot;
    this.#chunks = chunks;
    this.#part = part;
    this.#labels = labels;
    this.#refs = refs;
    this.#labelsPtrs = labelsPtrs;
    this.#runData = runDataOf(kernel.views, chunks);
    this.symbols = {
      text: (symbol) => reader.text(symbol),
      find: (text) => reader.find(text) || undefined,
    };
  }

  get length(): number {
    return this.#refs.length;
  }

  labelSymbols(series: number): Uint32Array {
    const { u32 } = this.#kernel.views;
    const labels = this.#labelsPtrs[series]! >>> 2;
    return u32.subarray(labels + 2, labels + 2 + 2 * u32[labels + 1]!);
  }

  get remembersLabels(): boolean {
    return this.#labels !== undefined;
  }

  labels(series: number): Labels {
    const ref = this.#refs[series]!;
    const known = this.#labels?.get(ref);
    if (known !== undefined) return known;
    const labels = this.#readLabels(series);
    this.#labels?.set(ref, labels);
    return labels;
  }

  #readLabels(series: number): Labels {
    const pairs: string[] = [];
    for (const symbol of this.labelSymbols(series)) pairs.push(this.#reader.text(symbol));
    return Labels.fromSortedPairs(pairs);
  }

  sampleCountMax(series: number, minTimestampMs: number, maxTimestampMs: number): number {
    const ref = this.#refs[series]!;
    let count = 0;
    if (this.#part !== "outOfOrder") {
      count = this.#kernel.series.sampleCount(ref, minTimestampMs, maxTimestampMs);
      if (this.#hasEncoded(series, minTimestampMs))
        count += startedFloatCountMax(this.#kernel, ref, minTimestampMs, maxTimestampMs);
    }
    if (this.#hasLate(ref))
      count += outOfOrderCountMax(this.#kernel, { ref, minTimestampMs, maxTimestampMs });
    return count;
  }

  read(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const ref = this.#refs[series];
    assert(ref !== undefined, `series ${series} is in the set`);
    const kernel = this.#kernel;
    let count = 0;
    if (this.#part !== "outOfOrder") {
      count = this.#readInOrder(series, minTimestampMs, maxTimestampMs, dropStale, columns);
      const floats = this.#startedFloats(series, minTimestampMs, maxTimestampMs);
      const kept = dropStale && floats.length > 0 ? floats.filter(({ isStale }) => !isStale) : floats;
      count = mergeStartedFloats(kernel, kept, columns, count);
    }
    if (this.#hasLate(ref)) {
      const late = { ref, minTimestampMs, maxTimestampMs };
      count = mergeOutOfOrder(kernel, late, this.#runData, dropStale, columns, count);
    }
    const deleted = deletedIntervals(kernel.views, ref);
    return deleted === undefined ? count : dropIntervals(kernel.views, { ...columns, count }, deleted);
  }

  readRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number {
    if (this.#part !== "all") return 0;
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

  readNewest(series: number, minTimestampMs: number, maxTimestampMs: number, columns: SampleColumns): 0 | 1 {
    const kernel = this.#kernel;
    const ref = this.#refs[series]!;
    const isPlain =
      kernel.readerSlot === writerSlot &&
      this.#part === "all" &&
      !this.#hasEncoded(series, minTimestampMs) &&
      !this.#hasLate(ref) &&
      deletedIntervals(kernel.views, ref) === undefined &&
      this.#snapshot.untilMs(ref) === Infinity;
    return isPlain && putNewestFloat(kernel, ref, minTimestampMs, maxTimestampMs, columns) ? 1 : 0;
  }

  readStarts(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps {
    const range = { ref: this.#refs[series]!, minTimestampMs, maxTimestampMs };
    const late = this.#part === "inOrder" ? [] : outOfOrderStarts(this.#kernel, range, this.#runData);
    const inOrder =
      this.#part === "outOfOrder" ? [] : this.#startedFloats(series, minTimestampMs, maxTimestampMs);
    const known = inOrder.filter(({ startTimestampMs }) => startTimestampMs !== 0);
    if (late.length + known.length === 0) return noStarts;
    // In this order: of samples at the same time the one that came in order stays.
    return new Map([
      ...late,
      ...known.map(({ timestampMs, startTimestampMs }) => [timestampMs, startTimestampMs] as const),
    ]);
  }

  /** Deleted samples, and those that came out of order, are to be found by reading. */
  pieces(series: number, minTimestampMs: number, maxTimestampMs: number): readonly SeriesPiece[] | undefined {
    const { views } = this.#kernel;
    const ref = this.#refs[series]!;
    if (this.#part === "outOfOrder" || deletedIntervals(views, ref) !== undefined) return undefined;
    if (this.#part === "all" && outOfOrderRuns(views, ref, minTimestampMs, maxTimestampMs).length > 0)
      return undefined;
    const untilMs = this.#snapshot.untilMs(ref);
    for (;;) {
      const files = this.#chunks.filesOf(this.#refs, series);
      const found = this.#kernel.seriesPieces(ref, minTimestampMs, maxTimestampMs, untilMs, files);
      if (found === seriesNotLoaded) this.#chunks.load(this.#refs, series, minTimestampMs, maxTimestampMs);
      else if (found === seriesFileDamaged) this.#chunks.noticeDamage(this.#refs, series);
      else return found;
    }
  }

  #startedFloats(series: number, minTimestampMs: number, maxTimestampMs: number): readonly Xor2Sample[] {
    return this.#hasEncoded(series, minTimestampMs)
      ? this.#readStartedFloats(series, minTimestampMs, maxTimestampMs)
      : noFloats;
  }

  #readStartedFloats(series: number, minTimestampMs: number, maxTimestampMs: number): Xor2Sample[] {
    const ref = this.#refs[series]!;
    const untilMs = Math.min(maxTimestampMs, this.#snapshot.untilMs(ref));
    const dataOf = (chunk: number): Uint8Array | undefined =>
      this.#chunks.dataOf(this.#refs, series, chunk, minTimestampMs, maxTimestampMs);
    return readStartedFloats(this.#kernel, ref, minTimestampMs, untilMs, dataOf);
  }

  #readInOrder(
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

  /** The samples there are, or minus those that there must be room for. Chunks in files are loaded, those that are damaged noticed and left out. */
  #decode(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    { timestamps, values, capacity }: SampleColumns,
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
      );
      if (count === seriesNotLoaded) this.#chunks.load(this.#refs, series, minTimestampMs, maxTimestampMs);
      else if (count === seriesFileDamaged) this.#chunks.noticeDamage(this.#refs, series);
      else return count;
    }
  }

  readHistograms(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    need?: HistogramNeed,
  ): readonly StoredHistogram[] {
    const ref = this.#refs[series];
    assert(ref !== undefined, `series ${series} is in the set`);
    const deleted = deletedIntervals(this.#kernel.views, ref);
    // What stands before a sample that is left out, or before one that comes from elsewhere, may be needed after all.
    const hasLate = this.#hasLate(ref);
    const isWhole = deleted === undefined && !hasLate;
    let all = noHistograms;
    if (this.#part !== "outOfOrder" && this.#hasEncoded(series, minTimestampMs))
      all = this.#readInOrderHistograms(series, minTimestampMs, maxTimestampMs, isWhole ? need : undefined);
    const late = { ref, minTimestampMs, maxTimestampMs };
    if (hasLate) all = mergeOutOfOrderHistograms(this.#kernel, late, this.#runData, all);
    if (all.length === 0) return all;
    const samples = cutHistograms(all, minTimestampMs, maxTimestampMs, deleted);
    return dropStale ? samples.filter(({ histogram }) => !histogram.isStale) : samples;
  }

  #readInOrderHistograms(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    need: HistogramNeed | undefined,
  ): readonly StoredHistogram[] {
    const ref = this.#refs[series]!;
    const dataOf = (chunk: number): Uint8Array | undefined =>
      this.#chunks.dataOf(this.#refs, series, chunk, minTimestampMs, maxTimestampMs);
    const range = [minTimestampMs, maxTimestampMs] as const;
    // Samples that are too new are left out below, so that the one before them is needed.
    const known = this.#snapshot.untilMs(ref) === Infinity ? need : undefined;
    let all = readHeadHistograms(this.#kernel, ref, ...range, dataOf, known);
    const untilMs = this.#snapshot.untilMs(ref);
    if (untilMs < Infinity && known !== undefined)
      all = readHeadHistograms(this.#kernel, ref, ...range, dataOf);
    return all.filter(({ timestampMs }) => timestampMs <= untilMs);
  }

  /** Whether samples of the series that came out of order are to be read: nearly no series has any. */
  #hasLate(ref: number): boolean {
    return this.#part !== "inOrder" && stateOf(this.#kernel.views, ref) !== 0;
  }

  /** Whether some chunks of the series are not the kernel's to decode. Asked for each kind of sample, so the last answer is kept. */
  #hasEncoded(series: number, minTimestampMs: number): boolean {
    if (series !== this.#askedSeries || minTimestampMs !== this.#askedMinMs) {
      this.#hadEncoded = hasEncodedChunks(this.#kernel, this.#refs[series]!, minTimestampMs);
      this.#askedSeries = series;
      this.#askedMinMs = minTimestampMs;
    }
    return this.#hadEncoded;
  }
}
