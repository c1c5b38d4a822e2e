import { chunkBytesMax, type Kernel, layout } from "../../kernel/index.ts";
import type { HistogramKind } from "../../storage/index.ts";
import { HistogramChunk } from "../chunk/histogram-chunk.ts";
import { histogramEncoding } from "../chunk/histogram-encoding.ts";
import { isFloatEntry, type SampleEntry } from "../head/entry-batch.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import { isMixed, openColumns, openCount, openEntries, openTimes } from "./open-list.ts";

/** A chunk as files hold it. */
export interface EncodedChunk {
  readonly encoding: number;
  readonly count: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly bytes: Uint8Array;
}

/** The chunks of an open list, as upstream makes them: one for each stretch of samples of a kind, and of histograms wherever the layout or a reset asks for another. */
export function encodeList(kernel: Kernel, ptr: number): EncodedChunk[] {
  const { views } = kernel;
  if (!isMixed(views, ptr)) return [encodeFloats(kernel, ptr, 0, openCount(views, ptr), false)];
  const entries = openEntries(views, ptr, 0);
  const chunks: EncodedChunk[] = [];
  for (let start = 0, end = 0; start < entries.length; start = end) {
    while (end < entries.length && kindOf(entries[end]!) === kindOf(entries[start]!)) end++;
    const run = entries.slice(start, end);
    const keepsStarts = run.some(({ startTimestampMs }) => startTimestampMs !== 0);
    if (!isFloatEntry(run[0]!)) chunks.push(...encodeHistograms(run as HistogramEntry[], keepsStarts));
    else chunks.push(encodeFloats(kernel, ptr, start, end, keepsStarts));
  }
  return chunks;
}

/** Undefined of a float. */
function kindOf(entry: SampleEntry): HistogramKind | undefined {
  return isFloatEntry(entry) ? undefined : entry.kind;
}

/** The floats of a list from `start` until before `end`. */
function encodeFloats(
  kernel: Kernel,
  ptr: number,
  start: number,
  end: number,
  keepsStarts: boolean,
): EncodedChunk {
  const { scratch, views } = kernel;
  const { tsPtr, vsPtr, startsPtr } = openColumns(views, ptr);
  const times = openTimes(views, ptr);
  const count = end - start;
  const capacity = chunkBytesMax(count);
  const mark = scratch.mark();
  try {
    const out = scratch.allocate(capacity);
    const columns = { tsPtr: tsPtr + 8 * start, vsPtr: vsPtr + 8 * start, count };
    const encoding = keepsStarts ? layout.chunkEncodingXor2 : kernel.floatEncoding;
    const starts = keepsStarts ? startsPtr + 8 * start : 0;
    const length = kernel.encodeChunk(encoding, columns, out, capacity, starts);
    const bytes = views.u8.slice(out, out + length);
    return { encoding, count, minTimestampMs: times[start]!, maxTimestampMs: times[end - 1]!, bytes };
  } finally {
    scratch.release(mark);
  }
}

function encodeHistograms(histograms: readonly HistogramEntry[], keepsStarts: boolean): EncodedChunk[] {
  const encoding = histogramEncoding(histograms[0]!.kind, keepsStarts);
  const chunks: EncodedChunk[] = [];
  let chunk = new HistogramChunk(encoding);
  let taken: HistogramEntry[] = [];
  for (const entry of histograms) {
    const { timestampMs, histogram, startTimestampMs } = entry;
    const outcome = chunk.append(timestampMs, histogram, startTimestampMs);
    if (typeof outcome === "object") {
      chunks.push(encoded(chunk, taken));
      chunk = new HistogramChunk(encoding, outcome.nextHeader);
      taken = [];
      chunk.append(timestampMs, histogram, startTimestampMs);
    }
    taken.push(entry);
  }
  return [...chunks, encoded(chunk, taken)];
}

function encoded(chunk: HistogramChunk, samples: readonly HistogramEntry[]): EncodedChunk {
  return {
    encoding: chunk.encoding,
    count: samples.length,
    minTimestampMs: samples[0]!.timestampMs,
    maxTimestampMs: samples.at(-1)!.timestampMs,
    bytes: chunk.bytes(),
  };
}
