import type { Disk, Logger } from "../../base/index.ts";
import type { SampleEntry } from "../head/entry-batch.ts";
import type { Head } from "../head/head.ts";
import { slicer } from "../head/slicer.ts";
import type { LoadedHeadChunks } from "../head-chunks/index.ts";
import { cutTail } from "../wal/cut-tail.ts";
import { headRef } from "../wal/entry-window.ts";
import { decodeFloatRecord, isFloatRecord } from "../wal/float-record.ts";
import { decodeHistogramRecord, isHistogramRecord } from "../wal/histogram-record.ts";
import { type ChunkMarker, decodeMarkerRecord } from "../wal/marker-record.ts";
import { type SegmentEnd, SegmentReader, type WalDamage } from "../wal/reader.ts";
import { recordType } from "../wal/record.ts";
import { listSegments, type Segment } from "../wal/segment.ts";
import type { WalWriter } from "../wal/writer.ts";

export interface OutOfOrderReplayOptions {
  head: Head;
  disk: Disk;
  logger: Logger;
  /** The write-behind log. */
  directory: string;
  /** What writes to the log meanwhile, once there is something: that is read as well. */
  writer?: () => WalWriter | undefined;
  /** Refs of the log whose series has another ref in the head. */
  refs: ReadonlyMap<number, number>;
  /** Chunks that are in files: where a marker names one, the series gets it in place of its samples in the log. */
  headChunks?: LoadedHeadChunks | undefined;
  /** Called when nothing more is left; from then on samples must go into the head. */
  onCaughtUp?: () => void;
}

export interface OutOfOrderReplayResult {
  samples: number;
  /** What names a series that there is not. */
  unknownRefs: { samples: number; histograms: number; mmap_markers: number };
  damages: WalDamage[];
  /** Torn ends of segments, which were cut. */
  tornTails: WalDamage[];
  /** Whether a marker names a chunk that there is not, so that the log must be written anew before a chunk can come to that place. */
  hasLostChunks: boolean;
  /** Records of types that are not read, by type. */
  skippedRecords: Map<number, number>;
}

/** Fills the out-of-order part of a head whose series are known from the write-behind log. Throws the disk's errors and MemoryFullError. */
export async function replayOutOfOrder(options: OutOfOrderReplayOptions): Promise<OutOfOrderReplayResult> {
  const replay = new Replay(options);
  await replay.run();
  return replay.result;
}

class Replay {
  readonly result: OutOfOrderReplayResult = {
    samples: 0,
    unknownRefs: { samples: 0, histograms: 0, mmap_markers: 0 },
    damages: [],
    tornTails: [],
    hasLostChunks: false,
    skippedRecords: new Map(),
  };
  readonly #options: OutOfOrderReplayOptions;
  readonly #breathe = slicer();

  constructor(options: OutOfOrderReplayOptions) {
    this.#options = options;
  }

  /** Reads segment by segment until nothing is left. Nothing may wait from the last look at the log until samples go into the head. */
  async run(): Promise<void> {
    const { head, disk, onCaughtUp } = this.#options;
    for (let segment = this.#segmentAfter(-1); segment !== undefined;) {
      const { index, path } = segment;
      const reader = new SegmentReader(head.kernel, disk, path, { sizeBytes: this.#writtenBytes(segment) });
      try {
        do await this.#drain(reader, path);
        while (this.#hasGrown(reader, segment));
        this.#judge(reader.end, path);
        segment = this.#segmentAfter(index);
      } finally {
        reader.close();
      }
    }
    onCaughtUp?.();
  }

  #segmentAfter(last: number): Segment | undefined {
    const { disk, directory } = this.#options;
    return listSegments(disk, directory).find(({ index }) => index > last);
  }

  #writtenBytes({ index, path }: Segment): number {
    const writer = this.#options.writer?.();
    if (writer?.segment === index) return writer.segmentSizeBytes;
    return this.#options.disk.stat(path)?.sizeBytes ?? 0;
  }

  /** Whether there is more of the segment than was read, which the reader then goes on with. */
  #hasGrown(reader: SegmentReader, segment: Segment): boolean {
    const writtenBytes = this.#writtenBytes(segment);
    if (writtenBytes <= reader.position) return false;
    reader.extend(writtenBytes);
    return true;
  }

  /** Counts what could not be read of a segment that was read to its end, and cuts a torn one. */
  #judge(end: SegmentEnd, path: string): void {
    const { damages, tail, goodBytes } = end;
    const { disk, logger } = this.#options;
    this.result.damages.push(...damages);
    for (const damage of damages) logger.warn("damaged WBL record skipped", { ...damage });
    if (tail === undefined) return;
    this.result.tornTails.push(tail);
    cutTail(disk, path, end);
    logger.warn("torn end of WBL segment cut", { ...tail, sizeBytes: goodBytes });
  }

  async #drain(reader: SegmentReader, path: string): Promise<void> {
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      this.#read(record, path);
      const turn = this.#breathe();
      if (turn === undefined) continue;
      this.#options.head.kernel.arena.reclaim();
      await turn;
    }
  }

  #read(record: Uint8Array, path: string): void {
    const { result } = this;
    const type = record[0] ?? 0;
    try {
      if (type === recordType.mmapMarkers) this.#follow(decodeMarkerRecord(record));
      else if (isHistogramRecord(record)) this.#insert(decodeHistogramRecord(record).entries, "histograms");
      else if (isFloatRecord(record)) this.#insert(decodeFloatRecord(record), "samples");
      else result.skippedRecords.set(type, (result.skippedRecords.get(type) ?? 0) + 1);
    } catch (error) {
      // Malformed under a good checksum: the rest is none the worse for it.
      if (!(error instanceof RangeError)) throw error;
      result.damages.push({ path, offset: 0, reason: error.message });
    }
  }

  #insert(entries: readonly SampleEntry[], kind: "samples" | "histograms"): void {
    const { head, refs } = this.#options;
    for (const entry of entries) {
      const ref = headRef(entry.ref, refs);
      if (!head.hasSeries(ref)) this.result.unknownRefs[kind]++;
      else if (head.outOfOrder.insert({ ...entry, ref })) this.result.samples++;
    }
  }

  #follow(markers: readonly ChunkMarker[]): void {
    const byRef = Map.groupBy(markers, ({ ref }) => ref);
    for (const [ref, ofSeries] of byRef) this.#followSeries(ref, ofSeries);
  }

  /**
   * What the log has of the series by now is in these chunks, but for what chunks had that were lost. That leaves the list, so that no later marker stands for it.
   */
  #followSeries(logRef: number, markers: readonly ChunkMarker[]): void {
    const { head, refs, headChunks } = this.#options;
    const ref = headRef(logRef, refs);
    if (!head.hasSeries(ref)) {
      this.result.unknownRefs.mmap_markers += markers.length;
      return;
    }
    // The files know the series by the ref of the log.
    const isThere = (marker: ChunkMarker): boolean =>
      ref === logRef && headChunks?.hasOutOfOrder(ref, marker) === true;
    if (markers.every(isThere)) {
      for (const marker of markers) head.outOfOrder.attach(ref, headChunks!.takeOutOfOrder(ref, marker));
      head.outOfOrder.forgetOpen(ref);
    } else {
      head.outOfOrder.close(ref);
      // Nothing comes to the place that says that there is none.
      if (markers.some(({ file }) => file !== 0)) this.result.hasLostChunks = true;
    }
  }
}
