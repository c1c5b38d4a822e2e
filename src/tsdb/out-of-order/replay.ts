import type { Disk, Logger } from "../../base/index.ts";
import { layout, SampleBatch } from "../../kernel/index.ts";
import type { Head } from "../head/head.ts";
import { decodeHistogramRecord, isHistogramRecord } from "../wal/histogram-record.ts";
import { SegmentReader, type WalDamage } from "../wal/reader.ts";
import { recordType } from "../wal/record.ts";
import { listSegments } from "../wal/segment.ts";

export interface OutOfOrderReplayOptions {
  head: Head;
  disk: Disk;
  logger: Logger;
  /** The write-behind log. */
  directory: string;
  /** The first segment that is not read: this process writes it. */
  endSegment: () => number;
  /** Refs of the log whose series has another ref in the head. */
  refs: ReadonlyMap<number, number>;
}

export interface OutOfOrderReplayResult {
  samples: number;
  unknownSeriesSamples: number;
  damages: WalDamage[];
  /** Whether the log has markers, which say what can be left out of it since it is in certain places of `chunks_head`. */
  hasMarkers: boolean;
  /** Records of types that are not read, by type. */
  skippedRecords: Map<number, number>;
}

/** The event loop gets its turn after so much work. */
const sliceMs = 20;
const batchSamplesMin = 4096;

/**
 * Fills the out-of-order part of a head whose series are known from the write-behind log. That has all samples that are in no block, so upstream's
 * markers of chunks in `chunks_head` are not needed. Throws the disk's errors and MemoryFullError.
 */
export async function replayOutOfOrder(options: OutOfOrderReplayOptions): Promise<OutOfOrderReplayResult> {
  const { disk, directory, head, endSegment, logger } = options;
  const result: OutOfOrderReplayResult = {
    samples: 0,
    unknownSeriesSamples: 0,
    damages: [],
    hasMarkers: false,
    skippedRecords: new Map(),
  };
  let sliceStartMs = performance.now();
  for (const { index, path } of listSegments(disk, directory)) {
    if (index >= endSegment()) break;
    const reader = new SegmentReader(head.kernel, disk, path);
    try {
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        readRecord(options, path, record, result);
        if (performance.now() - sliceStartMs < sliceMs) continue;
        head.kernel.arena.reclaim();
        await new Promise((resolve) => setImmediate(resolve));
        sliceStartMs = performance.now();
      }
      result.damages.push(...reader.damages);
      if (reader.tail) logger.warn("torn end of WBL segment left out", { ...reader.tail });
      for (const damage of reader.damages) logger.warn("damaged WBL record skipped", { ...damage });
    } finally {
      reader.close();
    }
  }
  return result;
}

function readRecord(
  { head, refs }: OutOfOrderReplayOptions,
  path: string,
  record: Uint8Array,
  result: OutOfOrderReplayResult,
): void {
  const type = record[0] ?? 0;
  try {
    if (type === recordType.mmapMarkers) result.hasMarkers = true;
    else if (isHistogramRecord(record)) readHistograms(head, refs, record, result);
    else if (type === recordType.samples) readSamples(head, refs, record, result);
    else result.skippedRecords.set(type, (result.skippedRecords.get(type) ?? 0) + 1);
  } catch (error) {
    // Malformed under a good checksum: the rest is none the worse for it.
    if (!(error instanceof RangeError)) throw error;
    result.damages.push({ path, offset: 0, reason: error.message });
  }
}

function readHistograms(
  head: Head,
  refs: ReadonlyMap<number, number>,
  record: Uint8Array,
  result: OutOfOrderReplayResult,
): void {
  for (const entry of decodeHistogramRecord(record).entries) {
    const ref = refs.get(entry.ref) ?? entry.ref;
    if (!head.hasSeries(ref)) result.unknownSeriesSamples++;
    else if (head.outOfOrder.insertHistogram({ ...entry, ref })) result.samples++;
  }
}

function readSamples(
  head: Head,
  refs: ReadonlyMap<number, number>,
  record: Uint8Array,
  result: OutOfOrderReplayResult,
): void {
  const { kernel } = head;
  const batch = kernel.createSampleBatch(
    Math.max(batchSamplesMin, SampleBatch.recordSamplesMax(record.length)),
  );
  const mark = kernel.scratch.mark();
  try {
    const ptr = kernel.scratch.allocate(record.length + layout.slackBytes);
    kernel.views.u8.set(record, ptr);
    const count = batch.decodeRecord(ptr, record.length);
    for (let i = 0; i < count; i++) {
      const ref = refs.get(batch.refs[i]!) ?? batch.refs[i]!;
      const bits = batch.valueBits[i]!;
      if (!head.hasSeries(ref)) result.unknownSeriesSamples++;
      else if (
        head.outOfOrder.insert(ref, batch.timestamps[i]!, Number(bits & 0xffffffffn), Number(bits >> 32n))
      )
        result.samples++;
    }
  } finally {
    kernel.scratch.release(mark);
    batch.close();
  }
}
