import { BlockRunCopy, type Kernel, type Scratch } from "../../kernel/index.ts";
import { noStarts, type Queryable, type SeriesSet } from "../../storage/index.ts";
import { type BlockTarget, BlockWriter } from "./block-writer.ts";
import { addInterleaved } from "./interleave.ts";
import type { BlockCompaction, BlockMeta } from "./meta.ts";
import { SeriesLabels } from "./series-labels.ts";

/** Series of the head, whose chunks can be had as they are. */
export interface RunSource {
  /**
   * Copies series from `first` on with all their samples in the time range. Returns how many; 0 when the first has to be read as a whole. What is damaged is noticed and left out.
   * Throws BlockUnreadableError.
   */
  copyRun(first: number, minTimestampMs: number, maxTimestampMs: number, copy: BlockRunCopy): number;
}

/**
 * Writes a block of level 1 from what `queryable` (the head) has from `minTime` until before `maxTime`. Works on any thread; the head goes on meanwhile.
 * Undefined when there is nothing: then there is no block. Throws the disk's error; then nothing is left behind.
 */
export function writeHeadBlock(
  queryable: Queryable,
  target: BlockTarget,
  minTime: number,
  maxTime: number,
  hints: readonly string[] = [],
): BlockMeta | undefined {
  const querier = queryable.querier(minTime, maxTime - 1);
  try {
    const set = querier.select([], { minTimestampMs: minTime, maxTimestampMs: maxTime - 1 }, true);
    const labels = new SeriesLabels(set);
    const writer = new BlockWriter(target, labels.symbols);
    try {
      copySeries(set, labels, target, writer, minTime, maxTime - 1);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    const compaction: BlockCompaction = { level: 1, sources: [target.ulid], hints: [...hints] };
    return writer.finish(minTime, maxTime, compaction);
  } finally {
    querier.close();
  }
}

function copySeries(
  set: SeriesSet & Partial<RunSource>,
  labels: SeriesLabels,
  { kernel }: BlockTarget,
  writer: BlockWriter,
  minTimestampMs: number,
  maxTimestampMs: number,
): void {
  const scratch = kernel.createScratch();
  const copy = new BlockRunCopy(kernel);
  try {
    for (let first = 0; first < set.length;) {
      writer.makeRoom(copy);
      const copied = set.copyRun?.(first, minTimestampMs, maxTimestampMs, copy) ?? 0;
      if (copied > 0) writer.addCopied(copy, (series) => labels.of(first + series));
      else {
        encode(kernel, scratch, writer, set, first, minTimestampMs, maxTimestampMs);
        if (writer.hasChunks) writer.endSeries(labels.of(first));
      }
      first += Math.max(copied, 1);
    }
  } finally {
    copy.close();
    scratch.reset();
  }
}

/** Gives the samples of a series in the time range to the writer, decoded and encoded anew. */
function encode(
  { views }: Kernel,
  scratch: Scratch,
  writer: BlockWriter,
  set: SeriesSet,
  series: number,
  minTimestampMs: number,
  maxTimestampMs: number,
): void {
  const mark = scratch.mark();
  const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
  const timestamps = scratch.allocate(8 * capacity);
  const values = scratch.allocate(8 * capacity);
  const count = set.read(series, minTimestampMs, maxTimestampMs, false, { timestamps, values, capacity });
  const histograms = set.readHistograms?.(series, minTimestampMs, maxTimestampMs, false) ?? [];
  if (count + histograms.length > 0) {
    const starts = set.readStarts?.(series, minTimestampMs, maxTimestampMs) ?? noStarts;
    addInterleaved(writer, views, { timestamps, values, count }, histograms, starts);
  }
  scratch.release(mark);
}
