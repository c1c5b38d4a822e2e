import { assert } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { type Histogram, Labels, type Matcher, compareStrings } from "../../model/index.ts";
import type {
  StoredHistogram,
  Querier,
  Queryable,
  SampleColumns,
  SelectHints,
  SeriesSet,
  SymbolView,
} from "../../storage/index.ts";

interface StoredSeries {
  readonly labels: Labels;
  readonly timestamps: number[];
  /** Bits, so that stale markers survive. */
  readonly values: bigint[];
  readonly histograms: StoredHistogram[];
}

const staleBits = 0x7ff0000000000002n;
const converter = new DataView(new ArrayBuffer(8));

/** A storage of plain arrays, for tests of what reads through the storage interfaces. */
export class MemoryStorage implements Queryable {
  readonly #kernel: Kernel;
  readonly #series = new Map<string, StoredSeries>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  clear(): void {
    this.#series.clear();
  }

  /** Adds a sample; samples of a series come in the order of their times. */
  append(labels: Labels, timestampMs: number, value: number | "stale"): void {
    const series = this.#seriesOf(labels);
    const lastMs = series.timestamps.at(-1) ?? -Infinity;
    assert(timestampMs >= lastMs, "samples in order");
    if (timestampMs === lastMs) {
      series.timestamps.pop();
      series.values.pop();
    }
    series.timestamps.push(timestampMs);
    if (value === "stale") series.values.push(staleBits);
    else {
      converter.setFloat64(0, value);
      series.values.push(converter.getBigUint64(0));
    }
  }

  /** Adds a sample that is a native histogram; they come in the order of their times. */
  appendHistogram(labels: Labels, timestampMs: number, histogram: Histogram): void {
    const { histograms } = this.#seriesOf(labels);
    assert(timestampMs > (histograms.at(-1)?.timestampMs ?? -Infinity), "samples in order");
    histograms.push({ timestampMs, histogram, kind: "float", startTimestampMs: 0 });
  }

  #seriesOf(labels: Labels): StoredSeries {
    const key = labels.key();
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, timestamps: [], values: [], histograms: [] };
      this.#series.set(key, series);
    }
    return series;
  }

  querier(): Querier {
    const select = (matchers: readonly Matcher[], hints: SelectHints): StoredSeries[] =>
      [...this.#series.values()].filter(({ labels, timestamps, histograms }) => {
        if (!matchers.every((matcher) => matcher.matches(labels.get(matcher.name)))) return false;
        if (hints.shard !== undefined && shardOf(labels, hints.shard.count) !== hints.shard.index)
          return false;
        const all = [...timestamps, ...histograms.map(({ timestampMs }) => timestampMs)];
        return all.some((timeMs) => timeMs >= hints.minTimestampMs && timeMs <= hints.maxTimestampMs);
      });
    const names = (series: StoredSeries[], pick: (labels: Labels) => Iterable<string>): string[] =>
      [...new Set(series.flatMap(({ labels }) => [...pick(labels)]))].sort(compareStrings);
    return {
      select: (matchers, hints, sorted) => {
        const series = select(matchers, hints);
        if (sorted) series.sort((a, b) => a.labels.compare(b.labels));
        return new MemorySet(this.#kernel, series);
      },
      labelNames: (matchers, hints) =>
        names(select(matchers, hints), (labels) => [...labels].map(([name]) => name)),
      labelValues: (name, matchers, hints) =>
        names(select(matchers, hints), (labels) => (labels.has(name) ? [labels.get(name)] : [])),
      seriesCountMax: (matchers) =>
        select(matchers, { minTimestampMs: -Infinity, maxTimestampMs: Infinity }).length,
      close: () => {},
    };
  }
}

/** Any hash will do that leaves out the labels that describe a metric. */
function shardOf(labels: Labels, count: number): number {
  let hash = 0;
  for (const unit of labels.without("__name__", "__type__", "__unit__").key())
    hash = (Math.imul(hash, 31) + unit.codePointAt(0)!) >>> 0;
  return hash % count;
}

class MemorySet implements SeriesSet {
  readonly #kernel: Kernel;
  readonly #series: readonly StoredSeries[];
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly symbols: SymbolView = {
    text: (symbol) => this.#texts[symbol]!,
    find: (text) => this.#numbers.get(text),
  };

  constructor(kernel: Kernel, series: readonly StoredSeries[]) {
    this.#kernel = kernel;
    this.#series = series;
    for (const { labels } of series) for (const text of labels.pairs) this.#symbol(text);
  }

  get length(): number {
    return this.#series.length;
  }

  labelSymbols(series: number): Uint32Array {
    return Uint32Array.from(this.labels(series).pairs, (text) => this.#symbol(text));
  }

  labels(series: number): Labels {
    return this.#series[series]!.labels;
  }

  sampleCountMax(series: number): number {
    return this.#series[series]!.timestamps.length;
  }

  read(series: number, minMs: number, maxMs: number, dropStale: boolean, columns: SampleColumns): number {
    const { timestamps, values } = this.#series[series]!;
    const { f64, u64 } = this.#kernel.views;
    let count = 0;
    timestamps.forEach((timestampMs, i) => {
      if (timestampMs < minMs || timestampMs > maxMs) return;
      if (dropStale && values[i] === staleBits) return;
      f64[columns.timestamps / 8 + count] = timestampMs;
      u64[columns.values / 8 + count] = values[i]!;
      count++;
    });
    return count;
  }

  readHistograms(series: number, minMs: number, maxMs: number, dropStale: boolean): StoredHistogram[] {
    return this.#series[series]!.histograms.filter(
      ({ timestampMs, histogram }) =>
        timestampMs >= minMs && timestampMs <= maxMs && !(dropStale && histogram.isStale),
    );
  }

  #symbol(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}
