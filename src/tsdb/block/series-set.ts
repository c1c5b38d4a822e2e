import { assert, NarthexError } from "../../base/index.ts";
import { layout, runSeries, type SeriesRun } from "../../kernel/index.ts";
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
import { dropIntervals, keepRange, samplesIn } from "./columns.ts";
import { BlockDamagedError, type BlockNotices } from "./damage.ts";
import { cutHistograms } from "./histograms.ts";
import { SeriesEntry } from "./series-entry.ts";
import { isDeleted } from "./tombstones.ts";

/** Chunks of the series that is loaded, by their numbers: from the first to the one behind the last. */
interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

/** Takes chunks from `refs[from]` on and before `refs[to]`. Returns how many, up to one that has to be looked at by itself. */
type TakeRun = (refs: Float64Array, from: number, to: number) => number;

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
    const takeRun: TakeRun = (refs, from, to) => {
      const { chunks, samples } = this.#window.countFloats(refs, from, to);
      count += samples;
      return chunks;
    };
    const range = this.#chunksIn(series, minTimestampMs, maxTimestampMs);
    this.#forEachChunk(range, () => (count += this.#floatCount()), takeRun);
    return count;
  }

  read(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const { kernel } = this.#block.context;
    const range = this.#chunksIn(series, minTimestampMs, maxTimestampMs);
    const { timestamps, values } = columns;
    let count = this.#decode(range, columns);
    if (!this.#areWithin(range, minTimestampMs, maxTimestampMs))
      count = keepRange(kernel.views, { timestamps, values, count }, minTimestampMs, maxTimestampMs);
    const intervals = this.#block.tombstones.of(this.#refs[series]!);
    if (intervals !== undefined)
      count = dropIntervals(kernel.views, { timestamps, values, count }, intervals);
    return dropStale ? kernel.dropStaleMarkers(timestamps, values, count) : count;
  }

  readRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number {
    const { kernel } = this.#block.context;
    const seriesMax = Math.min(run.seriesMax, this.length - first);
    let used = 0;
    for (let i = 0; i < seriesMax; i++) {
      const range = this.#chunksIn(first + i, minTimestampMs, maxTimestampMs);
      const rest = offsetColumns(run, used);
      const decoded = this.#decodePlain(range, rest);
      if (decoded === undefined || this.#block.tombstones.of(this.#refs[first + i]!) !== undefined) return i;
      const slice = { ...rest, count: decoded };
      const { from, count } = samplesIn(kernel.views, slice, minTimestampMs, maxTimestampMs);
      const [timestamps, values] = [rest.timestamps + 8 * from, rest.values + 8 * from];
      const samples = dropStale ? kernel.dropStaleMarkers(timestamps, values, count) : count;
      const entry = (run.tablePtr + i * runSeries.bytes) >>> 2;
      kernel.views.u32[entry + runSeries.first / 4] = used + from;
      kernel.views.u32[entry + runSeries.samples / 4] = samples;
      used += from + samples;
    }
    return seriesMax;
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
    this.#forEachChunk(this.#chunksIn(series, minTimestampMs, maxTimestampMs), () => {
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
    this.#forEachChunk(this.#chunksIn(series, minTimestampMs, maxTimestampMs), () => {
      if (this.#window.codec?.floatEncoding !== layout.chunkEncodingXor2) return;
      this.#window.verify();
      for (const [timestampMs, startMs] of this.#window.decodeStarts()) starts.set(timestampMs, startMs);
    });
    return starts;
  }

  /** As `#decode`, of chunks that are all of floats and sound; undefined when one is not, or there is no room. */
  #decodePlain({ from, to }: ChunkRange, columns: SampleColumns): number | undefined {
    const { chunkRefs } = this.#entry;
    let needed = 0;
    for (let chunk = from; chunk < to;) {
      const { chunks, samples } = this.#window.countFloats(chunkRefs, chunk, to);
      needed += samples;
      if (chunks === 0 || needed > columns.capacity) return undefined;
      chunk += chunks;
    }
    let count = 0;
    for (let chunk = from; chunk < to;) {
      const rest = offsetColumns(columns, count);
      const { chunks, samples } = this.#window.decodeFloats(chunkRefs, chunk, to, rest);
      if (chunks === 0) return undefined;
      count += samples;
      chunk += chunks;
    }
    return count;
  }

  /** Puts all floats of the chunks into columns. Returns how many. */
  #decode(range: ChunkRange, columns: SampleColumns): number {
    let count = 0;
    const takeRun: TakeRun = (refs, from, to) => {
      const { chunks, samples } = this.#window.decodeFloats(refs, from, to, offsetColumns(columns, count));
      count += samples;
      return chunks;
    };
    const take = (): void => {
      this.#window.verify();
      if (!this.#isFloat()) return;
      const needed = count + this.#floatCount();
      if (needed > columns.capacity)
        throw new NarthexError("internal", `columns hold ${columns.capacity} samples, ${needed} are needed`);
      count += this.#window.decode(offsetColumns(columns, count));
    };
    this.#forEachChunk(range, take, takeRun);
    return count;
  }

  /** The chunks of a series that may hold samples of the range; the series is loaded then. */
  #chunksIn(series: number, minTimestampMs: number, maxTimestampMs: number): ChunkRange {
    const entry = this.#load(series);
    const from = entry.firstChunkFrom(minTimestampMs);
    let to = from;
    while (to < entry.chunkCount && entry.minTimesMs[to]! <= maxTimestampMs) to++;
    return { from, to };
  }

  /** Whether the index says that the chunks have no samples outside of the times. */
  #areWithin({ from, to }: ChunkRange, minTimestampMs: number, maxTimestampMs: number): boolean {
    const { minTimesMs, maxTimesMs } = this.#entry;
    return from === to || (minTimesMs[from]! >= minTimestampMs && maxTimesMs[to - 1]! <= maxTimestampMs);
  }

  /** Calls with each chunk of the range once it is in the window: one by one, or those alone that `takeRun` does not take. */
  #forEachChunk({ from, to }: ChunkRange, take: () => void, takeRun?: TakeRun): void {
    const { ref, chunkRefs, minTimesMs, maxTimesMs } = this.#entry;
    const intervals = this.#block.tombstones.of(ref);
    const isGone = (chunk: number): boolean =>
      intervals !== undefined && isDeleted(intervals, minTimesMs[chunk]!, maxTimesMs[chunk]!);
    for (let chunk = from; chunk < to; chunk++) {
      if (isGone(chunk)) continue;
      try {
        if (takeRun !== undefined) {
          let end = chunk + 1;
          while (end < to && !isGone(end)) end++;
          chunk += takeRun(chunkRefs, chunk, end);
          if (chunk >= end) {
            chunk--;
            continue;
          }
        }
        this.#window.find(chunkRefs[chunk]!, chunkRefs[to - 1]!);
        take();
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

function offsetColumns(
  { timestamps, values, capacity }: Omit<SampleColumns, "count">,
  count: number,
): SampleColumns {
  return { timestamps: timestamps + 8 * count, values: values + 8 * count, capacity: capacity - count };
}
