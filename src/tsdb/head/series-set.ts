import { assert } from "../../base/index.ts";
import { type BlockRunCopy, type Kernel, layout, type SeriesRun, type Snapshot } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import {
  type HistogramNeed,
  noHistograms,
  noStarts,
  type SampleColumns,
  type SeriesSet,
  type StartTimestamps,
  type StoredHistogram,
  type SymbolView,
} from "../../storage/index.ts";
import { dropIntervals } from "../block/columns.ts";
import type { RunSource } from "../block/head-block.ts";
import { cutHistograms } from "../block/histograms.ts";
import type { RankedSet } from "../block/series-labels.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";
import { OutOfOrderReader } from "../out-of-order/read.ts";
import { runDataOf } from "../out-of-order/run.ts";
import { InOrderReader } from "./in-order-reader.ts";
import type { LabelsCache } from "./labels-cache.ts";
import { putNewestFloat } from "./newest-sample.ts";
import type { SymbolRanks } from "../symbol-ranks.ts";
import type { SymbolReader } from "./symbols.ts";
import { deletedIntervals } from "./tombstones.ts";

/** Reader slot of the thread that writes. */
const writerSlot = 0;

/** Which samples of the head: those that came in order, the others, or all. */
export type HeadPart = "all" | "inOrder" | "outOfOrder";

/** Series of the head by ref and address of their labels: both stay good in the epoch, even when the writer removes the series. */
export class HeadSeriesSet implements SeriesSet, RunSource, RankedSet {
  readonly ranks: SymbolRanks | undefined;
  /** Made when somebody asks. */
  #symbols: SymbolView | undefined;
  readonly #kernel: Kernel;
  readonly #reader: SymbolReader;
  readonly #snapshot: Snapshot;
  readonly #inOrder: InOrderReader;
  readonly #late: OutOfOrderReader;
  readonly #part: HeadPart;
  readonly #labels: LabelsCache | undefined;
  readonly #refs: Uint32Array;
  readonly #labelsPtrs: Uint32Array;

  /** Labels are looked for in `labels`, if it is given. `ranks`: where the series are in the order of their labels. */
  constructor(
    kernel: Kernel,
    reader: SymbolReader,
    snapshot: Snapshot,
    chunks: HeadChunkReader,
    part: HeadPart,
    refs: Uint32Array,
    labelsPtrs: Uint32Array,
    labels?: LabelsCache,
    ranks?: SymbolRanks,
  ) {
    this.#kernel = kernel;
    this.#reader = reader;
    this.#snapshot = snapshot;
    this.#inOrder = new InOrderReader(kernel, snapshot, chunks, refs);
    this.#late = new OutOfOrderReader(kernel, runDataOf(kernel.views, chunks));
    this.#part = part;
    this.#labels = labels;
    this.ranks = ranks;
    this.#refs = refs;
    this.#labelsPtrs = labelsPtrs;
  }

  get symbols(): SymbolView {
    const reader = this.#reader;
    return (this.#symbols ??= {
      text: (symbol) => reader.text(symbol),
      find: (text) => reader.find(text) || undefined,
    });
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
    if (this.#part !== "outOfOrder")
      count = this.#inOrder.floatCountMax(series, minTimestampMs, maxTimestampMs);
    if (this.#hasLate(ref)) count += this.#late.floatCountMax({ ref, minTimestampMs, maxTimestampMs });
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
    const { views } = this.#kernel;
    let count = 0;
    if (this.#part !== "outOfOrder")
      count = this.#inOrder.readFloats(series, minTimestampMs, maxTimestampMs, dropStale, columns);
    if (this.#hasLate(ref)) {
      const late = { ref, minTimestampMs, maxTimestampMs };
      count = this.#late.mergeFloats(late, dropStale, columns, count);
    }
    const deleted = deletedIntervals(views, ref);
    return deleted === undefined ? count : dropIntervals(views, { ...columns, count }, deleted);
  }

  readRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number {
    if (this.#part !== "all") return 0;
    return this.#inOrder.readRun(first, minTimestampMs, maxTimestampMs, dropStale, run);
  }

  readNewest(series: number, minTimestampMs: number, maxTimestampMs: number, columns: SampleColumns): 0 | 1 {
    const kernel = this.#kernel;
    const ref = this.#refs[series]!;
    const isPlain =
      kernel.readerSlot === writerSlot &&
      this.#part === "all" &&
      !this.#inOrder.hasEncoded(series, minTimestampMs) &&
      !this.#hasLate(ref) &&
      deletedIntervals(kernel.views, ref) === undefined &&
      this.#snapshot.untilMs(ref) === Infinity;
    return isPlain && putNewestFloat(kernel, ref, minTimestampMs, maxTimestampMs, columns) ? 1 : 0;
  }

  readStarts(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps {
    const range = { ref: this.#refs[series]!, minTimestampMs, maxTimestampMs };
    const late = this.#hasLate(range.ref) ? this.#late.starts(range) : [];
    const inOrder =
      this.#part === "outOfOrder" ? noStarts : this.#inOrder.starts(series, minTimestampMs, maxTimestampMs);
    // In this order: of samples at the same time the one that came in order stays.
    return late.length === 0 ? inOrder : new Map([...late, ...inOrder]);
  }

  /** Deleted samples, and those that came out of order, are to be found by reading. */
  copyRun(first: number, minTimestampMs: number, maxTimestampMs: number, copy: BlockRunCopy): number {
    if (this.#part === "outOfOrder") return 0;
    const { views } = this.#kernel;
    const hasTombstones = Atomics.load(views.u32, layout.headWord.tombstones >>> 2) !== 0;
    const isAlone = (ref: number): boolean =>
      (hasTombstones && deletedIntervals(views, ref) !== undefined) ||
      (this.#hasLate(ref) && this.#late.overlaps({ ref, minTimestampMs, maxTimestampMs }));
    return this.#inOrder.copyRun(first, minTimestampMs, maxTimestampMs, isAlone, copy);
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
    const ofAll = deleted === undefined && !hasLate ? need : undefined;
    let all = noHistograms;
    if (this.#part !== "outOfOrder")
      all = this.#inOrder.histograms(series, minTimestampMs, maxTimestampMs, ofAll);
    if (hasLate) all = this.#late.mergeHistograms({ ref, minTimestampMs, maxTimestampMs }, all);
    if (all.length === 0) return all;
    const samples = cutHistograms(all, minTimestampMs, maxTimestampMs, deleted);
    return dropStale ? samples.filter(({ histogram }) => !histogram.isStale) : samples;
  }

  /** Whether samples of the series that came out of order are to be read: nearly no series has any. */
  #hasLate(ref: number): boolean {
    return this.#part !== "inOrder" && this.#late.has(ref);
  }
}
