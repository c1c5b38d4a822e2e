import { assert, NarthexError } from "../../base/index.ts";
import { layout } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type {
  HistogramNeed,
  SampleColumns,
  SeriesSet,
  StartTimestamps,
  StoredHistogram,
  SymbolView,
} from "../../storage/index.ts";
import type { Block } from "./block.ts";
import type { ChunkWindow } from "./chunk-window.ts";
import { dropIntervals, dropStaleMarkers, keepRange } from "./columns.ts";
import { BlockDamagedError, type BlockNotices } from "./damage.ts";
import { cutHistograms } from "./histograms.ts";
import { SeriesEntry } from "./series-entry.ts";
import { isDeleted } from "./tombstones.ts";

/**
 * Series of a block by ref. A series is read from the index when it is asked for, and its chunks when its samples are. A damaged series has no
 * labels and no samples, a damaged chunk no samples; both are noticed.
 */
export class BlockSeriesSet implements SeriesSet {
  readonly symbols: SymbolView;
  readonly #block: Block;
  readonly #window: ChunkWindow;
  readonly #notices: BlockNotices;
  readonly #refs: Uint32Array;
  readonly #entry = new SeriesEntry();
  #loaded = -1;

  constructor(block: Block, window: ChunkWindow, notices: BlockNotices, refs: Uint32Array) {
    const { symbols } = block.index;
    this.symbols = { text: (symbol) => symbols.text(symbol), find: (text) => symbols.find(text) };
    this.#block = block;
    this.#window = window;
    this.#notices = notices;
    this.#refs = refs;
  }

  get length(): number {
    return this.#refs.length;
  }

  labelSymbols(series: number): Uint32Array {
    const entry = this.#load(series);
    return entry.symbols.subarray(0, 2 * entry.labelCount);
  }

  labels(series: number): Labels {
    return Labels.fromSortedPairs(
      Array.from(this.labelSymbols(series), (symbol) => this.symbols.text(symbol)),
    );
  }

  sampleCountMax(series: number, minTimestampMs: number, maxTimestampMs: number): number {
    let count = 0;
    this.#forEachChunk(series, minTimestampMs, maxTimestampMs, () => (count += this.#floatCount()));
    return count;
  }

  read(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const { views } = this.#block.context.kernel;
    const intervals = this.#block.tombstones.of(this.#refs[series]!);
    let count = 0;
    this.#forEachChunk(series, minTimestampMs, maxTimestampMs, (chunk) => {
      this.#window.verify();
      if (!this.#isFloat()) return;
      const capacity = columns.capacity - count;
      const needed = this.#floatCount();
      if (needed > capacity)
        throw new NarthexError(
          "internal",
          `columns hold ${columns.capacity} samples, ${count + needed} are needed`,
        );
      const timestamps = columns.timestamps + 8 * count;
      const values = columns.values + 8 * count;
      let kept = this.#window.decode({ timestamps, values, capacity });
      const isWhole =
        this.#entry.minTimesMs[chunk]! >= minTimestampMs && this.#entry.maxTimesMs[chunk]! <= maxTimestampMs;
      if (!isWhole)
        kept = keepRange(views, { timestamps, values, count: kept }, minTimestampMs, maxTimestampMs);
      if (intervals !== undefined)
        kept = dropIntervals(views, { timestamps, values, count: kept }, intervals);
      if (dropStale) kept = dropStaleMarkers(views, { timestamps, values, count: kept });
      count += kept;
    });
    return count;
  }

  readHistograms(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    need?: HistogramNeed,
  ): readonly StoredHistogram[] {
    const intervals = this.#block.tombstones.of(this.#refs[series]!);
    const samples: StoredHistogram[] = [];
    this.#forEachChunk(series, minTimestampMs, maxTimestampMs, () => {
      if (this.#window.codec?.kind !== "histogram") return;
      this.#window.verify();
      // What stands before a deleted sample may be needed after all.
      const decoded = this.#window.decodeHistograms(intervals === undefined ? need : undefined);
      for (const sample of cutHistograms(decoded, minTimestampMs, maxTimestampMs, intervals)) {
        if (!dropStale || !sample.histogram.isStale) samples.push(sample);
      }
    });
    return samples;
  }

  readStarts(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps {
    const starts = new Map<number, number>();
    this.#forEachChunk(series, minTimestampMs, maxTimestampMs, () => {
      if (this.#window.codec?.floatEncoding !== layout.chunkEncodingXor2) return;
      this.#window.verify();
      for (const [timestampMs, startMs] of this.#window.decodeStarts()) starts.set(timestampMs, startMs);
    });
    return starts;
  }

  /** Calls with each chunk that may hold samples of the range, once it is in the window. */
  #forEachChunk(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    visit: (chunk: number) => void,
  ): void {
    const entry = this.#load(series);
    const intervals = this.#block.tombstones.of(this.#refs[series]!);
    const from = entry.firstChunkFrom(minTimestampMs);
    let to = from;
    while (to < entry.chunkCount && entry.minTimesMs[to]! <= maxTimestampMs) to++;
    for (let chunk = from; chunk < to; chunk++) {
      if (intervals !== undefined && isDeleted(intervals, entry.minTimesMs[chunk]!, entry.maxTimesMs[chunk]!))
        continue;
      try {
        this.#window.find(entry.chunkRefs[chunk]!, entry.chunkRefs[to - 1]!);
        visit(chunk);
      } catch (error) {
        if (!(error instanceof BlockDamagedError)) throw error;
        this.#notices.damaged(error);
      }
    }
  }

  #floatCount(): number {
    return this.#window.codec?.floatEncoding === undefined ? 0 : this.#window.sampleCount;
  }

  /** Whether the chunk in the window holds floats; others are read as histograms. */
  #isFloat(): boolean {
    const { codec, encoding } = this.#window;
    if (codec === undefined) this.#window.fail(`chunk encoding ${encoding} is unknown`);
    return codec.kind === "float";
  }

  #load(series: number): SeriesEntry {
    if (series === this.#loaded) return this.#entry;
    const ref = this.#refs[series];
    assert(ref !== undefined, `series ${series} is in the set`);
    this.#loaded = -1;
    try {
      this.#block.index.readSeries(ref, this.#entry);
    } catch (error) {
      if (!(error instanceof BlockDamagedError)) throw error;
      this.#notices.damaged(error);
      this.#entry.clear();
    }
    this.#loaded = series;
    return this.#entry;
  }
}
