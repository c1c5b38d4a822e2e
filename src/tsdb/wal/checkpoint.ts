import { assert, type Clock, type Disk, type Logger } from "../../base/index.ts";
import { type ByteBuffer, layout, SampleBatch, sampleStatus } from "../../kernel/index.ts";
import type { MetricMetadata } from "../../model/index.ts";
import type { ExemplarStorage } from "../exemplar/exemplar-storage.ts";
import type { Head } from "../head/head.ts";
import { readHeadHistograms } from "../head/histogram-reader.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import type { WalCompression } from "./compression.ts";
import { decodeExemplars, encodeExemplars, type ExemplarEntry } from "./exemplar-record.ts";
import { decodeMetadata, encodeMetadata } from "./metadata-record.ts";
import { decodeFloatRecord, encodeFloatRecord } from "./float-record.ts";
import { encodeSamples, recordBufferBytesMax } from "./log.ts";
import { decodeHistogramRecord, encodeHistogramRecords, isHistogramRecord } from "./histogram-record.ts";
import { SegmentReader } from "./reader.ts";
import { recordType } from "./record.ts";
import { listCheckpoints, listSegments, segmentBytesDefault, segmentName } from "./segment.ts";
import { encodeSeriesRecords, SeriesRecordReader } from "./series-record.ts";
import { decodeTombstoneRecord, encodeTombstoneRecord } from "./tombstone-record.ts";
import { WalWriter } from "./writer.ts";

export interface CheckpointOptions {
  head: Head;
  disk: Disk;
  clock: Clock;
  logger: Logger;
  /** The WAL directory. */
  directory: string;
  /** Where files go that are damaged, or were rewritten and may hold more than was understood. */
  setAsideDirectory: string;
  compression: WalCompression;
  /** Samples before are left out. */
  minTimeMs: number;
}

/** The event loop gets its turn after so much work. */
const sliceMs = 10;
const temporarySuffix = ".tmp";
const batchSamples = 16_384;
const exemplarsPerRecord = 10_000;
const metadataPerRecord = 10_000;

/**
 * Shortens the WAL: what is still needed of the lower two thirds of its finished segments (series that exist, samples from `minTimeMs` on)
 * goes into a checkpoint, then the segments are deleted. Works in slices while the writer appends to a later segment. Returns how
 * many checkpoints the new one replaced. Throws the disk's errors; then the old files are all there.
 */
export async function truncateWal(options: CheckpointOptions, writer: WalWriter): Promise<number> {
  const { disk, directory } = options;
  const before = listCheckpoints(disk, directory).at(-1);
  const segments = listSegments(disk, directory).filter(
    ({ index }) => index < writer.segment && index > (before?.index ?? -1),
  );
  const doomed = segments.slice(0, Math.floor((segments.length * 2) / 3));
  const last = doomed.at(-1);
  if (last === undefined) return 0;
  const checkpoint = new CheckpointWriter(options, last.index);
  try {
    for (const { path } of before ? listSegments(disk, before.path) : []) await checkpoint.filter(path);
    for (const { path } of doomed) await checkpoint.filter(path);
    await checkpoint.finish();
  } catch (error) {
    await checkpoint.abandon();
    throw error;
  }
  for (const path of checkpoint.damagedPaths) setAside(disk, path, options.setAsideDirectory);
  return removeCovered(disk, directory);
}

/**
 * Writes a checkpoint of the whole head in place of all segments there are: after the refs in the head were chosen anew. To be called
 * before a writer opens. Throws the disk's errors; then the old files are all there.
 */
export async function rewriteWal(options: CheckpointOptions, exemplars: ExemplarStorage): Promise<void> {
  const { disk, directory, setAsideDirectory } = options;
  const segments = listSegments(disk, directory);
  const before = listCheckpoints(disk, directory).at(-1);
  const last = Math.max(segments.at(-1)?.index ?? -1, (before?.index ?? -1) + 1);
  const checkpoint = new CheckpointWriter(options, last);
  try {
    await checkpoint.writeHead();
    checkpoint.writeExemplars(exemplars);
    await checkpoint.finish();
  } catch (error) {
    await checkpoint.abandon();
    throw error;
  }
  // There may be records in them that were not understood.
  for (const { path } of segments) setAside(disk, path, setAsideDirectory);
  if (before) setAside(disk, before.path, setAsideDirectory);
  removeCovered(disk, directory);
}

/** Moves a file or directory out of the way, never over another. */
export function setAside(disk: Disk, path: string, directory: string): void {
  disk.makeDirectory(directory);
  const name = path.slice(path.lastIndexOf("/") + 1);
  let target = `${directory}/${name}`;
  for (let copy = 1; disk.stat(target) !== undefined; copy++) target = `${directory}/${name}.${copy}`;
  disk.rename(path, target);
}

/** Removes what the newest checkpoint stands for, and checkpoints that were never finished. Returns how many older checkpoints went. */
export function removeCovered(disk: Disk, directory: string): number {
  if (disk.stat(directory) === undefined) return 0;
  for (const name of disk.list(directory))
    if (/^checkpoint\.\d+\.tmp$/.test(name)) disk.remove(`${directory}/${name}`);
  const checkpoints = listCheckpoints(disk, directory);
  const newest = checkpoints.pop();
  if (newest === undefined) return 0;
  for (const { index, path } of listSegments(disk, directory)) if (index <= newest.index) disk.remove(path);
  // What a power cut brings back is removed the next time.
  for (const { path } of checkpoints) disk.remove(path);
  return checkpoints.length;
}

class CheckpointWriter {
  readonly #options: CheckpointOptions;
  readonly #path: string;
  readonly #writer: WalWriter;
  readonly #record: ByteBuffer;
  readonly #series: SeriesRecordReader;
  #batch: SampleBatch;
  /** Segments that hold more than could be read. */
  readonly damagedPaths: string[] = [];
  /** Refs that stand in the log for a series that has another ref in the head. */
  readonly #aliases = new Set<number>();
  /** What is known of the metrics of series: of what the log says about one, the last thing holds. */
  readonly #metadata = new Map<number, MetricMetadata>();
  #sliceStartMs = performance.now();

  constructor(options: CheckpointOptions, index: number) {
    const { head, disk, clock, logger, directory, compression } = options;
    this.#options = options;
    this.#path = `${directory}/checkpoint.${segmentName(index)}`;
    disk.remove(this.#path + temporarySuffix);
    this.#record = head.kernel.createByteBuffer(recordBufferBytesMax);
    this.#batch = head.kernel.createSampleBatch(batchSamples);
    this.#series = new SeriesRecordReader(head);
    this.#writer = new WalWriter({
      directory: this.#path + temporarySuffix,
      kernel: head.kernel,
      disk,
      clock,
      logger,
      compression,
      segmentBytes: segmentBytesDefault,
      syncIntervalMs: 0,
    });
  }

  /** Copies what is still needed from a segment. Records of unknown kind are kept as they are. */
  async filter(path: string): Promise<void> {
    const reader = new SegmentReader(this.#options.head.kernel, this.#options.disk, path);
    try {
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        this.#filterRecord(record);
        this.#writer.flush();
        await this.#breathe();
      }
      if (reader.damages.length > 0 || reader.tail) this.damagedPaths.push(path);
    } finally {
      reader.close();
    }
  }

  async writeHead(): Promise<void> {
    const { head } = this.#options;
    const refs: number[] = [];
    head.forEachSeries((ref) => refs.push(ref));
    encodeSeriesRecords(head.kernel, refs, this.#record, (record) => {
      this.#writer.add(record);
      this.#writer.flush();
    });
    for (const ref of refs) {
      this.#addSamplesOf(ref);
      const histograms = readHeadHistograms(head.kernel, ref, this.#options.minTimeMs, Infinity, inMemory);
      this.#addHistograms(histograms.map((sample) => ({ ...sample, ref })));
      await this.#breathe();
    }
    this.#flushBatch();
    const stones = head.tombstones.stones();
    if (stones.length > 0) this.#writer.add(encodeTombstoneRecord(stones));
    for (const [ref, metadata] of head.metadata) this.#metadata.set(ref, metadata);
  }

  writeExemplars(exemplars: ExemplarStorage): void {
    const entries = [...exemplars].map(([ref, exemplar]) => ({ ref, exemplar }));
    this.#addExemplars(entries.filter(({ ref }) => this.#isKept(ref)));
    this.#writer.flush();
  }

  async finish(): Promise<void> {
    const { disk, directory } = this.#options;
    this.#addMetadata();
    await this.#close();
    await disk.syncDirectoryLater(this.#path + temporarySuffix);
    disk.rename(this.#path + temporarySuffix, this.#path);
    await disk.syncDirectoryLater(directory);
  }

  async abandon(): Promise<void> {
    await this.#close();
    this.#options.disk.remove(this.#path + temporarySuffix);
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#batch.close();
    this.#record.close();
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#sliceStartMs < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }

  #filterRecord(record: Uint8Array): void {
    try {
      if (record[0] === recordType.series) this.#filterSeries(record);
      else if (record[0] === recordType.samples) this.#filterSamples(record);
      else if (isHistogramRecord(record)) this.#filterHistograms(record);
      else if (record[0] === recordType.samplesV2) this.#filterFloats(record);
      else if (record[0] === recordType.tombstones) this.#filterTombstones(record);
      else if (record[0] === recordType.exemplars) this.#filterExemplars(record);
      else if (record[0] === recordType.metadata) this.#gatherMetadata(record);
      else this.#writer.add(record);
    } catch (error) {
      // Malformed under a good checksum: not ours to judge, so it is kept.
      if (!(error instanceof RangeError)) throw error;
      this.#writer.add(record);
    }
  }

  #filterSeries(record: Uint8Array): void {
    const { head } = this.#options;
    const kept: Uint8Array[] = [Uint8Array.of(recordType.series)];
    this.#series.read(record, (logRef, hash, pairs, count, entry) => {
      const ref = head.find(hash, pairs, count);
      if (ref === 0) return;
      if (ref !== logRef) this.#aliases.add(logRef);
      kept.push(entry);
    });
    if (kept.length > 1) this.#writer.add(Buffer.concat(kept));
  }

  #filterTombstones(record: Uint8Array): void {
    const { head, minTimeMs } = this.#options;
    const oldestMs = Math.min(minTimeMs, head.outOfOrder.minTimeMs());
    const kept = decodeTombstoneRecord(record).filter(
      ({ ref, interval }) =>
        interval.maxTimestampMs >= oldestMs && (head.hasSeries(ref) || this.#aliases.has(ref)),
    );
    if (kept.length > 0) this.#writer.add(encodeTombstoneRecord(kept));
  }

  #filterSamples(record: Uint8Array): void {
    const { head, minTimeMs } = this.#options;
    const { kernel } = head;
    this.#reserveBatch(SampleBatch.recordSamplesMax(record.length));
    const mark = kernel.scratch.mark();
    const ptr = kernel.scratch.allocate(record.length + layout.slackBytes);
    kernel.views.u8.set(record, ptr);
    let count: number;
    try {
      count = this.#batch.decodeRecord(ptr, record.length);
    } finally {
      kernel.scratch.release(mark);
    }
    const { refs, timestamps, status } = this.#batch;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const isKept = timestamps[i]! >= minTimeMs && this.#isKept(refs[i]!);
      status[i] = isKept ? sampleStatus.ok : sampleStatus.outOfBounds;
      if (isKept) kept++;
    }
    if (kept === count) this.#writer.add(record);
    else this.#flushBatch();
    this.#batch.clear();
  }

  #filterFloats(record: Uint8Array): void {
    const { minTimeMs } = this.#options;
    const entries = decodeFloatRecord(record);
    const kept = entries.filter(({ ref, timestampMs }) => timestampMs >= minTimeMs && this.#isKept(ref));
    if (kept.length === entries.length) this.#writer.add(record);
    else if (kept.length > 0) this.#writer.add(encodeFloatRecord(kept));
  }

  #filterHistograms(record: Uint8Array): void {
    const { minTimeMs } = this.#options;
    const { entries, skipped } = decodeHistogramRecord(record);
    const kept = entries.filter(({ ref, timestampMs }) => timestampMs >= minTimeMs && this.#isKept(ref));
    // What was not understood stays with the rest of its record.
    if (kept.length === entries.length || skipped > 0) this.#writer.add(record);
    else this.#addHistograms(kept);
  }

  #addHistograms(entries: readonly HistogramEntry[]): void {
    for (const record of encodeHistogramRecords(entries)) this.#writer.add(record);
  }

  #filterExemplars(record: Uint8Array): void {
    const { minTimeMs } = this.#options;
    const isKept = ({ ref, exemplar }: ExemplarEntry): boolean =>
      exemplar.timestampMs >= minTimeMs && this.#isKept(ref);
    this.#addExemplars(decodeExemplars(record).filter(isKept));
  }

  #gatherMetadata(record: Uint8Array): void {
    for (const { ref, metadata } of decodeMetadata(record))
      if (this.#isKept(ref)) this.#metadata.set(ref, metadata);
  }

  #addExemplars(entries: readonly ExemplarEntry[]): void {
    for (let start = 0; start < entries.length; start += exemplarsPerRecord)
      this.#writer.add(encodeExemplars(entries.slice(start, start + exemplarsPerRecord)));
  }

  #addMetadata(): void {
    const entries = [...this.#metadata].map(([ref, metadata]) => ({ ref, metadata }));
    for (let start = 0; start < entries.length; start += metadataPerRecord)
      this.#writer.add(encodeMetadata(entries.slice(start, start + metadataPerRecord)));
    this.#writer.flush();
  }

  /** Whether a ref of the log names a series that is in the head. */
  #isKept(ref: number): boolean {
    return (
      this.#aliases.has(ref) || (ref >= 1 && ref <= layout.seriesRefMax && this.#options.head.hasSeries(ref))
    );
  }

  /** Adds the samples of a head series to the batch, writing it whenever it is full. */
  #addSamplesOf(ref: number): void {
    const { head, minTimeMs } = this.#options;
    const { kernel } = head;
    const needed = kernel.series.sampleCount(ref, minTimeMs, Infinity);
    if (this.#batch.count + needed > this.#batch.capacity) this.#flushBatch();
    this.#reserveBatch(needed);
    const batch = this.#batch;
    const start = batch.count;
    const count = kernel.decodeSeries(
      ref,
      minTimeMs,
      Infinity,
      false,
      batch.timestampsPtr + 8 * start,
      batch.valuesPtr + 8 * start,
      batch.capacity - start,
    );
    batch.refs.fill(ref, start, start + count);
    batch.status.fill(sampleStatus.ok, start, start + count);
    batch.count = start + count;
  }

  #reserveBatch(samples: number): void {
    if (this.#batch.capacity >= samples) return;
    this.#batch.close();
    this.#batch = this.#options.head.kernel.createSampleBatch(samples);
  }

  #flushBatch(): void {
    const record = encodeSamples(this.#batch, this.#record);
    if (record.length > 0) this.#writer.add(record);
    this.#writer.flush();
    this.#batch.clear();
  }
}

/** Chunks are written to files only when the log has their series' refs. */
function inMemory(): never {
  assert(false, "the whole head is in memory while the log is rewritten");
}
