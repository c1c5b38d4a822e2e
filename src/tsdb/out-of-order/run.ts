import { withoutResets } from "../../model/index.ts";
import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import type { StartTimestamps, StoredHistogram } from "../../storage/index.ts";
import { type ChunkCodec, chunkCodecs, decodeStarts } from "../block/chunk-codec.ts";
import { isFloatEntry, type SampleEntry } from "../head/entry-batch.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import type { HeadChunkReader } from "../head-chunks/index.ts";
import { chunkData, isInFile, openEncoding, type OutOfOrderRun } from "./chunks.ts";
import { isMixed, openColumns, openEntries } from "./open-list.ts";

/** Has the data of a chunk, a copy; undefined when it is to be left out. */
export type RunData = (ref: number, run: OutOfOrderRun) => Uint8Array | undefined;

/** The data of chunks in memory and in files. */
export function runDataOf(views: Views, chunks: HeadChunkReader): RunData {
  return (ref, run) =>
    isInFile(views, run.ptr) ? chunks.outOfOrderData(run.ptr, { ...run, ref }) : chunkData(views, run.ptr);
}

/** Copies the floats of a run to columns that have room for all its samples; returns how many there are. Throws ChunkDamagedError. */
export function readFloats(
  kernel: Kernel,
  ref: number,
  run: OutOfOrderRun,
  data: RunData,
  timestamps: number,
  values: number,
): number {
  const { views } = kernel;
  if (run.encoding !== openEncoding) return decodeFloats(kernel, run, data(ref, run), timestamps, values);
  if (!isMixed(views, run.ptr)) {
    const { tsPtr, vsPtr } = openColumns(views, run.ptr);
    views.u8.copyWithin(timestamps, tsPtr, tsPtr + 8 * run.count);
    views.u8.copyWithin(values, vsPtr, vsPtr + 8 * run.count);
    return run.count;
  }
  const floats = openEntries(views, run.ptr, ref).filter(isFloatEntry);
  floats.forEach(({ timestampMs, bits }, i) => {
    views.f64[timestamps / 8 + i] = timestampMs;
    views.u64[values / 8 + i] = bits;
  });
  return floats.length;
}

/** The native histograms of a run, in the order of time. Throws ChunkDamagedError. */
export function readHistograms(
  kernel: Kernel,
  ref: number,
  run: OutOfOrderRun,
  data: RunData,
): StoredHistogram[] {
  const { views } = kernel;
  if (run.encoding === openEncoding) {
    if (!isMixed(views, run.ptr)) return [];
    return openEntries(views, run.ptr, ref)
      .filter((entry): entry is HistogramEntry => !isFloatEntry(entry))
      .map((entry) => ({ ...entry, histogram: withoutResets(entry.histogram) }));
  }
  const { decodeHistograms } = codecOf(run);
  const bytes = decodeHistograms && data(ref, run);
  return bytes ? decodeHistograms(kernel, bytes) : [];
}

/** Since when the floats of a run count, by the time of each, as far as that is known. Throws ChunkDamagedError. */
export function readRunStarts(
  kernel: Kernel,
  ref: number,
  run: OutOfOrderRun,
  data: RunData,
): [timestampMs: number, startTimestampMs: number][] {
  const { views } = kernel;
  if (run.encoding === openEncoding) {
    if (!isMixed(views, run.ptr)) return [];
    return openEntries(views, run.ptr, ref)
      .filter((entry) => isFloatEntry(entry) && entry.startTimestampMs !== 0)
      .map(({ timestampMs, startTimestampMs }) => [timestampMs, startTimestampMs]);
  }
  const bytes = codecOf(run).floatEncoding === layout.chunkEncodingXor2 && data(ref, run);
  return bytes ? [...startsIn(kernel, run, bytes)] : [];
}

/** All samples of a run, in the order of time. Throws ChunkDamagedError. */
export function readEntries(kernel: Kernel, ref: number, run: OutOfOrderRun, data: RunData): SampleEntry[] {
  const { scratch, views } = kernel;
  if (run.encoding === openEncoding) return openEntries(views, run.ptr, ref);
  const bytes = data(ref, run);
  const { decodeHistograms } = codecOf(run);
  if (bytes === undefined) return [];
  if (decodeHistograms) return decodeHistograms(kernel, bytes).map((sample) => ({ ...sample, ref }));
  const starts = startsIn(kernel, run, bytes);
  const mark = scratch.mark();
  try {
    const timestamps = scratch.allocate(8 * run.count + layout.slackBytes);
    const values = scratch.allocate(8 * run.count + layout.slackBytes);
    decodeFloats(kernel, run, bytes, timestamps, values);
    return Array.from({ length: run.count }, (_, i) => {
      const timestampMs = views.f64[timestamps / 8 + i]!;
      const bits = views.u64[values / 8 + i]!;
      return { ref, timestampMs, bits, startTimestampMs: starts.get(timestampMs) ?? 0 };
    });
  } finally {
    scratch.release(mark);
  }
}

function decodeFloats(
  kernel: Kernel,
  run: OutOfOrderRun,
  bytes: Uint8Array | undefined,
  timestamps: number,
  values: number,
): number {
  const { floatEncoding } = codecOf(run);
  if (bytes === undefined || floatEncoding === undefined) return 0;
  const { count } = run;
  return withData(kernel, bytes, (ptr) =>
    kernel.decodeChunk(floatEncoding, ptr, bytes.length, count, timestamps, values, count),
  );
}

function startsIn(kernel: Kernel, run: OutOfOrderRun, bytes: Uint8Array): StartTimestamps {
  return withData(kernel, bytes, (dataPtr) =>
    decodeStarts(kernel, codecOf(run), { dataPtr, dataBytes: bytes.length, count: run.count }),
  );
}

/** Puts a chunk's data into the shared memory for as long as `use` runs. */
function withData<T>({ scratch, views }: Kernel, bytes: Uint8Array, use: (ptr: number) => T): T {
  const mark = scratch.mark();
  try {
    const ptr = scratch.allocate(bytes.length + layout.slackBytes);
    views.u8.set(bytes, ptr);
    return use(ptr);
  } finally {
    scratch.release(mark);
  }
}

function codecOf({ encoding }: OutOfOrderRun): ChunkCodec {
  return chunkCodecs[encoding]!;
}
