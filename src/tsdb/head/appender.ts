import { assert, type Clock } from "../../base/index.ts";
import {
  normalNaNBits,
  type SampleBatch,
  sampleStatus,
  staleMarkerBits,
  type TimeBounds,
} from "../../kernel/index.ts";
import {
  createHistogram,
  type Histogram,
  type Labels,
  type MetricMetadata,
  staleHistogram,
  validateFloatHistogram,
  validateIntegerHistogram,
} from "../../model/index.ts";
import type {
  Appender,
  AppendResult,
  Exemplar,
  ExemplarFate,
  HistogramKind,
  SeriesRef,
} from "../../storage/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { ChunkMapper } from "../head-chunks/index.ts";
import type { OutOfOrderAppender } from "../out-of-order/appender.ts";
import type { ExemplarEntry } from "../wal/exemplar-record.ts";
import type { MetadataEntry } from "../wal/metadata-record.ts";
import type { BatchPool } from "./batch-pool.ts";
import type { CommitLog, CommitNotes, QueuedSamples } from "./commit-log.ts";
import type { Head } from "./head.ts";
import { HistogramBatch } from "./histogram-batch.ts";

/** What the appenders of a head share. */
export interface AppendContext {
  readonly head: Head;
  readonly log: CommitLog;
  readonly pool: BatchPool;
  /** Told after commits: chunks that are full can leave the memory. */
  readonly mapper: Pick<ChunkMapper, "notice">;
  readonly clock: Clock;
  readonly counters: AppendTotals;
  readonly exemplars: ExemplarStorage;
  readonly outOfOrder: Pick<OutOfOrderAppender, "take">;
  readonly keepsMetadata: boolean;
  /** Whether a series gets a zero at the time since when its samples count. */
  readonly zeroesStarts: boolean;
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** Samples beyond now plus this are refused, so that a wrong date cannot close the head for true ones. */
  readonly futureMaxMs: number;
  /** While the log is replayed: commits are only written to it, and come into the head when the replay reaches them. */
  isReplaying: boolean;
  /** Samples before are refused, since their time was truncated; -Infinity when nothing was. */
  minValidTimeMs: number;
}

/** Totals since the start; plain numbers, read when metrics are gathered. */
export class AppendCounters {
  appended = 0;
  outOfOrder = 0;
  duplicate = 0;
  outOfBounds = 0;
  tooFarInFuture = 0;
  memoryFull = 0;
  unknownSeries = 0;
  /** Of `appended`, those that came out of order. */
  late = 0;
  /** Refused as too old even to come out of order. */
  tooOld = 0;
}

/** By the kind of samples. */
export class AppendTotals {
  readonly float = new AppendCounters();
  readonly histogram = new AppendCounters();
}

/**
 * Collects samples in a batch of the shared memory. `batch` stays the same from its first use until the turn of the event loop in which
 * the appender was last committed or rolled back ends: a scrape larger than the batch commits in parts and goes on.
 */
export class HeadAppender implements Appender {
  readonly #context: AppendContext;
  #batch: SampleBatch | undefined;
  /** What was queued beyond the first batch, in its order. */
  readonly #later: QueuedSamples[] = [];
  /** Series whose histograms are queued behind the last batch of floats, and the newest one's kind: their next float must come behind. */
  readonly #histogramKinds = new Map<SeriesRef, HistogramKind>();
  readonly #exemplars: ExemplarEntry[] = [];
  readonly #metadata: MetadataEntry[] = [];
  #releasePending = false;

  constructor(context: AppendContext) {
    this.#context = context;
  }

  get batch(): SampleBatch {
    return (this.#batch ??= this.#context.pool.take());
  }

  reference(labels: Labels): SeriesRef {
    return this.#context.head.getOrCreate(labels);
  }

  append(ref: SeriesRef, timestampMs: number, value: number, startTimestampMs = 0): void {
    if (this.#beginsAt(ref, startTimestampMs, timestampMs)) this.append(ref, startTimestampMs, 0);
    const batch = this.#filling(ref);
    // All NaNs that are no markers are one in storage.
    const added = Number.isNaN(value)
      ? batch.pushBits(ref, timestampMs, normalNaNBits)
      : batch.push(ref, timestampMs, value);
    assert(added, "batch has room");
  }

  appendStale(ref: SeriesRef, timestampMs: number): void {
    const kind = this.#histogramKinds.get(ref) ?? this.#context.head.histograms.kindOf(ref);
    if (kind !== undefined) return this.#queueHistogram(ref, timestampMs, staleHistogram, kind);
    const added = this.#filling(ref).pushBits(ref, timestampMs, staleMarkerBits);
    assert(added, "batch has room");
  }

  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram,
    kind: HistogramKind,
    startTimestampMs = 0,
  ): void {
    if (!histogram.isStale) {
      if (kind === "integer") validateIntegerHistogram(histogram);
      else validateFloatHistogram(histogram);
    }
    if (this.#beginsAt(ref, startTimestampMs, timestampMs))
      this.#queueHistogram(ref, startTimestampMs, zeroOf(histogram), kind);
    this.#queueHistogram(ref, timestampMs, histogram, kind);
  }

  /** Whether a zero is to be stored at the time since when a sample counts: if that comes in order. */
  #beginsAt(ref: SeriesRef, startMs: number, timestampMs: number): boolean {
    const { head, zeroesStarts } = this.#context;
    if (!zeroesStarts || startMs === 0 || startMs >= timestampMs || !head.hasSeries(ref)) return false;
    return startMs >= appendBounds(this.#context).minValidTimeMs && startMs > head.histograms.newestMs(ref);
  }

  get keepsExemplars(): boolean {
    return this.#context.exemplars.capacity > 0;
  }

  get keepsMetadata(): boolean {
    return this.#context.keepsMetadata;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarFate {
    const { head, exemplars } = this.#context;
    if (!head.hasSeries(ref)) return "unknownSeries";
    const fate = exemplars.judge(ref, exemplar);
    if (fate === "queued") this.#exemplars.push({ ref, exemplar });
    return fate;
  }

  appendMetadata(ref: SeriesRef, metadata: MetricMetadata): void {
    if (!this.keepsMetadata || isSame(this.#context.head.metadata.get(ref), metadata)) return;
    this.#metadata.push({ ref, metadata });
  }

  commit(): AppendResult {
    try {
      return this.commitPart();
    } finally {
      const { head, mapper } = this.#context;
      const { arena, isolation } = head.kernel;
      isolation.publish();
      // Not before: epochs must not advance while readers begin at notes that may have been retired.
      arena.reclaim();
      mapper.notice();
    }
  }

  commitPart(): AppendResult {
    const { head, log, chunkRangeMs, samplesPerChunk, isReplaying } = this.#context;
    const notes = { metadata: this.#metadata, exemplars: this.#exemplars };
    const batches = this.#batch === undefined ? this.#later : [this.#batch, ...this.#later];
    if (batches.length + notes.metadata.length + notes.exemplars.length === 0) return emptyResult();
    const bounds = appendBounds(this.#context);
    try {
      for (const batch of batches) batch.check(bounds);
      log.write(head, batches, notes);
      if (!isReplaying) for (const batch of batches) batch.append({ chunkRangeMs, samplesPerChunk });
      const result = emptyResult();
      try {
        this.#context.outOfOrder.take(batches);
      } finally {
        for (const batch of batches) this.#tally(batch, result);
      }
      if (!isReplaying) this.#keepNotes(notes);
      return result;
    } finally {
      this.rollback();
    }
  }

  rollback(): void {
    this.#exemplars.length = 0;
    this.#metadata.length = 0;
    this.#batch?.clear();
    for (const batch of this.#later.splice(0)) if (isFloats(batch)) this.#context.pool.give(batch);
    this.#histogramKinds.clear();
    if (this.#batch === undefined || this.#releasePending) return;
    this.#releasePending = true;
    setImmediate(() => this.#release());
  }

  #keepNotes({ metadata, exemplars }: CommitNotes): void {
    const { head, exemplars: storage } = this.#context;
    for (const entry of metadata) head.metadata.set(entry.ref, entry.metadata);
    for (const { ref, exemplar } of exemplars) if (head.hasSeries(ref)) storage.add(ref, exemplar);
  }

  #release(): void {
    this.#releasePending = false;
    if (this.#batch === undefined || this.#batch.count > 0) return;
    this.#context.pool.give(this.#batch);
    this.#batch = undefined;
  }

  /** The batch that the series' next float goes to. */
  #filling(ref: SeriesRef): SampleBatch {
    const last = this.#later.findLast(isFloats) ?? this.batch;
    if (last.count < last.capacity && !this.#histogramKinds.has(ref)) return last;
    const next = this.#context.pool.take();
    this.#later.push(next);
    this.#histogramKinds.clear();
    return next;
  }

  #queueHistogram(ref: SeriesRef, timestampMs: number, histogram: Histogram, kind: HistogramKind): void {
    let last = this.#later.at(-1);
    if (last === undefined || isFloats(last))
      this.#later.push((last = new HistogramBatch(this.#context.head.histograms)));
    last.push({ ref, timestampMs, histogram, kind, startTimestampMs: 0 });
    this.#histogramKinds.set(ref, kind);
  }

  #tally(batch: QueuedSamples, result: AppendResult): void {
    const { head, counters: totals } = this.#context;
    const { status, timestamps, count } = batch;
    const counters = isFloats(batch) ? totals.float : totals.histogram;
    const tally = new Uint32Array(10);
    let minMs = Infinity;
    let maxMs = -Infinity;
    for (let i = 0; i < count; i++) {
      tally[status[i]!]!++;
      if (status[i] !== sampleStatus.ok) continue;
      const timestampMs = timestamps[i]!;
      if (timestampMs < minMs) minMs = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
    }
    head.coverTimes(minMs, maxMs);
    for (const name of resultNames) {
      result[name] += tally[resultStatus[name]]!;
      counters[name] += tally[resultStatus[name]]!;
    }
    result.appended += tally[sampleStatus.late]!;
    counters.appended += tally[sampleStatus.late]!;
    counters.late += tally[sampleStatus.late]!;
    result.outOfOrder += tally[sampleStatus.tooOld]!;
    counters.tooOld += tally[sampleStatus.tooOld]!;
    // A series that was removed meanwhile had its time truncated: who still holds its ref must ask for a new one.
    result.outOfBounds += tally[sampleStatus.unknownSeries]!;
    counters.unknownSeries += tally[sampleStatus.unknownSeries]!;
  }
}

/** What a histogram had counted when it began, in its own layout so that it needs no other chunk. */
function zeroOf({ schema, zeroThreshold, customBounds }: Histogram): Histogram {
  return createHistogram({ schema, zeroThreshold, customBounds, counterReset: "reset" });
}

function isFloats(batch: QueuedSamples): batch is SampleBatch {
  return !(batch instanceof HistogramBatch);
}

/** Upstream's lower bound (half a chunk range behind the newest sample) without trusting samples from the future. */
export function appendBounds(context: AppendContext): TimeBounds {
  const { head, clock, chunkRangeMs, futureMaxMs, minValidTimeMs } = context;
  const nowMs = clock.nowMs();
  return {
    minValidTimeMs: Math.max(minValidTimeMs, Math.min(head.maxTimeMs, nowMs) - chunkRangeMs / 2),
    maxValidTimeMs: nowMs + futureMaxMs,
  };
}

function isSame(known: MetricMetadata | undefined, { type, unit, help }: MetricMetadata): boolean {
  return known !== undefined && known.type === type && known.unit === unit && known.help === help;
}

const resultStatus = {
  appended: sampleStatus.ok,
  outOfOrder: sampleStatus.outOfOrder,
  duplicate: sampleStatus.duplicate,
  outOfBounds: sampleStatus.outOfBounds,
  tooFarInFuture: sampleStatus.tooFarInFuture,
  memoryFull: sampleStatus.memoryFull,
} satisfies Record<keyof AppendResult, number>;
const resultNames = Object.keys(resultStatus) as (keyof AppendResult)[];

function emptyResult(): AppendResult {
  return { appended: 0, outOfOrder: 0, duplicate: 0, outOfBounds: 0, tooFarInFuture: 0, memoryFull: 0 };
}
