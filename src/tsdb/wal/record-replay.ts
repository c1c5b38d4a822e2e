import { errorMessage, type Logger } from "../../base/index.ts";
import type { SampleBatch } from "../../kernel/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { Head } from "../head/head.ts";
import { dropSamples } from "../head/truncate.ts";
import type { LoadedHeadChunks } from "../head-chunks/index.ts";
import { decodeExemplars } from "./exemplar-record.ts";
import { isHistogramRecord } from "./histogram-record.ts";
import type { LoggedSeries } from "./logged-series.ts";
import type { WindowOptions } from "./entry-window.ts";
import { decodeMetadata } from "./metadata-record.ts";
import type { WalDamage } from "./reader.ts";
import { recordType } from "./record.ts";
import { keptRefMax, RefNumbering } from "./ref-numbering.ts";
import { ReplayWindow } from "./replay-window.ts";
import { readSeriesRecord, type SeriesEntry } from "./series-record.ts";
import { decodeTombstoneRecord, isDropped } from "./tombstone-record.ts";

export interface RecordReplayOptions extends WindowOptions {
  logger: Logger;
  /** Where exemplars go. */
  exemplars?: ExemplarStorage;
  /** Whether what is known of metrics is kept. Default false. */
  keepsMetadata?: boolean;
  /** Chunks that are in files: their series get them, and samples that they hold are left out. */
  headChunks?: LoadedHeadChunks | undefined;
  /** The series that were created from the log before. */
  logged?: LoggedSeries | undefined;
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

/** Brings the records of a log, in their order, into an empty head. Who made it must `close` it. */
export class RecordReplay {
  readonly result: ReplayResult;
  readonly #options: RecordReplayOptions;
  readonly #head: Head;
  /** Whether new refs of the head are beyond all in the log. */
  readonly #isBound: boolean;
  readonly #numbering: RefNumbering;
  readonly #window: ReplayWindow;

  constructor(options: RecordReplayOptions, isBound: boolean) {
    this.#options = options;
    this.#head = options.head;
    this.#isBound = isBound;
    this.#numbering = options.logged?.numbering ?? new RefNumbering(options.head, isBound);
    this.#window = new ReplayWindow(options, options.headChunks?.maxTimestampMs ?? -Infinity);
    this.result = {
      records: 0,
      samples: 0,
      series: options.logged?.count ?? 0,
      damages: [],
      tornTails: [],
      skippedRecords: new Map(),
      unknownRefs: { samples: 0, histograms: 0, tombstones: 0, exemplars: 0, metadata: 0 },
      isRenumbered: false,
      refs: this.#numbering.refs,
    };
  }

  /** Takes a record of the segment `path`, which lies in the shared memory; a malformed one is counted as damage. Throws `unavailable` when the memory is full. */
  read(record: Uint8Array, path: string): void {
    const { refs } = this.#numbering;
    this.result.records++;
    try {
      if (record[0] === recordType.samples) this.#window.add(record, refs);
      else if (record[0] === recordType.series) this.#readSeries(record);
      else if (isHistogramRecord(record)) this.#readHistograms(record);
      else if (record[0] === recordType.samplesV2) this.#window.addFloats(record, refs);
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

  /** Takes samples that another thread gathered, or a part of them. After the last part `endGathered` must follow. */
  appendGathered(samples: SampleBatch): void {
    this.#window.appendGathered(samples);
  }

  /** The samples were those of so many records. */
  endGathered(records: number): void {
    this.#window.endGathered();
    this.result.records += records;
  }

  /** Gives a series its chunks that are in files, if it is there. */
  attachChunks(ref: number): void {
    const head = this.#head;
    if (!head.hasSeries(ref) || this.#options.headChunks?.attach(ref) !== true) return;
    const [minMs, maxMs] = head.chunkTimes(ref);
    head.coverTimes(Math.max(minMs, this.#options.minValidTimeMs), maxMs);
  }

  /** Brings the last samples into the head. */
  finish(): void {
    this.#window.flush();
    this.result.samples = this.#window.appended;
    Object.assign(this.result.unknownRefs, this.#window.unknownSeries);
    this.#head.labelIndex.sort();
  }

  close(): void {
    this.#window.close();
  }

  #skip(type: number, count: number): void {
    if (count > 0) this.result.skippedRecords.set(type, (this.result.skippedRecords.get(type) ?? 0) + count);
  }

  #readHistograms(record: Uint8Array): void {
    const skipped = this.#window.addHistograms(record, this.#numbering.refs);
    this.#skip(record[0]!, Math.min(skipped, 1));
  }

  #readTombstones(record: Uint8Array): void {
    for (const { ref: logRef, interval } of decodeTombstoneRecord(record)) {
      const ref = this.#numbering.refs.get(logRef) ?? logRef;
      if (!this.#head.hasSeries(ref)) this.result.unknownRefs.tombstones++;
      else if (isDropped(interval)) this.#drop(ref);
      else this.#head.tombstones.add({ ref, interval });
    }
  }

  /** What the log has of the series so far is in blocks. */
  #drop(ref: number): void {
    this.#window.flush();
    dropSamples(this.#head, ref);
  }

  #readSeries(record: Uint8Array): void {
    const { headChunks } = this.#options;
    const { refs } = this.#numbering;
    const isEach = (): boolean => refs.size > 0 || (headChunks !== undefined && headChunks.waiting > 0);
    const visit = (entry: SeriesEntry): void => this.#takeSeries(entry);
    const created = readSeriesRecord(this.#head, record, { creates: true, isEach }, visit);
    this.result.series += created;
  }

  #takeSeries({ logRef, ref: known }: SeriesEntry): void {
    const head = this.#head;
    let ref = known;
    if (ref === 0) {
      ref = head.create(this.#numbering.choose(logRef));
      this.result.series++;
    } else if (ref !== logRef && !this.#isBound) {
      // The series has two numbers in the log; the second must not be given to another one.
      if (logRef > keptRefMax) this.result.isRenumbered = true;
      else head.skipRef(logRef);
    }
    // Under another ref than the head's, the series' later chunks would not follow these in the files.
    if (ref === logRef) this.attachChunks(ref);
    else if (known === 0) this.#renumber(ref);
    this.#numbering.note(logRef, ref);
  }

  #readExemplars(record: Uint8Array): void {
    for (const { ref: logRef, exemplar } of decodeExemplars(record)) {
      const ref = this.#numbering.headRef(logRef);
      if (ref === 0) this.result.unknownRefs.exemplars++;
      else this.#options.exemplars?.restore(ref, exemplar);
    }
  }

  #readMetadata(record: Uint8Array): void {
    for (const { ref: logRef, metadata } of decodeMetadata(record)) {
      const ref = this.#numbering.headRef(logRef);
      if (ref === 0) this.result.unknownRefs.metadata++;
      else if (this.#options.keepsMetadata) this.#head.metadata.set(ref, metadata);
    }
  }

  /** The series has a ref of our own choice. When that is beyond all in the log, it need only be written there. */
  #renumber(ref: number): void {
    if (this.#isBound) this.#head.unlogged.push(ref);
    else this.result.isRenumbered = true;
  }
}
