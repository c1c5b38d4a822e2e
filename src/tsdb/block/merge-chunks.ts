import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import { mergeRuns, type StoredHistogram } from "../../storage/index.ts";
import type { BlockWriter } from "./block-writer.ts";
import { type ColumnSlice, dropIntervals, hasTime, keepRange } from "./columns.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import { cutHistograms } from "./histograms.ts";
import { addInterleaved } from "./interleave.ts";
import type { ChunkWindow } from "./chunk-window.ts";
import type { SeriesCursor } from "./series-cursor.ts";
import { type Interval, isDeleted } from "./tombstones.ts";

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
 * encoded anew. Throws BlockDamagedError.
 */
export function mergeChunks(kernel: Kernel, cursors: readonly SeriesCursor[], writer: BlockWriter): void {
  if (areApart(cursors)) return takeAll(cursors, writer);
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

/** Whether all chunks of the sources, one source after the other, can be taken over as they are. */
function areApart(cursors: readonly SeriesCursor[]): boolean {
  let lastMs = -Infinity;
  for (const { block, entry } of cursors) {
    const { minTime, maxTime } = block.meta;
    if (block.tombstones.of(entry.ref) !== undefined) return false;
    for (let index = 0; index < entry.chunkCount; index++) {
      const minMs = entry.minTimesMs[index]!;
      if (minMs <= lastMs || minMs < minTime) return false;
      lastMs = entry.maxTimesMs[index]!;
      if (lastMs >= maxTime) return false;
    }
  }
  return true;
}

function takeAll(cursors: readonly SeriesCursor[], writer: BlockWriter): void {
  for (const cursor of cursors) {
    const { chunkCount, minTimesMs, maxTimesMs } = cursor.entry;
    for (let index = 0; index < chunkCount; index++)
      writer.addChunk(find({ cursor, index }), minTimesMs[index]!, maxTimesMs[index]!);
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
function find({ cursor, index }: Pick<SourceChunk, "cursor" | "index">): ChunkWindow {
  const { window, entry } = cursor;
  window.find(entry.chunkRefs[index]!, entry.chunkRefs[entry.chunkCount - 1]!);
  window.verify();
  return window;
}

/** Source by source, so that the order of sources decides which of two samples stays. */
function encodeAnew(
  kernel: Kernel,
  group: readonly SourceChunk[],
  cursors: readonly SeriesCursor[],
  writer: BlockWriter,
): void {
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  try {
    let floats: ColumnSlice = { timestamps: 0, values: 0, count: 0 };
    const histograms = new Map<number, StoredHistogram>();
    const starts = new Map<number, number>();
    for (const cursor of cursors) {
      const own = group.filter((chunk) => chunk.cursor === cursor);
      const run = decodeFloats(
        kernel,
        own.filter((chunk) => locate(chunk).kind === "float"),
      );
      const count = dropIntervals(views, run, pointsOf(histograms));
      for (const sample of decodeHistograms(own.filter((chunk) => locate(chunk).kind === "histogram")))
        if (!histograms.has(sample.timestampMs) && !hasTime(views, floats, sample.timestampMs))
          histograms.set(sample.timestampMs, sample);
      for (const [timestampMs, startMs] of decodeStarts(own))
        if (!hasTime(views, floats, timestampMs)) starts.set(timestampMs, startMs);
      floats = mergeFloats(kernel, floats, { ...run, count });
    }
    const sorted = [...histograms.values()].sort((a, b) => a.timestampMs - b.timestampMs);
    // A chunk that only loses samples stays what it is.
    const encoding = group.length === 1 ? locate(group[0]!).floatEncoding : undefined;
    addInterleaved(writer, views, floats, sorted, starts, encoding);
  } finally {
    scratch.release(mark);
  }
}

/** What a histogram of an earlier source takes the place of. */
function pointsOf(histograms: ReadonlyMap<number, StoredHistogram>): Interval[] {
  return Array.from(histograms.keys(), (timestampMs) => ({
    minTimestampMs: timestampMs,
    maxTimestampMs: timestampMs,
  }));
}

function decodeHistograms(chunks: readonly SourceChunk[]): StoredHistogram[] {
  return chunks.flatMap((chunk) => {
    const { meta, tombstones } = chunk.cursor.block;
    const intervals = tombstones.of(chunk.cursor.entry.ref);
    return cutHistograms(find(chunk).decodeHistograms(), meta.minTime, meta.maxTime - 1, intervals);
  });
}

/** Since when the floats of chunks of one source count; also of some that are deleted. */
function decodeStarts(chunks: readonly SourceChunk[]): [timestampMs: number, startMs: number][] {
  return chunks.flatMap((chunk) =>
    locate(chunk).floatEncoding === layout.chunkEncodingXor2 ? [...find(chunk).decodeStarts()] : [],
  );
}

function mergeFloats({ scratch, views }: Kernel, a: ColumnSlice, b: ColumnSlice): ColumnSlice {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const room = a.count + b.count;
  const out = { timestamps: scratch.allocate(8 * room), values: scratch.allocate(8 * room) };
  return { ...out, count: mergeRuns(views, a, b, out) };
}

/** The samples of chunks of one source that are within its block's time and not deleted. */
function decodeFloats({ scratch, views }: Kernel, chunks: readonly SourceChunk[]): ColumnSlice {
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
