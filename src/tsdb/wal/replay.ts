import { type Disk, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import { layout } from "../../kernel/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import { type Head, pageOf } from "../head/head.ts";
import { decodeExemplars } from "./exemplar-record.ts";
import { decodeMetadata } from "./metadata-record.ts";
import { isHistogramRecord } from "./histogram-record.ts";
import type { LoadedHeadChunks } from "../head-chunks/index.ts";
import { SegmentReader, type WalDamage } from "./reader.ts";
import { recordType } from "./record.ts";
import { ReplayWindow } from "./replay-window.ts";
import { SeriesRecordReader } from "./series-record.ts";
import { listCheckpoints, listSegments, segmentName } from "./segment.ts";
import { decodeTombstoneRecord } from "./tombstone-record.ts";
import type { WalWriter } from "./writer.ts";

export interface ReplayOptions {
  head: Head;
  disk: Disk;
  logger: Logger;
  /** The WAL directory. */
  directory: string;
  /** Where exemplars go. */
  exemplars?: ExemplarStorage;
  /** Whether what is known of metrics is kept. Default false. */
  keepsMetadata?: boolean;
  chunkRangeMs: number;
  samplesPerChunk: number;
  /** Samples before are left out. */
  minValidTimeMs: number;
  /** Chunks that are in files: their series get them, and samples that they hold are left out. */
  headChunks?: LoadedHeadChunks | undefined;
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

export interface ReplayResult {
  records: number;
  samples: number;
  series: number;
  /** Damaged places; what follows them was kept. */
  damages: WalDamage[];
  /** Torn ends of segments, which were cut. */
  tornTails: WalDamage[];
  /** Records of a type, or with histograms of a schema, that is not read yet, by type. */
  skippedRecords: Map<number, number>;
  /** What names a series that the log does not, by kind. */
  unknownRefs: Record<"samples" | "histograms" | "tombstones" | "exemplars" | "metadata", number>;
  /** Whether refs in the log mean other series in the head, so that the log must be written anew before it is continued. */
  isRenumbered: boolean;
  /** Refs of the log whose series has another ref in the head. */
  refs: ReadonlyMap<number, number>;
}

/** The event loop gets its turn after so much work. */
const sliceMs = 20;
/** A page of slots is opened for a ref only while pages are this full on average, or few: sparse refs are numbered afresh. */
const slotsPerSeriesMax = 8;
const sparsePagesMin = 16;
/** Higher refs are numbered afresh, so that every run has the upper half of the numbers for new series. */
export const keptRefMax = Math.floor(layout.seriesRefMax / 2);

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
    return { ...replay.result, refs: replay.refs };
  } finally {
    replay.close();
  }
}

class Replay {
  readonly result: Omit<ReplayResult, "refs"> = {
    records: 0,
    samples: 0,
    series: 0,
    damages: [],
    tornTails: [],
    skippedRecords: new Map(),
    unknownRefs: { samples: 0, histograms: 0, tombstones: 0, exemplars: 0, metadata: 0 },
    isRenumbered: false,
  };
  readonly #options: ReplayOptions;
  readonly #head: Head;
  /** Refs of the log whose series has another ref in the head. */
  readonly refs = new Map<number, number>();
  readonly #series: SeriesRecordReader;
  readonly #window: ReplayWindow;
  #pages = 0;
  readonly #pagesSeen = new Set<number>();
  #sliceStartMs = performance.now();

  readonly #progress: ReplayProgress;

  constructor(options: ReplayOptions, progress: ReplayProgress) {
    this.#options = options;
    this.#progress = progress;
    this.#head = options.head;
    this.#series = new SeriesRecordReader(options.head);
    this.#window = new ReplayWindow(options);
  }

  async readSegment(path: string): Promise<void> {
    const reader = new SegmentReader(this.#head.kernel, this.#options.disk, path);
    try {
      await this.#drain(reader, path);
      this.#judge(reader, path);
    } finally {
      reader.close();
    }
  }

  /** Reads what `writer` writes, segment by segment, until nothing is left. */
  async follow(writer: WalWriter): Promise<void> {
    const { disk, directory } = this.#options;
    for (let index = writer.firstSegment; ; index++) {
      const path = `${directory}/${segmentName(index)}`;
      const isNewest = (): boolean => writer.segment === index;
      const reader = new SegmentReader(
        this.#head.kernel,
        disk,
        path,
        isNewest() ? writer.segmentSizeBytes : undefined,
      );
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
    this.#window.flush();
    this.result.samples = this.#window.appended;
    Object.assign(this.result.unknownRefs, this.#window.unknownSeries);
    this.#head.labelIndex.sort();
    this.#options.onCaughtUp?.();
  }

  close(): void {
    this.#window.close();
  }

  async #drain(reader: SegmentReader, path: string): Promise<void> {
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      this.#readRecord(record, path);
      if (performance.now() - this.#sliceStartMs < sliceMs) continue;
      if (this.#options.isCancelled()) throw new NarthexError("canceled", "the replay was cut short");
      await this.#options.onSlice?.(this.#progress);
      this.#series.forget();
      this.#head.kernel.arena.reclaim();
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

  /** What was being written when the process or machine went down is no record, and would hide what is written after it from others. */
  #cutTail(reader: SegmentReader, path: string): void {
    const { disk, logger } = this.#options;
    this.result.tornTails.push(reader.tail!);
    logger.warn("torn end of WAL segment cut", { ...reader.tail, sizeBytes: reader.goodBytes });
    const fd = disk.open(path, "r+");
    try {
      disk.truncate(fd, reader.goodBytes);
    } finally {
      disk.close(fd);
    }
  }

  #readRecord(record: Uint8Array, path: string): void {
    this.result.records++;
    try {
      if (record[0] === recordType.samples) this.#window.add(record, this.refs);
      else if (record[0] === recordType.series) this.#readSeries(record);
      else if (isHistogramRecord(record)) this.#readHistograms(record);
      else if (record[0] === recordType.samplesV2) this.#window.addFloats(record, this.refs);
      else if (record[0] === recordType.tombstones) this.#readTombstones(record);
      else if (record[0] === recordType.exemplars) this.#readExemplars(record);
      else if (record[0] === recordType.metadata) this.#readMetadata(record);
      else this.#skip(record[0] ?? 0, 1);
    } catch (error) {
      // A checksum held, so whoever wrote this record wrote it wrong; the rest is none the worse for it.
      if (!(error instanceof RangeError)) throw error;
      this.result.damages.push({ path, offset: 0, reason: errorMessage(error) });
      this.#options.logger.warn("malformed WAL record skipped", { path, err: errorMessage(error) });
    }
  }

  #skip(type: number, count: number): void {
    if (count > 0) this.result.skippedRecords.set(type, (this.result.skippedRecords.get(type) ?? 0) + count);
  }

  #readHistograms(record: Uint8Array): void {
    const skipped = this.#window.addHistograms(record, this.refs);
    this.#skip(record[0]!, Math.min(skipped, 1));
  }

  #readTombstones(record: Uint8Array): void {
    for (const { ref: logRef, interval } of decodeTombstoneRecord(record)) {
      const ref = this.refs.get(logRef) ?? logRef;
      if (this.#head.hasSeries(ref)) this.#head.tombstones.add({ ref, interval });
      else this.result.unknownRefs.tombstones++;
    }
  }

  #readSeries(record: Uint8Array): void {
    const head = this.#head;
    this.#series.read(record, (logRef, hash, pairs, count) => {
      let ref = head.find(hash, pairs, count);
      if (ref === 0) {
        ref = this.#isUsable(logRef) ? logRef : this.#freshRef();
        head.create(ref, hash, pairs, count);
        this.result.series++;
        // Under another ref than the head's, the series' later chunks would not follow these in the files.
        if (ref === logRef) this.#attachChunks(ref);
        else this.#renumber(ref);
      } else if (ref !== logRef && !this.#options.writer) {
        // The series has two numbers in the log; the second must not be given to another one.
        if (logRef > keptRefMax) this.result.isRenumbered = true;
        else head.skipRef(logRef);
      }
      if (ref === logRef) this.refs.delete(logRef);
      else this.refs.set(logRef, ref);
    });
  }

  #readExemplars(record: Uint8Array): void {
    for (const { ref: logRef, exemplar } of decodeExemplars(record)) {
      const ref = this.#headRef(logRef);
      if (ref === 0) this.result.unknownRefs.exemplars++;
      else this.#options.exemplars?.restore(ref, exemplar);
    }
  }

  #readMetadata(record: Uint8Array): void {
    for (const { ref: logRef, metadata } of decodeMetadata(record)) {
      const ref = this.#headRef(logRef);
      if (ref === 0) this.result.unknownRefs.metadata++;
      else if (this.#options.keepsMetadata) this.#head.metadata.set(ref, metadata);
    }
  }

  /** The ref in the head for one of the log, 0 when there is no such series. */
  #headRef(logRef: number): number {
    const ref = this.refs.get(logRef) ?? logRef;
    return ref >= 1 && ref <= layout.seriesRefMax && this.#head.hasSeries(ref) ? ref : 0;
  }

  #attachChunks(ref: number): void {
    const head = this.#head;
    if (this.#options.headChunks?.attach(ref) !== true) return;
    const [minMs, maxMs] = head.chunkTimes(ref);
    head.coverTimes(Math.max(minMs, this.#options.minValidTimeMs), maxMs);
  }

  /** The series has a ref of our own choice. When that is beyond all in the log, it need only be written there. */
  #renumber(ref: number): void {
    if (this.#options.writer) this.#head.unlogged.push(ref);
    else this.result.isRenumbered = true;
  }

  /** Whether a series may have the same ref as in the log: free, in range, and not alone on a page of slots. */
  #isUsable(ref: number): boolean {
    if (ref < 1 || ref > keptRefMax || !this.#head.kernel.series.isFree(ref)) return false;
    const page = pageOf(ref);
    if (this.#pagesSeen.has(page)) return true;
    const slots = (this.#pages + 1) * layout.slot.perPage;
    if (this.#pages >= sparsePagesMin && slots > slotsPerSeriesMax * this.#head.seriesCount) return false;
    this.#pagesSeen.add(page);
    this.#pages++;
    return true;
  }

  /** A ref of our own choice; without a bound on those in the log, the same number means another series there, or none. */
  #freshRef(): number {
    const ref = this.#head.freshRef();
    if (!this.#options.writer && !this.refs.has(ref)) this.refs.set(ref, 0);
    this.#pagesSeen.add(pageOf(ref));
    this.#pages = this.#pagesSeen.size;
    return ref;
  }
}
