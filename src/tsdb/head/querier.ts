import { assert, type Disk, systemDisk } from "../../base/index.ts";
import { type Kernel, layout, type Snapshot } from "../../kernel/index.ts";
import { compareStrings, type Matcher } from "../../model/index.ts";
import { BlockNotices } from "../block/damage.ts";
import { HeadChunkFiles, HeadChunkReader } from "../head-chunks/index.ts";
import type { Querier, Queryable, SelectHints, SeriesSet } from "../../storage/index.ts";
import type { SymbolRanks } from "../symbol-ranks.ts";
import { LabelIndexReader } from "./label-index.ts";
import { createLabelsCache, type LabelsCache } from "./labels-cache.ts";
import { SelectionCache, selectionSeriesMax } from "./selection-cache.ts";
import { labelValue, SeriesSelector } from "./select.ts";
import { PresenceFilter, type PresentSeries } from "./present-series.ts";
import { type HeadPart, HeadSeriesSet } from "./series-set.ts";
import { sortedOrder } from "./sorted-order.ts";
import { SymbolReader, SymbolTexts } from "./symbols.ts";

export interface HeadQueryableParts {
  /** Restricts it to some series by their refs, for `select`. */
  among?: Uint32Array | undefined;
  /** Default: all. */
  part?: HeadPart;
  /** How much of its files is read at a time for series that are read one after the other. Default: 1 MiB. */
  aheadBytesMax?: number;
  /** Where the head's files are read from. Default: the system's. */
  disk?: Disk;
  /** Hear of what is damaged in those and left out. */
  notices?: BlockNotices;
}

/** The head of one thread; `close` closes the files it has open. */
export interface HeadQueryable extends Queryable {
  close(): void;
}

/** The head as any thread can query it, from the shared memory and the files of `chunks_head`. */
export function createHeadQueryable(kernel: Kernel, parts: HeadQueryableParts = {}): HeadQueryable {
  const only = parts.among && new Set(parts.among);
  const texts = new SymbolTexts();
  const selections = new SelectionCache(kernel);
  const labels = createLabelsCache();
  const notices = parts.notices ?? new BlockNotices();
  const files = new HeadChunkFiles(kernel, parts.disk ?? systemDisk);
  return {
    querier: (minTimestampMs, maxTimestampMs, snapshot) =>
      new HeadQuerier(
        kernel,
        texts,
        selections,
        labels,
        () => new HeadChunkReader(kernel, files, notices, parts.aheadBytesMax),
        minTimestampMs,
        maxTimestampMs,
        snapshot,
        only,
        parts.part,
      ),
    close: () => files.close(),
  };
}

/** Holds an epoch from construction to `close`: what the writer frees meanwhile stays readable. */
class HeadQuerier implements Querier {
  readonly #kernel: Kernel;
  readonly #index: LabelIndexReader;
  readonly #symbols: SymbolReader;
  readonly #selector: SeriesSelector;
  readonly #selections: SelectionCache;
  readonly #labels: LabelsCache;
  readonly #snapshot: Snapshot;
  readonly #present: PresenceFilter;
  readonly #part: HeadPart;
  readonly #newChunkReader: () => HeadChunkReader;
  /** One for each set, so that sets whose rows are asked for by turns keep what they have loaded. */
  readonly #chunkReaders: HeadChunkReader[] = [];
  readonly #minTimestampMs: number;
  readonly #maxTimestampMs: number;
  #isOpen = true;

  constructor(
    kernel: Kernel,
    texts: SymbolTexts,
    selections: SelectionCache,
    labels: LabelsCache,
    newChunkReader: () => HeadChunkReader,
    minTimestampMs: number,
    maxTimestampMs: number,
    snapshot?: number,
    only?: ReadonlySet<number>,
    part: HeadPart = "all",
  ) {
    kernel.epoch.enter();
    this.#kernel = kernel;
    this.#selections = selections;
    this.#labels = labels;
    this.#newChunkReader = newChunkReader;
    this.#part = part;
    this.#snapshot = kernel.isolation.snapshot(snapshot);
    this.#index = new LabelIndexReader(kernel);
    this.#symbols = new SymbolReader(kernel, texts);
    this.#selector = new SeriesSelector(kernel, this.#index, this.#symbols);
    this.#present = new PresenceFilter(kernel, this.#symbols, part, only);
    this.#minTimestampMs = minTimestampMs;
    this.#maxTimestampMs = maxTimestampMs;
  }

  select(matchers: readonly Matcher[], hints: SelectHints, sorted: boolean): SeriesSet {
    assert(this.#isOpen, "querier is open");
    const { u32 } = this.#kernel.views;
    let { refs, labelsPtrs } = this.#find(matchers, hints);
    let ranks: SymbolRanks | undefined;
    if (sorted) {
      const { order } = ({ ranks } = sortedOrder(u32, this.#symbols, labelsPtrs));
      refs = order.map((i) => refs[i]!);
      labelsPtrs = order.map((i) => labelsPtrs[i]!);
    }
    const count = hints.limit && hints.limit < refs.length ? hints.limit : refs.length;
    const chunks = this.#newChunkReader();
    this.#chunkReaders.push(chunks);
    return new HeadSeriesSet(
      this.#kernel,
      this.#symbols,
      this.#snapshot,
      chunks,
      this.#part,
      firstOf(refs, count),
      firstOf(labelsPtrs, count),
      count <= selectionSeriesMax ? this.#labels : undefined,
      ranks,
    );
  }

  #find(matchers: readonly Matcher[], hints: SelectHints): PresentSeries {
    return this.#present.among(this.#selections.find(matchers, this.#select), hints);
  }

  readonly #select = (matchers: readonly Matcher[]): Uint32Array => this.#selector.select(matchers);

  labelNames(matchers: readonly Matcher[], hints: SelectHints): string[] {
    const names = new Set<number>();
    if (!this.#overlapsHead()) return [];
    if (matchers.length === 0) this.#index.forEachName((name) => names.add(name));
    else {
      const { u32 } = this.#kernel.views;
      for (const labelsPtr of this.#find(matchers, hints).labelsPtrs) {
        const labels = labelsPtr >>> 2;
        for (let at = labels + 2, end = at + 2 * u32[labels + 1]!; at < end; at += 2) names.add(u32[at]!);
      }
    }
    return this.#texts(names, hints);
  }

  labelValues(name: string, matchers: readonly Matcher[], hints: SelectHints): string[] {
    const symbol = this.#symbols.find(name);
    if (symbol === 0 || !this.#overlapsHead()) return [];
    const values = new Set<number>();
    if (matchers.length === 0) this.#index.forEachValue(symbol, (value) => values.add(value));
    else {
      const { u32 } = this.#kernel.views;
      for (const labelsPtr of this.#find(matchers, hints).labelsPtrs) {
        const value = labelValue(u32, labelsPtr, symbol);
        if (value !== 0) values.add(value);
      }
    }
    return this.#texts(values, hints);
  }

  seriesCountMax(matchers: readonly Matcher[]): number {
    return this.#selector.countMax(matchers);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const chunks of this.#chunkReaders) chunks.close();
    this.#kernel.epoch.leave();
  }

  #overlapsHead(): boolean {
    const { f64, u32 } = this.#kernel.views;
    // Of what came out of order no bounds are kept.
    if (Atomics.load(u32, layout.headWord.outOfOrder >>> 2) !== 0) return true;
    const headMinMs = f64[layout.headWord.minTimeMs / 8]!;
    const headMaxMs = f64[layout.headWord.maxTimeMs / 8]!;
    return this.#minTimestampMs <= headMaxMs && this.#maxTimestampMs >= headMinMs;
  }

  #texts(symbols: Set<number>, hints: SelectHints): string[] {
    const texts = Array.from(symbols, (symbol) => this.#symbols.text(symbol)).sort(compareStrings);
    return hints.limit && hints.limit < texts.length ? texts.slice(0, hints.limit) : texts;
  }
}

/** A view costs more than a small array. */
function firstOf(all: Uint32Array, count: number): Uint32Array {
  return count === all.length ? all : all.subarray(0, count);
}
