import type { Clock } from "../../base/index.ts";
import { MemoryFullError, type SampleBatch, type SampleStatus, sampleStatus } from "../../kernel/index.ts";
import { EntryBatch, type SampleEntry } from "../head/entry-batch.ts";
import type { Head } from "../head/head.ts";
import type { OutOfOrderLog } from "./log.ts";
import type { OutOfOrderMapper } from "./mapper.ts";

export interface OutOfOrderAppenderOptions {
  head: Head;
  log: OutOfOrderLog;
  mapper: OutOfOrderMapper;
  clock: Clock;
  /** Hears of how much older than the head's newest each sample was that could not be appended in order. */
  onDelta?: (seconds: number) => void;
}

/** A sample that the head refused. */
interface LateSample {
  readonly entry: SampleEntry;
  readonly batch: SampleBatch | EntryBatch;
  /** In the batch. */
  readonly index: number;
}

/** Takes the samples that the head refused because newer ones of their series, or of all, were there. Main thread only. */
export class OutOfOrderAppender {
  /** How much older than the head's newest a sample may be; 0 takes none. */
  windowMs = 0;
  readonly #options: OutOfOrderAppenderOptions;
  /** While the log is replayed samples are only written to it, and come into the head when the replay reaches them. */
  #isReplaying = true;
  readonly #openedMs: number;
  /** By series, of what was accepted in order while the log is replayed. */
  readonly #newestMs = new Map<number, number>();

  constructor(options: OutOfOrderAppenderOptions) {
    this.#options = options;
    this.#openedMs = options.clock.nowMs();
  }

  /** The log was read: from now on samples go into the head. */
  caughtUp(): void {
    this.#isReplaying = false;
    this.#newestMs.clear();
  }

  /**
   * Refuses what a head that is not filled yet has accepted, and that may come too late: it is older than its series' newest, or than the process, as what is still to be read may be.
   */
  refuseEarly(batches: readonly (SampleBatch | EntryBatch)[]): void {
    if (!this.#isReplaying || this.windowMs === 0) return;
    for (const batch of batches)
      for (let i = 0; i < batch.count; i++) {
        if (batch.status[i] !== sampleStatus.ok) continue;
        const ref = refOf(batch, i);
        const timestampMs = batch.timestamps[i]!;
        if (timestampMs < this.#openedMs || timestampMs < (this.#newestMs.get(ref) ?? -Infinity))
          batch.status[i] = sampleStatus.outOfOrder;
        else this.#newestMs.set(ref, timestampMs);
      }
  }

  /**
   * Logs and stores what was refused as far as it is within the window, and sets its status: `late`, `tooOld` beyond the window, or `memoryFull`: the commit's other
   * samples are stored by now. Throws `unavailable` when something cannot be logged; then it is as refused as it was.
   */
  take(batches: readonly (SampleBatch | EntryBatch)[]): void {
    const { head, clock, onDelta } = this.#options;
    const newestMs = Math.min(head.maxTimeMs, clock.nowMs());
    const late: LateSample[] = [];
    for (const batch of batches)
      for (let i = 0; i < batch.count; i++) {
        if (!isRefused(batch.status[i]!)) continue;
        const behindMs = newestMs - batch.timestamps[i]!;
        if (behindMs > 0) onDelta?.(behindMs / 1000);
        if (this.windowMs === 0) continue;
        if (behindMs > this.windowMs) batch.status[i] = sampleStatus.tooOld;
        else if (head.hasSeries(refOf(batch, i))) late.push({ entry: entryOf(batch, i), batch, index: i });
      }
    try {
      if (this.#isReplaying) this.#logOnly(late);
      else this.#store(late);
    } catch (error) {
      if (!(error instanceof MemoryFullError)) throw error;
      for (const { batch, index } of late)
        if (isRefused(batch.status[index]!)) batch.status[index] = sampleStatus.memoryFull;
    }
  }

  #logOnly(late: readonly LateSample[]): void {
    this.#options.log.write(
      [],
      late.map(({ entry }) => entry),
    );
    for (const { batch, index } of late) batch.status[index] = sampleStatus.late;
  }

  /** In rounds: of each series as many samples at a time as its list takes, since a marker of the log stands for what precedes it there. */
  #store(late: readonly LateSample[]): void {
    const { log, mapper } = this.#options;
    for (let rest = late; rest.length > 0;) {
      const full = new Set(rest.map(({ entry }) => entry.ref).filter((ref) => this.#head.room(ref) === 0));
      const markers = mapper.cut([...full]);
      const { round, later } = this.#nextRound(rest);
      log.write(
        markers,
        round.map(({ entry }) => entry),
      );
      mapper.noteLogged(markers);
      for (const { entry, batch, index } of round) batch.status[index] = this.#insert(entry);
      rest = later;
    }
  }

  /** Those that the lists have room for, and those that come after. Sets the status of the others, which are known or cannot be stored. */
  #nextRound(rest: readonly LateSample[]): { round: LateSample[]; later: LateSample[] } {
    const round: LateSample[] = [];
    const later: LateSample[] = [];
    const roomOf = new Map<number, number>();
    for (const sample of rest) {
      const { entry, batch, index } = sample;
      const { ref, timestampMs } = entry;
      const room = roomOf.get(ref) ?? this.#head.room(ref);
      // A list that is full still could not be closed.
      if (this.#head.room(ref) === 0) batch.status[index] = sampleStatus.memoryFull;
      else if (this.#head.hasOpen(ref, timestampMs)) batch.status[index] = sampleStatus.repeated;
      else if (room === 0) later.push(sample);
      else {
        roomOf.set(ref, room - 1);
        round.push(sample);
      }
    }
    return { round, later };
  }

  get #head(): Head["outOfOrder"] {
    return this.#options.head.outOfOrder;
  }

  #insert(entry: SampleEntry): SampleStatus {
    try {
      return this.#head.insert(entry) ? sampleStatus.late : sampleStatus.repeated;
    } catch (error) {
      if (!(error instanceof MemoryFullError)) throw error;
      return sampleStatus.memoryFull;
    }
  }
}

function isRefused(status: number): boolean {
  return status === sampleStatus.outOfOrder || status === sampleStatus.outOfBounds;
}

function refOf(batch: SampleBatch | EntryBatch, index: number): number {
  return batch instanceof EntryBatch ? batch.entries[index]!.ref : batch.refs[index]!;
}

function entryOf(batch: SampleBatch | EntryBatch, index: number): SampleEntry {
  if (batch instanceof EntryBatch) return batch.entries[index]!;
  const { refs, timestamps, valueBits } = batch;
  return { ref: refs[index]!, timestampMs: timestamps[index]!, bits: valueBits[index]!, startTimestampMs: 0 };
}
