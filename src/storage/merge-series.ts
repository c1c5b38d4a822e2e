import { type Kernel, runSeries, type SeriesRun } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { mergeRuns, putRun, type SampleRun } from "./merge-columns.ts";
import { mergeHistograms } from "./merge-histograms.ts";
import { MergedSymbols } from "./merged-symbols.ts";
import { SeriesTable } from "./merged-table.ts";
import type {
  HistogramNeed,
  SampleColumns,
  SelectHints,
  SeriesSet,
  StartTimestamps,
  StoredHistogram,
  SymbolView,
} from "./storage.ts";

/** The series of several sets as one set, sorted when asked. */
export function mergeSeries(
  kernel: Kernel,
  sets: readonly SeriesSet[],
  { limit }: SelectHints,
  sorted: boolean,
): SeriesSet {
  const symbols = new MergedSymbols(sets.map((set) => set.symbols));
  const table = new SeriesTable();
  sets.forEach((set, child) => {
    for (let series = 0; series < set.length; series++) {
      const labels = set.labelSymbols(series);
      // Without labels is only what could not be read.
      if (labels.length > 0) table.add(symbols.translate(child, labels), child, series);
    }
  });
  const order = sorted ? table.order(symbols) : Uint32Array.from({ length: table.count }, (_, i) => i);
  const length = limit !== undefined && limit > 0 ? Math.min(limit, order.length) : order.length;
  return new MergedSeriesSet(kernel, sets, symbols, table, order.subarray(0, length));
}

/** The sets' series under one numbering. Samples of a series come from every set that has it. */
class MergedSeriesSet implements SeriesSet {
  readonly symbols: SymbolView;
  readonly #kernel: Kernel;
  readonly #sets: readonly SeriesSet[];
  readonly #table: SeriesTable;
  readonly #order: Uint32Array;

  constructor(
    kernel: Kernel,
    sets: readonly SeriesSet[],
    symbols: SymbolView,
    table: SeriesTable,
    order: Uint32Array,
  ) {
    this.#kernel = kernel;
    this.#sets = sets;
    this.symbols = symbols;
    this.#table = table;
    this.#order = order;
  }

  get length(): number {
    return this.#order.length;
  }

  labelSymbols(series: number): Uint32Array {
    return this.#table.labels(this.#order[series]!);
  }

  labels(series: number): Labels {
    return Labels.fromSortedPairs(
      Array.from(this.labelSymbols(series), (symbol) => this.symbols.text(symbol)),
    );
  }

  sampleCountMax(series: number, minTimestampMs: number, maxTimestampMs: number): number {
    let count = 0;
    this.#table.forEachPart(this.#order[series]!, (child, part) => {
      count += this.#sets[child]!.sampleCountMax(part, minTimestampMs, maxTimestampMs);
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
    const range = [minTimestampMs, maxTimestampMs] as const;
    let parts = 0;
    this.#table.forEachPart(this.#order[series]!, () => parts++);
    // What lies between the samples of one part may be another's.
    const ofPart = parts === 1 ? need : undefined;
    let merged: readonly StoredHistogram[] = [];
    this.#table.forEachPart(this.#order[series]!, (child, part) => {
      const run = this.#sets[child]!.readHistograms?.(part, ...range, dropStale, ofPart) ?? [];
      merged = mergeHistograms(merged, run);
    });
    return merged;
  }

  readStarts(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps {
    const merged = new Map<number, number>();
    this.#table.forEachPart(this.#order[series]!, (child, part) => {
      const starts = this.#sets[child]!.readStarts?.(part, minTimestampMs, maxTimestampMs) ?? [];
      for (const [timestampMs, startMs] of starts)
        if (!merged.has(timestampMs)) merged.set(timestampMs, startMs);
    });
    return merged;
  }

  read(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const { f64 } = this.#kernel.views;
    let count = 0;
    let isInOrder = true;
    // Mostly one part ends before the next begins: then they are simply read one behind the other.
    this.#table.forEachPart(this.#order[series]!, (child, part) => {
      if (!isInOrder) return;
      const rest = offsetColumns(columns, count);
      const set = this.#sets[child]!;
      const added = set.read(part, minTimestampMs, maxTimestampMs, dropStale, rest);
      if (added > 0 && count > 0) isInOrder = f64[rest.timestamps / 8 - 1]! < f64[rest.timestamps / 8]!;
      count += added;
    });
    return isInOrder ? count : this.#readMerged(series, minTimestampMs, maxTimestampMs, dropStale, columns);
  }

  readRun(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number {
    const { u32 } = this.#kernel.views;
    const seriesMax = Math.min(run.seriesMax, this.length - first);
    let used = 0;
    for (let i = 0; i < seriesMax; i++) {
      const tablePtr = run.tablePtr + i * runSeries.bytes;
      const rest = { ...offsetColumns(run, used), tablePtr, seriesMax: 1 };
      const slice = this.#readPlain(first + i, minTimestampMs, maxTimestampMs, dropStale, rest);
      if (slice === undefined) return i;
      u32[(tablePtr + runSeries.first) >>> 2] = used + slice.from;
      u32[(tablePtr + runSeries.samples) >>> 2] = slice.count;
      used += slice.from + slice.count;
    }
    return seriesMax;
  }

  /** Reads the parts of a series one behind the other. Returns where its samples are in the columns; undefined when they are not that plain. */
  #readPlain(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): { from: number; count: number } | undefined {
    const { f64, u8, u32 } = this.#kernel.views;
    let [from, count, isPlain] = [0, 0, true];
    this.#table.forEachPart(this.#order[series]!, (child, part) => {
      if (!isPlain) return;
      const rest = { ...run, ...offsetColumns(run, from + count) };
      const read = this.#sets[child]!.readRun?.(part, minTimestampMs, maxTimestampMs, dropStale, rest);
      isPlain = read === 1;
      const skipped = u32[(run.tablePtr + runSeries.first) >>> 2]!;
      const added = u32[(run.tablePtr + runSeries.samples) >>> 2]!;
      if (!isPlain || added === 0) return;
      if (count === 0) from += skipped;
      else {
        for (const column of [rest.timestamps, rest.values])
          u8.copyWithin(column, column + 8 * skipped, column + 8 * (skipped + added));
        isPlain = f64[rest.timestamps / 8 - 1]! < f64[rest.timestamps / 8]!;
      }
      count += added;
    });
    return isPlain ? { from, count } : undefined;
  }

  #readMerged(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number {
    const { scratch, views } = this.#kernel;
    const mark = scratch.mark();
    try {
      let merged: SampleRun = { timestamps: 0, values: 0, count: 0 };
      this.#table.forEachPart(this.#order[series]!, (child, part) => {
        const set = this.#sets[child]!;
        const capacity = set.sampleCountMax(part, minTimestampMs, maxTimestampMs);
        const run = { ...allocate(this.#kernel, capacity), capacity };
        const count = set.read(part, minTimestampMs, maxTimestampMs, dropStale, run);
        const out = allocate(this.#kernel, merged.count + count);
        merged = { ...out, count: mergeRuns(views, merged, { ...run, count }, out) };
      });
      return putRun(views, merged, columns);
    } finally {
      scratch.release(mark);
    }
  }
}

function offsetColumns({ timestamps, values, capacity }: SampleColumns, count: number): SampleColumns {
  return { timestamps: timestamps + 8 * count, values: values + 8 * count, capacity: capacity - count };
}

function allocate({ scratch }: Kernel, samples: number): { timestamps: number; values: number } {
  return { timestamps: scratch.allocate(8 * samples), values: scratch.allocate(8 * samples) };
}
