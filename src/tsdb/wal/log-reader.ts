import { systemDisk } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { isHistogramRecord } from "./histogram-record.ts";
import { Loans, StoppedError } from "./loans.ts";
import type { ReadAheadMessage, ReadAheadOrder, ReadAheadStart } from "./read-ahead-messages.ts";
import { RecordBlocks } from "./record-blocks.ts";
import { SegmentReader } from "./reader.ts";
import { recordType } from "./record.ts";
import { SampleGatherer } from "./sample-gatherer.ts";

/** After so many bytes of records that go between samples, as each has at least 8 bytes, the main thread must not yet have appended them by itself. */
const betweenBytesMax = 128 * 1024;

export interface LogReaderParts extends Pick<ReadAheadStart, "paths" | "words"> {
  readonly send: (message: ReadAheadMessage) => void;
  /** The main thread has sent it. */
  readonly receiveOrder: () => ReadAheadOrder;
}

/** Reads the segments of a log for another thread: from the system's disk, with what it sends some blocks ahead. Who made it must `close` it. */
export class LogReader {
  readonly #kernel: Kernel;
  readonly #parts: LogReaderParts;
  readonly #loans: Loans;
  readonly #blocks: RecordBlocks;
  /** Where the series records end that came first, by segment. */
  readonly #seriesEnds: number[][];
  #gatherer: SampleGatherer | undefined;
  #betweenBytes = 0;

  constructor(kernel: Kernel, parts: LogReaderParts) {
    this.#kernel = kernel;
    this.#parts = parts;
    this.#loans = new Loans(parts.words);
    this.#blocks = new RecordBlocks(kernel, this.#loans, parts.send);
    this.#seriesEnds = parts.paths.map(() => []);
  }

  /** Sends the records of series, of all segments, as far as they are not damaged. Throws the disk's error, and StoppedError. */
  readSeries(): void {
    const onlyType = recordType.series;
    this.#parts.paths.forEach((path, segment) => {
      const reader = new SegmentReader(this.#kernel, systemDisk, path, { onlyType });
      try {
        for (let record = reader.next(); record !== undefined; record = reader.next()) {
          if (record[0] !== onlyType) continue;
          this.#seriesEnds[segment]!.push(reader.goodBytes);
          this.#blocks.add(record, segment);
        }
        this.#blocks.flush(segment);
      } finally {
        reader.close();
      }
    });
    this.#parts.send({ type: "seriesEnd" });
  }

  /** Sends everything, as the main thread orders it. Throws the disk's error, and StoppedError. */
  readRecords(): void {
    const { paths, send, receiveOrder } = this.#parts;
    this.#loans.waitForOrder();
    const { samples } = receiveOrder();
    if (samples) this.#gatherer = new SampleGatherer(this.#kernel, this.#loans, samples, send);
    paths.forEach((path, segment) => this.#readSegment(path, segment));
    this.#gatherer?.flush();
  }

  /** Waits for the main thread, if that still reads what it was sent. */
  close(): void {
    try {
      this.#loans.settle();
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
    }
    this.#gatherer?.close();
    this.#blocks.close();
  }

  #readSegment(path: string, segment: number): void {
    const reader = new SegmentReader(this.#kernel, systemDisk, path);
    const seriesEnds = this.#seriesEnds[segment]!.values();
    let seriesEnd = seriesEnds.next().value;
    try {
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        const isKnownSeries = reader.goodBytes === seriesEnd;
        if (isKnownSeries) seriesEnd = seriesEnds.next().value;
        if (this.#gatherer === undefined) this.#blocks.add(record, segment);
        else if (!isKnownSeries) this.#gather(this.#gatherer, record, segment);
      }
      this.#blocks.flush(segment);
      this.#parts.send({ type: "segmentEnd", segment, end: reader.end });
    } finally {
      reader.close();
    }
  }

  /** Takes a record whose samples are gathered, or sends it at its place among the samples, as far as that matters. */
  #gather(gatherer: SampleGatherer, record: Uint8Array, segment: number): void {
    const [type] = record;
    if (type === recordType.samples && gatherer.add(record)) return;
    if (isHistogramRecord(record)) this.#countBetween(record, segment);
    else if (type !== recordType.exemplars && type !== recordType.metadata) this.#flushAll(segment);
    this.#blocks.add(record, segment);
    // Not seen before, because it was damaged or is behind damage: from now on refs may mean other series.
    if (type === recordType.series) this.#stopGathering();
    // It may take samples out of the head that others were compared with.
    if (type === recordType.tombstones) {
      this.#blocks.flush(segment);
      this.#loans.settle();
    }
  }

  /** Histograms come between the samples that are sent before and behind them: not too many, since the main thread appends them together with those behind. */
  #countBetween(record: Uint8Array, segment: number): void {
    this.#betweenBytes += record.length;
    if (this.#betweenBytes <= betweenBytesMax) return;
    this.#flushAll(segment);
    this.#betweenBytes = record.length;
  }

  /** Sends all that there is, the records of the segment first: they are between the samples. */
  #flushAll(segment: number): void {
    this.#blocks.flush(segment);
    this.#gatherer?.flush();
    this.#betweenBytes = 0;
  }

  #stopGathering(): void {
    this.#loans.settle();
    this.#gatherer?.close();
    this.#gatherer = undefined;
  }
}
