import { withoutResets } from "../../model/index.ts";
import { type Kernel, layout, type Views } from "../../kernel/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import { type ChunkCodec, chunkCodecs } from "../block/chunk-codec.ts";
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
  { views }: Kernel,
  ref: number,
  run: OutOfOrderRun,
  data: RunData,
): StoredHistogram[] {
  if (run.encoding === openEncoding) {
    if (!isMixed(views, run.ptr)) return [];
    return openEntries(views, run.ptr, ref)
      .filter((entry): entry is HistogramEntry => !isFloatEntry(entry))
      .map((entry) => ({ ...entry, histogram: withoutResets(entry.histogram) }));
  }
  const { decodeHistograms } = codecOf(run);
  const bytes = decodeHistograms && data(ref, run);
  return bytes ? [...decodeHistograms(bytes)] : [];
}

/** Since when the floats of a run count, by the time of each, as far as that is known. Throws ChunkDamagedError. */
export function readRunStarts(
  { views }: Kernel,
  ref: number,
  run: OutOfOrderRun,
  data: RunData,
): [timestampMs: number, startTimestampMs: number][] {
  if (run.encoding === openEncoding) {
    if (!isMixed(views, run.ptr)) return [];
    return openEntries(views, run.ptr, ref)
      .filter((entry) => isFloatEntry(entry) && entry.startTimestampMs !== 0)
      .map(({ timestampMs, startTimestampMs }) => [timestampMs, startTimestampMs]);
  }
  const { decodeStarts } = codecOf(run);
  const bytes = decodeStarts && data(ref, run);
  return bytes ? [...decodeStarts(bytes)] : [];
}

/** All samples of a run, in the order of time. Throws ChunkDamagedError. */
export function readEntries(kernel: Kernel, ref: number, run: OutOfOrderRun, data: RunData): SampleEntry[] {
  const { scratch, views } = kernel;
  if (run.encoding === openEncoding) return openEntries(views, run.ptr, ref);
  const bytes = data(ref, run);
  const { decodeHistograms, decodeStarts } = codecOf(run);
  if (bytes === undefined) return [];
  if (decodeHistograms) return Array.from(decodeHistograms(bytes), (sample) => ({ ...sample, ref }));
  const starts = decodeStarts?.(bytes);
  const mark = scratch.mark();
  try {
    const timestamps = scratch.allocate(8 * run.count + layout.slackBytes);
    const values = scratch.allocate(8 * run.count + layout.slackBytes);
    decodeFloats(kernel, run, bytes, timestamps, values);
    return Array.from({ length: run.count }, (_, i) => {
      const timestampMs = views.f64[timestamps / 8 + i]!;
      const bits = views.u64[values / 8 + i]!;
      return { ref, timestampMs, bits, startTimestampMs: starts?.get(timestampMs) ?? 0 };
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
  const { decode } = codecOf(run);
  if (bytes === undefined || decode === undefined) return 0;
  const { scratch, views } = kernel;
  const mark = scratch.mark();
  try {
    const ptr = scratch.allocate(bytes.length + layout.slackBytes);
    views.u8.set(bytes, ptr);
    return decode(kernel, ptr, bytes.length, run.count, timestamps, values, run.count);
  } finally {
    scratch.release(mark);
  }
}

function codecOf({ encoding }: OutOfOrderRun): ChunkCodec {
  return chunkCodecs[encoding]!;
}
