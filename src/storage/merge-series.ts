import type { Kernel } from "../kernel/index.ts";
import { compareStrings, Labels } from "../model/index.ts";
import { mergeRuns, putRun, type SampleRun } from "./merge-columns.ts";
import { mergeHistograms } from "./merge-histograms.ts";
import type {
  HistogramNeed,
  SampleColumns,
  SelectHints,
  SeriesSet,
  StartTimestamps,
  StoredHistogram,
  SymbolView,
} from "./storage.ts";

const none = 0xffffffff;

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

/** One numbering of the strings of several sets. */
class MergedSymbols implements SymbolView {
  readonly #views: readonly SymbolView[];
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Per set: its number of a string → ours. */
  readonly #translations: Map<number, number>[];
  #buffer = new Uint32Array(64);

  constructor(views: readonly SymbolView[]) {
    this.#views = views;
    this.#translations = views.map(() => new Map());
  }

  text(symbol: number): string {
    return this.#texts[symbol]!;
  }

  find(text: string): number | undefined {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    // Sets may hold strings of series that nobody has looked at yet.
    return this.#views.some((view) => view.find(text) !== undefined) ? this.#number(text) : undefined;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Symbols of a set in our numbers; good until the next call. */
  translate(child: number, symbols: Uint32Array): Uint32Array {
    if (symbols.length > this.#buffer.length) this.#buffer = new Uint32Array(symbols.length * 2);
    const translation = this.#translations[child]!;
    for (let i = 0; i < symbols.length; i++) {
      const symbol = symbols[i]!;
      let number = translation.get(symbol);
      if (number === undefined) {
        number = this.#number(this.#views[child]!.text(symbol));
        translation.set(symbol, number);
      }
      this.#buffer[i] = number;
    }
    return this.#buffer.subarray(0, symbols.length);
  }

  /** By number: the place of its string among all strings, in their order. */
  ranks(): Uint32Array {
    const texts = this.#texts;
    const ordered = Uint32Array.from(texts.keys()).sort((a, b) => compareStrings(texts[a]!, texts[b]!));
    const ranks = new Uint32Array(ordered.length);
    ordered.forEach((symbol, rank) => (ranks[symbol] = rank));
    return ranks;
  }

  #number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** Label sets, each once, with the series of the children that have it: typed arrays, as there may be very many. */
class SeriesTable {
  count = 0;
  /** By series: where its labels begin in `#labels`; one more for the end. */
  #starts = new Uint32Array(1025);
  #labels = new Uint32Array(16_384);
  /** By series: its first part. By part: child, series there, next part of the same series. */
  #firstParts = new Uint32Array(1024);
  #parts = new Uint32Array(3 * 1024);
  #partCount = 0;
  /** Open addressing, at most half full. */
  #slots = new Uint32Array(2048).fill(none);

  add(labels: Uint32Array, child: number, childSeries: number): void {
    const slot = this.#slot(labels);
    let series = this.#slots[slot]!;
    if (series === none) {
      series = this.#create(labels);
      this.#slots[slot] = series;
      if (this.count * 2 > this.#slots.length) this.#rehash();
    }
    this.#addPart(series, child, childSeries);
  }

  labels(series: number): Uint32Array {
    return this.#labels.subarray(this.#starts[series], this.#starts[series + 1]);
  }

  /** Calls with the parts of a series in the order of the children. */
  forEachPart(series: number, visit: (child: number, childSeries: number) => void): void {
    for (let part = this.#firstParts[series]!; part !== none; part = this.#parts[3 * part + 2]!)
      visit(this.#parts[3 * part]!, this.#parts[3 * part + 1]!);
  }

  /** The series in the order of their labels. */
  order(symbols: MergedSymbols): Uint32Array {
    const ranks = symbols.ranks();
    const labels = this.#labels;
    const starts = this.#starts;
    return Uint32Array.from({ length: this.count }, (_, series) => series).sort((a, b) => {
      let atA = starts[a]!;
      let atB = starts[b]!;
      const endA = starts[a + 1]!;
      const endB = starts[b + 1]!;
      for (; atA < endA && atB < endB; atA++, atB++)
        if (labels[atA] !== labels[atB]) return ranks[labels[atA]!]! - ranks[labels[atB]!]!;
      return endA - atA - (endB - atB);
    });
  }

  #create(labels: Uint32Array): number {
    const series = this.count++;
    if (series === this.#firstParts.length) {
      this.#firstParts = grown(this.#firstParts);
      this.#starts = grown(this.#starts);
    }
    const start = this.#starts[series]!;
    if (start + labels.length > this.#labels.length) this.#labels = grown(this.#labels, labels.length);
    this.#labels.set(labels, start);
    this.#starts[series + 1] = start + labels.length;
    this.#firstParts[series] = none;
    return series;
  }

  #addPart(series: number, child: number, childSeries: number): void {
    const part = this.#partCount++;
    if (3 * part === this.#parts.length) this.#parts = grown(this.#parts);
    this.#parts[3 * part] = child;
    this.#parts[3 * part + 1] = childSeries;
    this.#parts[3 * part + 2] = none;
    let last = this.#firstParts[series]!;
    if (last === none) {
      this.#firstParts[series] = part;
      return;
    }
    while (this.#parts[3 * last + 2] !== none) last = this.#parts[3 * last + 2]!;
    this.#parts[3 * last + 2] = part;
  }

  /** Where the label set is, or would go. */
  #slot(labels: Uint32Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(labels) & mask; ; slot = (slot + 1) & mask) {
      const series = this.#slots[slot]!;
      if (series === none || this.#equals(series, labels)) return slot;
    }
  }

  #equals(series: number, labels: Uint32Array): boolean {
    const start = this.#starts[series]!;
    if (this.#starts[series + 1]! - start !== labels.length) return false;
    for (let i = 0; i < labels.length; i++) if (this.#labels[start + i] !== labels[i]) return false;
    return true;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length).fill(none);
    for (let series = 0; series < this.count; series++) this.#slots[this.#slot(this.labels(series))] = series;
  }
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

function hashOf(labels: Uint32Array): number {
  let hash = labels.length;
  for (const symbol of labels) hash = Math.imul(hash ^ symbol, 0x9e3779b1) ^ (hash >>> 15);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function grown(array: Uint32Array<ArrayBuffer>, atLeast = 0): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2 + atLeast);
  larger.set(array);
  return larger;
}
