import { type Disk, NarthexError } from "../../base/index.ts";
import { cutTail } from "./cut-tail.ts";
import { SegmentReader } from "./reader.ts";
import { RecordReplay, type RecordReplayOptions, type ReplayResult } from "./record-replay.ts";
import { listCheckpoints, listSegments, segmentName } from "./segment.ts";
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
  onCaughtUp?: () => void;
}

/** What `/api/v1/status/walreplay` shows: numbers of segments. */
export interface ReplayProgress {
  min: number;
  max: number;
  current: number;
}

/** The event loop gets its turn after so much work. */
const sliceMs = 20;

/**
 * Fills an empty head from the newest checkpoint and the segments after it. Idempotent: what is read twice is stored once. Memory does not
 * exceed what the head itself needs by more than one record. Throws the disk's errors, and `unavailable` when the memory is full.
 */
export async function replayWal(options: ReplayOptions): Promise<ReplayResult> {
  const { disk, directory, writer } = options;
  const checkpoint = listCheckpoints(disk, directory).at(-1);
  const segments = listSegments(disk, directory).filter(({ index }) => index > (checkpoint?.index ?? -1));
  const finished = segments.filter(({ index }) => index < (writer?.firstSegment ?? Infinity));
  const progress: ReplayProgress = {
    min: finished[0]?.index ?? 0,
    max: finished.at(-1)?.index ?? 0,
    current: finished[0]?.index ?? 0,
  };
  const replay = new Replay(options, progress);
  try {
    for (const { path } of checkpoint ? listSegments(disk, checkpoint.path) : [])
      await replay.readSegment(path);
    for (const { index, path } of finished) {
      progress.current = index;
      await replay.readSegment(path);
    }
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

  async readSegment(path: string): Promise<void> {
    const { head, disk } = this.#options;
    const reader = new SegmentReader(head.kernel, disk, path);
    try {
      await this.#drain(reader, path);
      this.#judge(reader, path);
    } finally {
      reader.close();
    }
  }

  /** Reads what `writer` writes, segment by segment, until nothing is left. */
  async follow(writer: WalWriter): Promise<void> {
    const { head, disk, directory } = this.#options;
    for (let index = writer.firstSegment; ; index++) {
      const path = `${directory}/${segmentName(index)}`;
      const isNewest = (): boolean => writer.segment === index;
      const sizeBytes = isNewest() ? writer.segmentSizeBytes : undefined;
      const reader = new SegmentReader(head.kernel, disk, path, sizeBytes);
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
        this.#judge(reader, path);
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
      if (performance.now() - this.#sliceStartMs < sliceMs) continue;
      if (this.#options.isCancelled()) throw new NarthexError("canceled", "the replay was cut short");
      await this.#options.onSlice?.(this.#progress);
      this.#records.forget();
      this.#options.head.kernel.arena.reclaim();
      await new Promise((resolve) => setImmediate(resolve));
      this.#sliceStartMs = performance.now();
    }
  }

  /** Counts what could not be read of a segment that was read to its end. */
  #judge(reader: SegmentReader, path: string): void {
    for (const damage of reader.damages)
      this.#options.logger.warn("damaged WAL record skipped", { ...damage });
    this.result.damages.push(...reader.damages);
    if (reader.tail) this.#cutTail(reader, path);
  }

  #cutTail(reader: SegmentReader, path: string): void {
    this.result.tornTails.push(reader.tail!);
    this.#options.logger.warn("torn end of WAL segment cut", { ...reader.tail, sizeBytes: reader.goodBytes });
    cutTail(this.#options.disk, path, reader);
  }
}
