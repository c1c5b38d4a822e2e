import type { Kernel, Views } from "../../kernel/index.ts";
import { mergeRuns } from "../../storage/index.ts";
import type { BlockWriter } from "./block-writer.ts";
import { type ColumnSlice, dropIntervals, keepRange } from "./columns.ts";
import type { HistogramEncoding } from "../chunk/histogram-chunk.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import { MixedChunksError } from "./damage.ts";
import { cutHistograms, type StoredHistogram } from "./histograms.ts";
import type { ChunkWindow } from "./chunk-window.ts";
import type { SeriesCursor } from "./series-cursor.ts";
import { isDeleted } from "./tombstones.ts";

/** A chunk of one of the sources. */
interface SourceChunk {
  readonly cursor: SeriesCursor;
  readonly index: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** It holds samples that are deleted, or outside of its block's time. */
  readonly isTrimmed: boolean;
}

/**
 * Gives the chunks of one series, which all `cursors` stand at, to the writer: as they are, unless they overlap one another or must lose samples; those are decoded, merged and
 * encoded anew. Throws BlockDamagedError, or MixedChunksError when floats and histograms overlap.
 */
export function mergeChunks(kernel: Kernel, cursors: readonly SeriesCursor[], writer: BlockWriter): void {
  const chunks = cursors.flatMap(listChunks);
  // Stable: at equal times the chunk of the earlier source comes first.
  if (cursors.length > 1) chunks.sort((a, b) => a.minTimestampMs - b.minTimestampMs);
  for (let from = 0; from < chunks.length;) {
    let to = from + 1;
    let endMs = chunks[from]!.maxTimestampMs;
    for (; to < chunks.length && chunks[to]!.minTimestampMs <= endMs; to++)
      endMs = Math.max(endMs, chunks[to]!.maxTimestampMs);
    const group = chunks.slice(from, to);
    if (group.every(({ isTrimmed }) => !isTrimmed) && areSame(group)) takeOver(group[0]!, writer);
    else encodeAnew(kernel, group, cursors, writer);
    from = to;
  }
}

/** The chunks that are not deleted altogether. */
function listChunks(cursor: SeriesCursor): SourceChunk[] {
  const { block, entry } = cursor;
  const { minTime, maxTime } = block.meta;
  const intervals = block.tombstones.of(entry.ref);
  const chunks: SourceChunk[] = [];
  for (let index = 0; index < entry.chunkCount; index++) {
    const minTimestampMs = entry.minTimesMs[index]!;
    const maxTimestampMs = entry.maxTimesMs[index]!;
    if (maxTimestampMs < minTime || minTimestampMs >= maxTime) continue;
    if (intervals !== undefined && isDeleted(intervals, minTimestampMs, maxTimestampMs)) continue;
    const isTouched = intervals?.some(
      (interval) => interval.minTimestampMs <= maxTimestampMs && interval.maxTimestampMs >= minTimestampMs,
    );
    const isTrimmed = isTouched === true || minTimestampMs < minTime || maxTimestampMs >= maxTime;
    chunks.push({ cursor, index, minTimestampMs, maxTimestampMs, isTrimmed });
  }
  return chunks;
}

/** Whether all chunks have the same bytes: copies of one block, say. */
function areSame(group: readonly SourceChunk[]): boolean {
  if (group.length === 1) return true;
  const first = Buffer.from(find(group[0]!).bytes);
  // A cursor has one window, and chunks of one source do not overlap each other unless the source is odd: then they differ.
  return group.slice(1).every((chunk) => first.equals(find(chunk).bytes));
}

function takeOver(chunk: SourceChunk, writer: BlockWriter): void {
  writer.addChunk(find(chunk), chunk.minTimestampMs, chunk.maxTimestampMs);
}

/** Brings the chunk into its source's window and checks it. */
function find({ cursor, index }: SourceChunk): ChunkWindow {
  const { window, entry } = cursor;
  window.find(entry.chunkRefs[index]!, entry.chunkRefs[entry.chunkCount - 1]!);
  window.verify();
  return window;
}

function encodeAnew(
  kernel: Kernel,
  group: readonly SourceChunk[],
  cursors: readonly SeriesCursor[],
  writer: BlockWriter,
): void {
  const kinds = new Set(group.map((chunk) => locate(chunk).kind));
  // As they overlap, neither could be written before the other.
  if (kinds.size > 1) throw new MixedChunksError();
  if (kinds.has("float")) encodeFloatsAnew(kernel, group, cursors, writer);
  else writer.addHistograms(mergeHistograms(group, cursors));
}

/** By source, so that the order of sources decides which of two samples stays. */
function mergeHistograms(group: readonly SourceChunk[], cursors: readonly SeriesCursor[]): StoredHistogram[] {
  const byTime = new Map<number, StoredHistogram>();
  for (const cursor of cursors) {
    const { meta, tombstones } = cursor.block;
    const intervals = tombstones.of(cursor.entry.ref);
    for (const chunk of group) {
      if (chunk.cursor !== cursor) continue;
      const window = find(chunk);
      const encoding = window.encoding as HistogramEncoding;
      const samples = cutHistograms(window.decodeHistograms(), meta.minTime, meta.maxTime - 1, intervals);
      for (const sample of samples)
        if (!byTime.has(sample.timestampMs)) byTime.set(sample.timestampMs, { ...sample, encoding });
    }
  }
  return [...byTime.values()].sort((a, b) => a.timestampMs - b.timestampMs);
}

function encodeFloatsAnew(
  kernel: Kernel,
  group: readonly SourceChunk[],
  cursors: readonly SeriesCursor[],
  writer: BlockWriter,
): void {
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  try {
    let merged: ColumnSlice | undefined;
    // Source by source, so that the order of sources decides which of two samples stays.
    for (const cursor of cursors) {
      const run = decodeAll(
        kernel,
        group.filter((chunk) => chunk.cursor === cursor),
      );
      if (merged === undefined) merged = run;
      else if (run.count > 0) {
        const room = merged.count + run.count;
        const out = { timestamps: scratch.allocate(8 * room), values: scratch.allocate(8 * room) };
        merged = { ...out, count: mergeRuns(views, merged, run, out) };
      }
    }
    if (merged !== undefined) writer.addSamples(merged);
  } finally {
    scratch.release(mark);
  }
}

/** The samples of chunks of one source that are within its block's time and not deleted. */
function decodeAll({ scratch, views }: Kernel, chunks: readonly SourceChunk[]): ColumnSlice {
  let capacity = 0;
  for (const chunk of chunks) capacity += find(chunk).sampleCount;
  const timestamps = scratch.allocate(8 * capacity);
  const values = scratch.allocate(8 * capacity);
  let count = 0;
  for (const chunk of chunks) {
    const slice = { timestamps: timestamps + 8 * count, values: values + 8 * count };
    const decoded = find(chunk).decode({ ...slice, capacity: capacity - count });
    count += chunk.isTrimmed ? trim(views, { ...slice, count: decoded }, chunk) : decoded;
  }
  return { timestamps, values, count };
}

function trim(views: Views, slice: ColumnSlice, { cursor: { block, entry } }: SourceChunk): number {
  const { minTime, maxTime } = block.meta;
  const count = keepRange(views, slice, minTime, maxTime - 1);
  return dropIntervals(views, { ...slice, count }, block.tombstones.of(entry.ref) ?? []);
}

/** Brings the chunk into its source's window, and says how it is decoded. */
function locate({ cursor, index }: SourceChunk): ChunkCodec {
  const window: ChunkWindow = cursor.window;
  const { chunkRefs, chunkCount } = cursor.entry;
  window.find(chunkRefs[index]!, chunkRefs[chunkCount - 1]!);
  if (window.codec === undefined) window.fail(`chunk encoding ${window.encoding} is unknown`);
  return window.codec;
}
