import { NarthexError } from "../../base/index.ts";
import { type Kernel, layout, type SeriesWriter } from "../../kernel/index.ts";
import { Labels, type MetricMetadata } from "../../model/index.ts";
import { OutOfOrderHead } from "../out-of-order/head.ts";
import { HistogramWriter } from "./histogram-writer.ts";
import { LabelIndex } from "./label-index.ts";
import { SymbolTable } from "./symbols.ts";
import { HeadTombstones } from "./tombstones.ts";

const { headWord, slot: slotLayout } = layout;

/** Bytes of a label set in the shared memory: { u32 hash, u32 pairs, (u32 nameSymbol, u32 valueSymbol) × pairs }, sorted by name. */
function labelsBytes(pairs: number): number {
  return 8 + 8 * pairs;
}

export const seriesMaxDefault = slotLayout.perPage * slotLayout.pagesMax - 1;
/** Share of the shared memory beyond which no series is created: the rest, of which the arena gets up to 15/16 of all, is for samples of those that exist. */
const seriesFillMax = 0.9;

export interface HeadOptions {
  /** Series that may exist at a time; more are refused. Default and maximum: the slots there are, 67 million. */
  seriesMax?: number;
}

/**
 * The writer's side of the head: creates series and finds them by labels, all in the shared memory. One per shared memory, main
 * thread only. Readers see a series once it is in the posting lists.
 */
export class Head {
  readonly kernel: Kernel;
  readonly symbols: SymbolTable;
  readonly labelIndex: LabelIndex;
  /** Finds and creates. */
  readonly series: SeriesWriter;
  /** So many series may exist. */
  readonly seriesMax: number;
  readonly histograms: HistogramWriter;
  readonly tombstones: HeadTombstones;
  readonly outOfOrder: OutOfOrderHead;
  /** Series created since they were last written to the WAL. */
  readonly unlogged: number[] = [];
  /** What is known of the metrics of series, as far as metadata is kept. */
  readonly metadata = new Map<number, MetricMetadata>();
  readonly #f64: Float64Array;
  #nextRef = 1;
  /** The oldest sample appended since `beginRecount`. */
  #coveredMinMs = Infinity;
  /** There was no room for the last new series. */
  #wasRefused = false;
  seriesCreated = 0;
  seriesRemoved = 0;

  constructor(kernel: Kernel, options: HeadOptions = {}) {
    this.kernel = kernel;
    this.symbols = new SymbolTable(kernel);
    this.labelIndex = new LabelIndex(kernel, this.symbols);
    this.histograms = new HistogramWriter(kernel);
    this.tombstones = new HeadTombstones(kernel);
    this.outOfOrder = new OutOfOrderHead(kernel);
    this.series = kernel.createSeriesWriter();
    this.seriesMax = Math.min(options.seriesMax ?? seriesMaxDefault, seriesMaxDefault);
    this.#f64 = kernel.views.f64;
    this.#f64[headWord.minTimeMs / 8] = Infinity;
    this.#f64[headWord.maxTimeMs / 8] = -Infinity;
  }

  get seriesCount(): number {
    return this.kernel.series.count;
  }

  /** The ref that the next new series gets. */
  get nextRef(): number {
    return this.#nextRef;
  }

  /** Time of the oldest sample, Infinity when there is none. */
  get minTimeMs(): number {
    return this.#f64[headWord.minTimeMs / 8]!;
  }

  /** Time of the newest sample, -Infinity when there is none. */
  get maxTimeMs(): number {
    return this.#f64[headWord.maxTimeMs / 8]!;
  }

  /** Samples of these times were appended. */
  coverTimes(minMs: number, maxMs: number): void {
    const f64 = this.#f64;
    if (minMs < f64[headWord.minTimeMs / 8]!) f64[headWord.minTimeMs / 8] = minMs;
    if (maxMs > f64[headWord.maxTimeMs / 8]!) f64[headWord.maxTimeMs / 8] = maxMs;
    if (minMs < this.#coveredMinMs) this.#coveredMinMs = minMs;
  }

  /** Begins a walk over all chunks; what is appended meanwhile is not overlooked. */
  beginRecount(): void {
    this.#coveredMinMs = Infinity;
  }

  /** Ends the walk, which found `oldestMs` (Infinity: no chunk at all). */
  endRecount(oldestMs: number): void {
    const minMs = Math.min(oldestMs, this.#coveredMinMs);
    this.#f64[headWord.minTimeMs / 8] = minMs;
    if (minMs === Infinity) this.#f64[headWord.maxTimeMs / 8] = -Infinity;
  }

  /** The ref of the series with these labels; a new one goes to `unlogged`. Throws `unavailable` when there is no room. */
  getOrCreate(labels: Labels): number {
    const known = this.find(labels.pairs, this.#wasRefused ? this.#refusal() : undefined);
    if (known !== 0) return known;
    const ref = this.create(this.freshRef());
    this.unlogged.push(ref);
    return ref;
  }

  /** The ref of the series with these labels, name, value, … sorted by name, or 0: then `create` may follow. Throws `refusal`, if given, instead of remembering a new text. */
  find(pairs: readonly string[], refusal?: NarthexError): number {
    const { series, symbols } = this;
    series.begin(pairs.length / 2);
    pairs.forEach((text, i) => {
      // The texts of series that are refused must not take the room that is left.
      if (refusal && symbols.find(text) === 0) throw refusal;
      series.setSymbol(i, symbols.intern(text));
    });
    return series.find();
  }

  /** Creates the series that was just not found, under a ref that is free. Throws `unavailable`, leaving no series behind. */
  create(ref: number): number {
    const refusal = this.#refusal();
    if (refusal) throw refusal;
    if (ref >= layout.seriesRefMax)
      throw new NarthexError("unavailable", "series numbers are used up: a restart numbers them afresh");
    this.series.add(ref);
    this.noteCreated({ count: 1, highestRef: ref });
    return ref;
  }

  /** So many series were created through `series`. */
  noteCreated({ count, highestRef }: { count: number; highestRef: number }): void {
    this.skipRef(highestRef);
    this.seriesCreated += count;
  }

  /** So many series may exist now: none while there is no memory for more. */
  get seriesAllowed(): number {
    return this.#refusal() ? 0 : this.seriesMax;
  }

  /** Why there is no room for a new series, where there is none. */
  #refusal(): NarthexError | undefined {
    const reason =
      this.seriesCount >= this.seriesMax
        ? `series limit of ${this.seriesMax} reached`
        : memoryFill(this.kernel) > seriesFillMax
          ? "shared memory is nearly full: no new series"
          : undefined;
    this.#wasRefused = reason !== undefined;
    return reason === undefined ? undefined : new NarthexError("unavailable", reason);
  }

  /** Frees the slot of a series that is, or will be, out of the posting lists. */
  remove(ref: number): void {
    const { arena, series, views } = this.kernel;
    const labelsPtr = series.labelsPtr(ref);
    const hash = views.u32[labelsPtr >>> 2]!;
    const count = views.u32[(labelsPtr >>> 2) + 1]!;
    this.series.remove(hash, ref);
    this.histograms.forget(ref);
    series.release(ref);
    this.metadata.delete(ref);
    arena.retire(labelsPtr, labelsBytes(count));
    this.seriesRemoved++;
  }

  /** The next ref whose slot is free: a series may live longer than it takes to number all slots once. */
  freshRef(): number {
    while (!this.kernel.series.isFree(this.#nextRef)) this.#nextRef++;
    return this.#nextRef;
  }

  /** New series get refs beyond this one. */
  skipRef(ref: number): void {
    if (ref <= layout.seriesRefMax) this.#nextRef = Math.max(this.#nextRef, ref + 1);
  }

  /** Gives back the pages of slots that no series is on and that are not being filled. Returns how many. */
  releasePages(): number {
    const { arena, views } = this.kernel;
    const inUse = new Set<number>([pageOf(this.#nextRef)]);
    for (const ref of this.labelIndex.all()) inUse.add(pageOf(ref));
    let released = 0;
    for (let page = 0; page < slotLayout.pagesMax; page++) {
      const at = (layout.control.seriesDirectory >>> 2) + page;
      const ptr = views.u32[at]!;
      if (ptr === 0 || inUse.has(page)) continue;
      Atomics.store(views.u32, at, 0);
      arena.retire(ptr, slotLayout.perPage * slotLayout.bytes);
      released++;
    }
    return released;
  }

  hasSeries(ref: number): boolean {
    return this.kernel.series.labelsPtr(ref) !== 0;
  }

  /** The labels of a series that exists. */
  labels(ref: number): Labels {
    const { u32 } = this.kernel.views;
    const at = this.kernel.series.labelsPtr(ref) >>> 2;
    const pairs: string[] = [];
    for (const symbol of u32.subarray(at + 2, at + 2 + 2 * u32[at + 1]!))
      pairs.push(this.symbols.text(symbol));
    return Labels.fromSortedPairs(pairs);
  }

  /** Calls with every ref that has a series, ascending. */
  forEachSeries(visit: (ref: number) => void): void {
    for (const ref of Uint32Array.from(this.labelIndex.all())) if (this.hasSeries(ref)) visit(ref);
  }

  /** The times of the first and last sample of a series that has chunks. */
  chunkTimes(ref: number): [minMs: number, maxMs: number] {
    const { u32, i64 } = this.kernel.views;
    const newest = this.newestChunk(ref);
    let oldest = newest;
    for (let older = newest; older !== 0; older = u32[(older + layout.chunk.older) >>> 2]!) oldest = older;
    return [
      Number(i64[(oldest + layout.chunk.minTimestampMs) / 8]),
      Number(i64[(newest + layout.chunk.maxTimestampMs) / 8]),
    ];
  }

  /** Pointer to the newest chunk of a series, 0 when there is none. */
  newestChunk(ref: number): number {
    if (!this.hasSeries(ref)) return 0;
    return this.kernel.views.u32[(this.kernel.series.slot(ref) + slotLayout.chunkPtr) >>> 2]!;
  }
}

/**
 * The share of the shared memory's pages that are in use, from 0 to 1. What is free inside of them counts, too: it serves blocks of its own size only, and samples of
 * other sizes are lost as soon as there is no page.
 */
export function memoryFill(kernel: Kernel): number {
  const { limitBytes, usedBytes } = kernel.usage();
  return usedBytes / limitBytes;
}

/** Index of the page of slots that a ref lies on. */
export function pageOf(ref: number): number {
  return Math.floor(ref / slotLayout.perPage) % slotLayout.pagesMax;
}
