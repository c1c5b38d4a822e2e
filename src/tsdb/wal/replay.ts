import { type Disk, NarthexError, systemDisk } from "../../base/index.ts";
import type { LoadedHeadChunks } from "../head-chunks/index.ts";
import { cutTail } from "./cut-tail.ts";
import { type ReadAheadPart, readAheadBytesMinDefault, SegmentReadAhead } from "./read-ahead.ts";
import { type SegmentEnd, SegmentReader } from "./reader.ts";
import type { GatheredSamples, RecordBlock } from "./read-ahead-messages.ts";
import { RecordReplay, type RecordReplayOptions, type ReplayResult } from "./record-replay.ts";
import { aliasSpanMax, spanOf } from "./sample-gatherer.ts";
import { finishedSegments, type Segment, segmentName } from "./segment.ts";
import type { WalWriter } from "./writer.ts";

export interface ReplayOptions extends RecordReplayOptions {
  disk: Disk;
  /** The WAL directory. */
  directory: string;
  /** Asked between slices of work: when true, the replay rejects with `canceled`. */
  isCancelled: () => boolean;
  /** Awaited between slices of work, with what was read so far; it may drop chunks from the head. */
  onSlice?: (progress: ReplayProgress) => void | Promise<void>;
  /**
   * The writer that commits go to meanwhile: what it writes is replayed as well. New refs must be beyond all in the log. `onCaughtUp` is called
   * when nothing more is left; from then on commits must go into the head.
   */
  writer?: WalWriter | undefined;
  /** The thread that reads the log already, and sent the series which are `logged`. It is closed. */
  ahead?: SegmentReadAhead | undefined;
  /** From so many bytes on, the log is read by a thread of its own. */
  readAheadBytesMin?: number | undefined;
  onCaughtUp?: () => void;
}

/** What `/api/v1/status/walreplay` shows: numbers of segments. */
export interface ReplayProgress {
  min: number;
  max: number;
  current: number;
}

/** So many gathered samples are appended before it is asked whether it is time for a turn. */
const samplesPerPiece = 128 * 1024;
/** The event loop gets its turn after so much work. */
const sliceMs = 20;

/**
 * Fills an empty head from the newest checkpoint and the segments after it. Idempotent: what is read twice is stored once. Memory does not
 * exceed what the head itself needs by more than some records. Throws the disk's errors, and `unavailable` when the memory is full.
 */
export async function replayWal(options: ReplayOptions): Promise<ReplayResult> {
  const { disk, directory, writer } = options;
  const before = writer?.firstSegment ?? Infinity;
  const { checkpointed, finished } = finishedSegments(disk, directory, before);
  const progress: ReplayProgress = {
    min: finished[0]?.index ?? 0,
    max: finished.at(-1)?.index ?? 0,
    current: finished[0]?.index ?? 0,
  };
  const replay = new Replay(options, progress);
  try {
    if (options.ahead) await replay.readAhead(options.ahead);
    else await replay.readSegments([...checkpointed, ...finished]);
    if (writer) await replay.follow(writer);
    else replay.finish();
    return replay.result;
  } finally {
    replay.close();
  }
}

/** Reads segments, in slices between which the event loop turns. */
class Replay {
  readonly #options: ReplayOptions;
  readonly #progress: ReplayProgress;
  readonly #records: RecordReplay;
  #sliceStartMs = performance.now();

  constructor(options: ReplayOptions, progress: ReplayProgress) {
    this.#options = options;
    this.#progress = progress;
    this.#records = new RecordReplay(options, options.writer !== undefined);
  }

  get result(): ReplayResult {
    return this.#records.result;
  }

  /** Reads segments that nobody writes any more: of a checkpoint, then of the log. */
  async readSegments(segments: readonly Segment[]): Promise<void> {
    const { disk, readAheadBytesMin = readAheadBytesMinDefault } = this.#options;
    const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (disk === systemDisk && segments.length > 0 && bytes >= readAheadBytesMin)
      await this.readAhead(new SegmentReadAhead(this.#options.head.kernel, segments, false));
    else for (const segment of segments) await this.#readSegment(segment);
  }

  /** On two threads: the other one reads, checks and decompresses, and where the head has the series of the log already it gathers their samples, too. Closes it. */
  async readAhead(ahead: SegmentReadAhead): Promise<void> {
    const { logged, headChunks, minValidTimeMs } = this.#options;
    try {
      if (logged?.isSettled && spanOf(logged.numbering.refs)[1] <= aliasSpanMax) {
        await this.#attachAll(headChunks);
        const storedUntilMs = headChunks?.maxTimestampMs ?? -Infinity;
        ahead.order({ minTimeMs: minValidTimeMs, storedUntilMs, aliases: logged.numbering.refs });
      } else ahead.order();
      for (let part = await ahead.next(); part !== undefined; part = await ahead.next())
        await this.#take(part, ahead);
    } finally {
      await ahead.close();
    }
  }

  /** Gives all series of the log their chunks that are in files. */
  async #attachAll(headChunks: LoadedHeadChunks | undefined): Promise<void> {
    for (const ref of headChunks?.refs() ?? []) {
      this.#records.attachChunks(ref);
      if (this.#isDue()) await this.#turn();
    }
  }

  async #take(part: ReadAheadPart, ahead: SegmentReadAhead): Promise<void> {
    if (part.type === "records") await this.#readBlock(part, ahead.segments[part.segment]!);
    else if (part.type === "samples") await this.#appendGathered(part);
    else if (part.type === "segmentEnd") return this.#judge(part.end, ahead.segments[part.segment]!.path);
    ahead.giveBack();
  }

  async #readBlock({ ptr, lengths }: RecordBlock, segment: Segment): Promise<void> {
    const { u8 } = this.#options.head.kernel.views;
    this.#show(segment);
    let at = ptr;
    for (const length of lengths) {
      this.#records.read(u8.subarray(at, at + length), segment.path);
      at += length;
      if (this.#isDue()) await this.#turn();
    }
  }

  async #appendGathered({ columns, count, records }: GatheredSamples): Promise<void> {
    const samples = this.#options.head.kernel.sampleBatchAt(columns, count);
    for (let start = 0; start < count; start += samplesPerPiece) {
      this.#records.appendGathered(samples.part(start, samplesPerPiece));
      if (this.#isDue()) await this.#turn();
    }
    this.#records.endGathered(records);
  }

  async #readSegment(segment: Segment): Promise<void> {
    const { head, disk } = this.#options;
    this.#show(segment);
    const reader = new SegmentReader(head.kernel, disk, segment.path);
    try {
      await this.#drain(reader, segment.path);
      this.#judge(reader.end, segment.path);
    } finally {
      reader.close();
    }
  }

  /** A checkpoint's segments count like the first of the log. */
  #show({ index }: Segment): void {
    const { min, max } = this.#progress;
    this.#progress.current = Math.min(Math.max(index, min), max);
  }

  /** Reads what `writer` writes, segment by segment, until nothing is left. */
  async follow(writer: WalWriter): Promise<void> {
    const { head, disk, directory } = this.#options;
    for (let index = writer.firstSegment; ; index++) {
      const path = `${directory}/${segmentName(index)}`;
      const isNewest = (): boolean => writer.segment === index;
      const sizeBytes = isNewest() ? writer.segmentSizeBytes : undefined;
      const reader = new SegmentReader(head.kernel, disk, path, { sizeBytes });
      try {
        await this.#drain(reader, path);
        while (isNewest() && reader.position < writer.segmentSizeBytes) {
          reader.extend(writer.segmentSizeBytes);
          await this.#drain(reader, path);
        }
        if (isNewest()) {
          this.finish();
          return;
        }
        reader.extend(disk.stat(path)?.sizeBytes ?? 0);
        await this.#drain(reader, path);
        this.#judge(reader.end, path);
      } finally {
        reader.close();
      }
    }
  }

  /** Brings the last samples into the head. Nothing may wait from the last look at the log until commits go to the head. */
  finish(): void {
    this.#records.finish();
    this.#options.onCaughtUp?.();
  }

  close(): void {
    this.#records.close();
  }

  async #drain(reader: SegmentReader, path: string): Promise<void> {
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      this.#records.read(record, path);
      if (this.#isDue()) await this.#turn();
    }
  }

  /** Whether a slice of work is over. */
  #isDue(): boolean {
    return performance.now() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets the event loop turn. */
  async #turn(): Promise<void> {
    if (this.#options.isCancelled()) throw new NarthexError("canceled", "the replay was cut short");
    await this.#options.onSlice?.(this.#progress);
    this.#options.head.kernel.arena.reclaim();
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }

  /** Counts what could not be read of a segment that was read to its end. */
  #judge(end: SegmentEnd, path: string): void {
    const { logger, disk } = this.#options;
    for (const damage of end.damages) logger.warn("damaged WAL record skipped", { ...damage });
    this.result.damages.push(...end.damages);
    if (!end.tail) return;
    this.result.tornTails.push(end.tail);
    logger.warn("torn end of WAL segment cut", { ...end.tail, sizeBytes: end.goodBytes });
    cutTail(disk, path, end);
  }
}
