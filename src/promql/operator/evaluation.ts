import { NarthexError } from "../../base/index.ts";
import type { Kernel, Row, Scratch } from "../../kernel/index.ts";
import type { Querier, SeriesSet } from "../../storage/index.ts";
import { Annotations } from "../annotations.ts";
import type { QueryContext } from "../context.ts";
import { HistogramColumn } from "../histogram/column.ts";
import { isSeriesLocal } from "../plan/fragments.ts";
import type { Plan, Selector } from "../plan/plan.ts";
import { LabelFilter, reservedLabels } from "../series/label-filter.ts";
import { FilteredSeries, NameDroppingSeries, type SeriesList } from "../series/series-list.ts";
import { Strings } from "../series/strings.ts";
import { Profile } from "./profile.ts";
import { RowBlock } from "./rows.ts";
import { SampleCounter } from "./sample-counter.ts";

export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Rows between two looks at the clock and the cancel word. */
const rowsPerCheck = 64;
/** One block of scratch memory stays below 2 GiB. */
const blockBytesMax = 2 ** 31 - 4096;

/** A query that is running on this thread: its memory, its limits, and what it has found to remark on. */
export class Evaluation {
  readonly plan: Plan;
  readonly kernel: Kernel;
  readonly scratch: Scratch;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly annotations = new Annotations();
  readonly strings = new Strings();
  readonly histograms = new HistogramColumn((count) => this.keepSamples(count));
  readonly lookbackDeltaMs: number;
  readonly delayedNameRemoval: boolean;
  readonly typeAndUnitLabels: boolean;
  readonly startTimestamps: boolean;
  readonly #context: QueryContext;
  readonly #querier: Querier;
  readonly #shard: Shard | undefined;
  readonly #deadlineMs: number;
  /** Of a range query over series, whose answer is sorted by labels: rows are then pulled in the order of the series that were selected. */
  readonly #inLabelOrder: boolean;
  readonly #selected: { readonly selector: Selector; readonly set: SeriesSet }[] = [];
  /** Counts samples by step, when somebody asked for it. */
  readonly counter: SampleCounter | undefined;
  /** Times what operators do, when somebody asked for it. */
  readonly profile: Profile | undefined;
  #preparationMs = 0;
  #sortMs = 0;
  #samples = 0;
  #samplesPeak = 0;
  #samplesLoaded = 0;
  /** What `reportProgress` was told so far. */
  #reportedSamples = 0;
  #reportedMemoryBytes = 0;
  #rowsUntilCheck = rowsPerCheck;
  readonly #endings: (() => void)[] = [];
  #failedAt: number | undefined;
  #isOverLimit = false;

  constructor(plan: Plan, context: QueryContext, querier: Querier, scratch: Scratch, shard?: Shard) {
    this.plan = plan;
    this.kernel = context.kernel;
    this.scratch = scratch;
    this.f64 = context.kernel.views.f64;
    this.u8 = context.kernel.views.u8;
    this.lookbackDeltaMs = context.lookbackDeltaMs;
    this.delayedNameRemoval = context.features?.delayedNameRemoval === true;
    this.typeAndUnitLabels = context.features?.typeAndUnitLabels === true;
    this.startTimestamps = context.features?.startTimestamps === true;
    this.#context = context;
    this.#querier = querier;
    this.#shard = shard;
    this.#inLabelOrder = !plan.instant && isSeriesLocal(plan.root);
    this.#deadlineMs = context.clock.monotonicMs() + context.limits.timeoutMs;
    if (context.countSamples === true) this.counter = new SampleCounter(plan, this);
    if (context.profile === true) this.profile = new Profile(plan, this);
  }

  /** Milliseconds spent on finding series, and on sorting them. */
  get preparationMs(): number {
    return this.#preparationMs;
  }

  get sortMs(): number {
    return this.#sortMs;
  }

  /** Adds the time of `sort` to what sorting took. */
  timeSort<T>(sort: () => T): T {
    const startMs = performance.now();
    const sorted = sort();
    this.#sortMs += performance.now() - startMs;
    return sorted;
  }

  /** The series of a selector; equal selectors share one set. */
  select(selector: Selector): SeriesSet {
    for (const known of this.#selected) if (selectSame(known.selector, selector)) return known.set;
    const { matchers, minTimestampMs, maxTimestampMs } = selector;
    const hints = { minTimestampMs, maxTimestampMs, shard: this.#shard };
    const startMs = performance.now();
    const set = this.#querier.select(matchers, hints, this.#inLabelOrder);
    this.#preparationMs += performance.now() - startMs;
    this.#selected.push({ selector, set });
    return set;
  }

  /** To be called once per row: ends a query that was cancelled or ran out of time. */
  checkRow(): void {
    if (--this.#rowsUntilCheck <= 0) this.check();
  }

  check(): void {
    this.#rowsUntilCheck = rowsPerCheck;
    this.#reportProgress();
    if (this.#context.isCancelled?.() === true) {
      throw new NarthexError("canceled", "query was canceled in expression evaluation");
    }
    if (this.#context.clock.monotonicMs() > this.#deadlineMs) {
      throw new NarthexError("timeout", "query timed out in expression evaluation");
    }
  }

  /** Tells what has become of the query since the last time; at its end that it uses no more memory. */
  #reportProgress(ended = false): void {
    const context = this.#context;
    if (context.reportProgress === undefined) return;
    const memoryBytes = ended ? 0 : this.scratch.reservedBytes;
    context.reportProgress(
      this.#samplesLoaded - this.#reportedSamples,
      memoryBytes - this.#reportedMemoryBytes,
    );
    this.#reportedSamples = this.#samplesLoaded;
    this.#reportedMemoryBytes = memoryBytes;
  }

  /** Has `ending` called when the result is complete; what was asked for first comes first. Returns its place. */
  atEnd(ending: () => void): number {
    return this.#endings.push(ending) - 1;
  }

  /** To be told of an error in the evaluation of what has the ending at this place. */
  failAt(place: number): void {
    this.#failedAt ??= place;
  }

  /**
   * The error that whoever evaluates operands one after the other, and completely, would have come to first: what comes before the place
   * where `error` was thrown is evaluated to its end.
   */
  firstFailure(error: unknown): unknown {
    const isData = error instanceof NarthexError && error.code === "execution" && !this.#isOverLimit;
    if (!isData || this.#failedAt === undefined) return error;
    for (const ending of this.#endings.slice(0, this.#failedAt)) {
      try {
        ending();
      } catch (earlier) {
        return earlier instanceof NarthexError && earlier.code === "execution" ? earlier : error;
      }
    }
    return error;
  }

  /** To be called once, when the result is complete. */
  end(): void {
    for (const ending of this.#endings) ending();
  }

  close(): void {
    this.#reportProgress(true);
  }

  get samplesLoaded(): number {
    return this.#samplesLoaded;
  }

  get samplesPeak(): number {
    return this.#samplesPeak;
  }

  /** Counts samples that stay in memory; fewer than 0 that no longer do. */
  keepSamples(count: number): void {
    this.#samples += count;
    this.passSamples(0);
  }

  /** Counts samples that are in memory for the moment. */
  passSamples(count: number): void {
    this.#samplesLoaded += count;
    const samples = this.#samples + count;
    if (samples > this.#samplesPeak) this.#samplesPeak = samples;
    // A long row takes as long as several.
    this.#rowsUntilCheck -= count >>> 10;
    if (samples > this.#context.limits.samplesMax) {
      this.#isOverLimit = true;
      throw new NarthexError(
        "execution",
        "query processing would load too many samples into memory in query execution",
      );
    }
  }

  allocate(bytes: number): number {
    if (bytes <= blockBytesMax) return this.scratch.allocate(bytes);
    const { memoryBytes } = this.#context.limits;
    this.#isOverLimit = true;
    throw new NarthexError("execution", `query needs more than its memory budget of ${memoryBytes} bytes`);
  }

  /** A row of its own for an operator that computes. */
  row(steps: number): Row {
    return this.rows(1, steps).row(0);
  }

  /** Rows that stay: nothing present at first. */
  rows(count: number, steps: number): RowBlock {
    const valuesPtr = this.allocate(count * steps * 8);
    const presentPtr = this.allocate(count * steps);
    this.u8.fill(0, presentPtr, presentPtr + count * steps);
    return new RowBlock(valuesPtr, presentPtr, steps);
  }

  /** The list without metric names and what else is reserved, or just without `dropped`; all of them are dropped if it is done when the query ends. */
  dropNames(list: SeriesList, dropped: readonly string[] = reservedLabels): SeriesList {
    if (this.delayedNameRemoval) return new NameDroppingSeries(list);
    return new FilteredSeries(list, LabelFilter.except(this.strings, dropped), list.distinctWithoutName);
  }
}

function selectSame(a: Selector, b: Selector): boolean {
  return (
    a.minTimestampMs === b.minTimestampMs &&
    a.maxTimestampMs === b.maxTimestampMs &&
    a.matchers.length === b.matchers.length &&
    a.matchers.every((matcher, i) => {
      const other = b.matchers[i]!;
      return matcher.name === other.name && matcher.type === other.type && matcher.value === other.value;
    })
  );
}

export function duplicateSeries(): NarthexError {
  return new NarthexError("execution", "vector cannot contain metrics with the same labelset");
}
