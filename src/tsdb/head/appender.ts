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
import {
  type Appender,
  type AppendResult,
  type Exemplar,
  type ExemplarFate,
  type HistogramKind,
  type SeriesRef,
  emptyAppendResult,
} from "../../storage/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { ChunkMapper } from "../head-chunks/index.ts";
import type { OutOfOrderAppender } from "../out-of-order/appender.ts";
import type { ExemplarEntry } from "../wal/exemplar-record.ts";
import type { MetadataEntry } from "../wal/metadata-record.ts";
import { addTally, type AppendTotals } from "./append-counters.ts";
import type { BatchPool } from "./batch-pool.ts";
import type { CommitLog, CommitNotes, QueuedSamples } from "./commit-log.ts";
import { EntryBatch, isFloatEntry, type SampleEntry } from "./entry-batch.ts";
import type { Head } from "./head.ts";
import { newestSampleMs } from "./newest-sample.ts";

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
  readonly outOfOrder: Pick<OutOfOrderAppender, "refuseEarly" | "take">;
  readonly keepsMetadata: boolean;
  /** Whether a series gets a zero at the time since when its samples count. */
  readonly zeroesStarts: boolean;
  /** Whether it is stored with samples since when they count. */
  readonly storesStarts: boolean;
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** Samples beyond now plus this are refused, so that a wrong date cannot close the head for true ones. */
  readonly futureMaxMs: number;
  /** While the log is replayed: commits are only written to it, and come into the head when the replay reaches them. */
  isReplaying: boolean;
  /** Samples before are refused, since their time was truncated; -Infinity when nothing was. */
  minValidTimeMs: number;
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
  /** Series of which entries are queued behind the last batch of floats, and the newest one's kind: their next float must come behind. */
  readonly #entryKinds = new Map<SeriesRef, HistogramKind | "startedFloat">();
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
    if (this.#keepsStart(ref, startTimestampMs))
      return this.#queue({ ref, timestampMs, bits: bitsOf(value), startTimestampMs }, "startedFloat");
    const batch = this.#filling(ref);
    // All NaNs that are no markers are one in storage.
    const added = Number.isNaN(value)
      ? batch.pushBits(ref, timestampMs, normalNaNBits)
      : batch.push(ref, timestampMs, value);
    assert(added, "batch has room");
  }

  appendStale(ref: SeriesRef, timestampMs: number): void {
    const kind = this.#newestKind(ref);
    if (kind === "startedFloat")
      return this.#queue({ ref, timestampMs, bits: staleMarkerBits, startTimestampMs: 0 }, kind);
    if (kind !== undefined) return this.#queueHistogram(ref, timestampMs, staleHistogram, kind, 0);
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
      this.#queueHistogram(ref, startTimestampMs, zeroOf(histogram), kind, 0);
    const startMs = this.#context.storesStarts ? startTimestampMs : 0;
    this.#queueHistogram(ref, timestampMs, histogram, kind, startMs);
  }

  /** Whether a zero is to be stored at the time since when a sample counts: if that comes in order. */
  #beginsAt(ref: SeriesRef, startMs: number, timestampMs: number): boolean {
    const { head, zeroesStarts } = this.#context;
    if (!zeroesStarts || startMs === 0 || startMs >= timestampMs || !head.hasSeries(ref)) return false;
    return (
      startMs >= appendBounds(this.#context).minValidTimeMs && startMs > newestSampleMs(head.kernel, ref)
    );
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
    if (batches.length + notes.metadata.length + notes.exemplars.length === 0) return emptyAppendResult();
    const bounds = appendBounds(this.#context);
    try {
      for (const batch of batches) batch.check(bounds);
      if (batches.some((batch) => !isFloats(batch))) refuseOlder(batches);
      this.#context.outOfOrder.refuseEarly(batches);
      log.write(head, batches, notes);
      if (!isReplaying) for (const batch of batches) batch.append({ chunkRangeMs, samplesPerChunk });
      const result = emptyAppendResult();
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
    this.#entryKinds.clear();
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
    if (last.count < last.capacity && !this.#entryKinds.has(ref)) return last;
    const next = this.#context.pool.take();
    this.#later.push(next);
    this.#entryKinds.clear();
    return next;
  }

  /** Whether a float is queued with its start timestamp: also one of which it is not known, behind others. */
  #keepsStart(ref: SeriesRef, startTimestampMs: number): boolean {
    if (startTimestampMs !== 0) return this.#context.storesStarts;
    return this.#entryKinds.get(ref) === "startedFloat";
  }

  /** The kind of a series' newest sample, queued or stored; undefined of floats without start timestamp and of those stored. */
  #newestKind(ref: SeriesRef): HistogramKind | "startedFloat" | undefined {
    return this.#entryKinds.get(ref) ?? this.#context.head.histograms.kindOf(ref);
  }

  #queueHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram,
    kind: HistogramKind,
    startTimestampMs: number,
  ): void {
    this.#queue({ ref, timestampMs, histogram, kind, startTimestampMs }, kind);
  }

  #queue(entry: SampleEntry, kind: HistogramKind | "startedFloat"): void {
    let last = this.#later.at(-1);
    if (last === undefined || isFloats(last)) this.#later.push((last = new EntryBatch(this.#context.head)));
    last.push(entry);
    this.#entryKinds.set(entry.ref, kind);
  }

  #tally(batch: QueuedSamples, result: AppendResult): void {
    const { head, counters: totals } = this.#context;
    const { status, timestamps, count } = batch;
    const entries = isFloats(batch) ? undefined : batch.entries;
    const floats = new Uint32Array(10);
    const histograms = new Uint32Array(10);
    let minMs = Infinity;
    let maxMs = -Infinity;
    for (let i = 0; i < count; i++) {
      const tally = entries === undefined || isFloatEntry(entries[i]!) ? floats : histograms;
      tally[status[i]!]!++;
      if (status[i] !== sampleStatus.ok) continue;
      const timestampMs = timestamps[i]!;
      if (timestampMs < minMs) minMs = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
    }
    head.coverTimes(minMs, maxMs);
    addTally(floats, totals.float, result);
    addTally(histograms, totals.histogram, result);
  }
}

const doubles = new DataView(new ArrayBuffer(8));

/** All NaNs that are no markers are one in storage. */
function bitsOf(value: number): bigint {
  if (Number.isNaN(value)) return normalNaNBits;
  doubles.setFloat64(0, value);
  return doubles.getBigUint64(0);
}

/** What a histogram had counted when it began, in its own layout so that it needs no other chunk. */
function zeroOf({ schema, zeroThreshold, customBounds }: Histogram): Histogram {
  return createHistogram({ schema, zeroThreshold, customBounds, counterReset: "reset" });
}

function isFloats(batch: QueuedSamples): batch is SampleBatch {
  return !(batch instanceof EntryBatch);
}

/**
 * Refuses samples that are older than others of their series that are queued before. The log must not have them: it has a commit's samples by their kind, and who reads it
 * brings those of a series into the order of time. Of floats alone the log keeps the order.
 */
function refuseOlder(batches: readonly QueuedSamples[]): void {
  const newestMs = new Map<SeriesRef, number>();
  for (const batch of batches)
    for (let i = 0; i < batch.count; i++) {
      if (batch.status[i] !== sampleStatus.ok) continue;
      const ref = isFloats(batch) ? batch.refs[i]! : batch.entries[i]!.ref;
      const timestampMs = batch.timestamps[i]!;
      if (timestampMs < (newestMs.get(ref) ?? -Infinity)) batch.status[i] = sampleStatus.outOfOrder;
      else newestMs.set(ref, timestampMs);
    }
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
