import type { Histogram, Labels, Matcher, MetricMetadata } from "../model/index.ts";
import type { SampleBatch, SeriesRun } from "../kernel/index.ts";

/** A series' number in the head: dense, from 1. 0 means "none yet". */
export type SeriesRef = number;

/** An example of what a sample counts: one request, say, with the name of its trace. */
export interface Exemplar {
  /** Its own, not its series'. Names and values together have at most 128 characters. */
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number;
  /** Whether the target gave the time. If not it is the scrape's, and the same exemplar in the next scrape is no other one. */
  readonly hasOwnTimestamp: boolean;
}

/** What became of an exemplar: a duplicate is already stored, and `disabled` says that none are kept here. */
export type ExemplarFate =
  | "queued"
  | "duplicate"
  | "outOfOrder"
  | "labelsTooLong"
  | "unknownSeries"
  | "disabled";

/** Whether the counts of a histogram are whole numbers, stored as such, or doubles. */
export type HistogramKind = "integer" | "float";

/** What became of the samples of one commit. */
export interface AppendResult {
  appended: number;
  /** Older than the series' newest, where nothing is taken out of order. */
  outOfOrder: number;
  /** Another value for the time of the series' newest. */
  duplicate: number;
  /** Older than anything that is taken in order, where nothing is taken out of order. */
  outOfBounds: number;
  /** Older than what is taken out of order. */
  tooOld: number;
  tooFarInFuture: number;
  /** Not stored because the shared memory is full. */
  memoryFull: number;
}

/** Nothing was appended, and nothing refused. */
export function emptyAppendResult(): AppendResult {
  return {
    appended: 0,
    outOfOrder: 0,
    duplicate: 0,
    outOfBounds: 0,
    tooOld: 0,
    tooFarInFuture: 0,
    memoryFull: 0,
  };
}

/**
 * Takes samples on the writer thread. What was appended is acknowledged, and survives `kill -9`, when `commit` returns.
 * Nothing is kept of an appender that is rolled back, except series that were created, which cost only memory.
 */
export interface Appender {
  /**
   * The ref of the series with these labels, created when it is new. Labels must be valid and hold a metric name.
   * Throws `unavailable` when the series limit or the shared memory is exhausted.
   */
  reference(labels: Labels): SeriesRef;
  /**
   * Queues one sample; `startTimestampMs` is since when it counts, 0 where that is not known. The stale marker is appended with `appendStale`,
   * because JavaScript may rewrite its bits.
   */
  append(ref: SeriesRef, timestampMs: number, value: number, startTimestampMs?: number): void;
  /** Ends a series, whatever kind its last sample has. */
  appendStale(ref: SeriesRef, timestampMs: number): void;
  /**
   * Queues one native histogram; series may have floats and histograms in turn. Throws `bad_data`, with nothing queued, unless the histogram is
   * sound as its kind. The stale marker is `staleHistogram`.
   */
  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram,
    kind: HistogramKind,
    startTimestampMs?: number,
  ): void;
  /** Whether exemplars and metadata are kept at all: who reads many lines need not look for them otherwise. */
  readonly keepsExemplars: boolean;
  readonly keepsMetadata: boolean;
  /** Queues an exemplar of a series that exists. Those of one sample come in the order of their times. Never a reason to refuse a scrape. */
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarFate;
  /** Queues what is known about a series' metric, unless that is known already or metadata is not kept. */
  appendMetadata(ref: SeriesRef, metadata: MetricMetadata): void;
  /** The batch behind `append`, for those who fill columns directly (the scrape parser). Valid until commit or rollback. */
  readonly batch: SampleBatch;
  /** Writes the WAL, then publishes. Throws, with nothing appended, when the WAL cannot be written. */
  commit(): AppendResult;
  /** As `commit`, to make room for more: nobody sees it before the commit that follows in the same turn of the event loop. */
  commitPart(): AppendResult;
  rollback(): void;
}

export interface Appendable {
  appender(): Appender;
}

/** What a query will do with the series it selects; a storage may use it to read less. Times in milliseconds, inclusive. */
export interface SelectHints {
  minTimestampMs: number;
  maxTimestampMs: number;
  /** At most this many series or values are needed; 0 means all. */
  limit?: number;
  /**
   * Only a share of the series, by a hash of their labels: how readers share a query. Every series is in one share, on whatever thread
   * one asks, and series that differ in `__name__`, `__type__` and `__unit__` alone are in the same.
   */
  shard?: { index: number; count: number } | undefined;
}

/** Strings of one series set by number. Within a set two numbers are equal exactly when their strings are. */
export interface SymbolView {
  text(symbol: number): string;
  /** The number of a string, or undefined when no series of the set uses it. */
  find(text: string): number | undefined;
}

/** Where decoded samples go: columns in the shared memory. Timestamps are f64 milliseconds, values raw f64 bits. */
export interface SampleColumns {
  readonly timestamps: number;
  readonly values: number;
  /** Samples that fit. */
  readonly capacity: number;
}

/** A sample that is a native histogram. */
export interface HistogramSample {
  readonly timestampMs: number;
  readonly histogram: Histogram;
}

/** By the time of a sample: since when it counts. Both in milliseconds; a sample of which that is not known is not among them. */
export type StartTimestamps = ReadonlyMap<number, number>;

export const noStarts: StartTimestamps = new Map();

/** Of a series without any. */
export const noHistograms: readonly StoredHistogram[] = [];

export interface StoredHistogram extends HistogramSample {
  readonly kind: HistogramKind;
  /** Since when it counts; 0 where that is not known. */
  readonly startTimestampMs: number;
}

/** Which native histograms a reader needs, and how much of them; a storage may give more. */
export interface HistogramNeed {
  /** Whether a sample is wanted that the series' next sample follows at `nextMs`, Infinity when there is none. Stale markers always are. */
  readonly isWanted?: (timestampMs: number, nextMs: number) => boolean;
  /** Only that there is one, and how large: what it counts and its hint mean nothing. */
  readonly shapeOnly?: boolean;
}

/**
 * The series that match, sorted by labels when asked. Series are numbered from 0; nothing is decoded or materialised
 * before it is asked for. A set is valid until its querier is closed.
 */
export interface SeriesSet {
  readonly length: number;
  readonly symbols: SymbolView;
  /** Name symbol, value symbol, … sorted by name; a view that is valid until the next call. */
  labelSymbols(series: number): Uint32Array;
  labels(series: number): Labels;
  /** Whether `labels` gives the same object for a series each time, also in later sets, as long as series are asked for now and then. */
  readonly remembersLabels?: boolean;
  /** Upper bound of the samples that `read` can return for the range; for sizing columns. */
  sampleCountMax(series: number, minTimestampMs: number, maxTimestampMs: number): number;
  /**
   * Decodes the samples with min ≤ t ≤ max in time order into `columns`; stale markers are left out when `dropStale`.
   * Returns how many. Throws `internal` when the columns are too small, naming both sizes.
   */
  read(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    columns: SampleColumns,
  ): number;
  /**
   * Puts the newest sample of a series into `columns` if it is a float in the time range, or a stale marker, and can be had without decoding. Returns how many
   * samples that is: after 0 one has to `read`. Absent where none can be had that way.
   */
  readNewest?(series: number, minTimestampMs: number, maxTimestampMs: number, columns: SampleColumns): 0 | 1;
  /**
   * As `read`, of `first` and series behind it, as many as the run has room for and have nothing but floats without start timestamps. Returns how
   * many series; 0 when the first has to be read by itself. Absent where that would be no faster.
   */
  readRun?(
    first: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    run: SeriesRun,
  ): number;
  /**
   * The samples that are native histograms, with min ≤ t ≤ max in time order; a series may have both kinds. Stale markers are left out
   * when `dropStale`. Absent where a storage keeps floats only.
   */
  readHistograms?(
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: boolean,
    need?: HistogramNeed,
  ): readonly StoredHistogram[];
  /**
   * Since when the floats with min ≤ t ≤ max count, by the time of each, as far as that is known; histograms tell themselves. Absent where a
   * storage does not keep it.
   */
  readStarts?(series: number, minTimestampMs: number, maxTimestampMs: number): StartTimestamps;
}

/** A view of the data for one query, on any thread. `close` must be called: memory cannot be reused before. */
export interface Querier {
  /** Matchers are ANDed; several on one label all must hold. */
  select(matchers: readonly Matcher[], hints: SelectHints, sorted: boolean): SeriesSet;
  /** Sorted names of the labels of matching series (of all series when there are no matchers). */
  labelNames(matchers: readonly Matcher[], hints: SelectHints): string[];
  /** Sorted values of one label. */
  labelValues(name: string, matchers: readonly Matcher[], hints: SelectHints): string[];
  /** An upper bound, found quickly, of the series that `select` would return. */
  seriesCountMax(matchers: readonly Matcher[]): number;
  close(): void;
}

/** The exemplars of one series in the order of their times. */
export interface ExemplarSeries {
  readonly labels: Labels;
  readonly exemplars: readonly Exemplar[];
}

export interface ExemplarQueryable {
  /** Exemplars with min ≤ t ≤ max of series that match all of one of the matcher sets, sorted by labels; none without a set. */
  selectExemplars(
    minTimestampMs: number,
    maxTimestampMs: number,
    matcherSets: readonly (readonly Matcher[])[],
  ): ExemplarSeries[];
}

export interface Queryable {
  /** Times in milliseconds, inclusive. `snapshot`: a state that was pinned, so that several threads see the same; default the present one. */
  querier(minTimestampMs: number, maxTimestampMs: number, snapshot?: number): Querier;
  /**
   * Samples before this time may have to be read from files, for which a thread that scrapes or writes should not wait. Absent, or
   * -Infinity, when everything is in memory.
   */
  filesUntilMs?(): number;
  /** An upper bound of the series that a query of these times finds in files, known without reading them. Absent when there are none. */
  storedSeriesMax?(minTimestampMs: number, maxTimestampMs: number): number;
}
