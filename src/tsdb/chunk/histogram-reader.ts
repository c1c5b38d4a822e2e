import {
  histogramRow,
  type HistogramRows,
  type Kernel,
  slackBytes,
  staleMarkerBits,
} from "../../kernel/index.ts";
import { type CounterReset, type Histogram, staleHistogram } from "../../model/index.ts";
import type { HistogramKind, HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import { BitReader } from "./bit-stream.ts";
import { decodeHistogramChunk, readable } from "./histogram-decode.ts";
import {
  headerBytes,
  type HistogramEncoding,
  histogramKind,
  histogramSampleCount,
  hintInChunk,
  keepsStarts,
  readHeader,
} from "./histogram-encoding.ts";
import { type HistogramLayout, readLayout } from "./histogram-layout.ts";

/**
 * As `decodeHistogramChunk`, for queries: the kernel decodes, and only those histograms are made that are needed. What it cannot decode (start timestamps, more
 * stale markers than fit their chunk) is decoded here. Throws ChunkDamagedError.
 */
export function readHistogramChunk(
  kernel: Kernel,
  encoding: HistogramEncoding,
  bytes: Uint8Array,
  samples = histogramSampleCount(encoding, bytes),
  need: HistogramNeed = {},
): StoredHistogram[] {
  const plainly = (): StoredHistogram[] => [...decodeHistogramChunk(encoding, bytes, samples, need)];
  if (keepsStarts(encoding) || samples === 0) return plainly();
  const header = readHeader(encoding, bytes);
  const bits = new BitReader(bytes, headerBytes);
  const layout = readLayout(bits);
  const { scratch } = kernel;
  const mark = scratch.mark();
  try {
    const withBuckets = need.shapeOnly !== true;
    const rows = decodeRows(kernel, encoding, bytes, samples, layout, bits.position, withBuckets);
    return rows === undefined ? plainly() : take(rows, need, header);
  } finally {
    scratch.release(mark);
  }
}

/** All samples of a chunk as the kernel decodes them. */
interface DecodedChunk extends HistogramRows {
  readonly kernel: Kernel;
  readonly layout: HistogramLayout;
  readonly kind: HistogramKind;
  readonly samples: number;
  readonly withBuckets: boolean;
}

/** Undefined where the rows would be much larger than the chunk: only markers write less than a bit for each bucket. */
function decodeRows(
  kernel: Kernel,
  encoding: HistogramEncoding,
  bytes: Uint8Array,
  samples: number,
  layout: HistogramLayout,
  firstBit: number,
  withBuckets: boolean,
): DecodedChunk | undefined {
  const { positive, negative } = layout;
  const buckets = positive.length + negative.length;
  if ((samples - 1) * buckets > 8 * bytes.length) return undefined;
  const ptr = kernel.scratch.allocate(bytes.length + slackBytes);
  kernel.views.u8.set(bytes, ptr);
  const kind = histogramKind(encoding);
  const rows = kernel.decodeHistogramRows(
    { ptr, bytes: bytes.length, firstBit },
    { isFloat: kind === "float", count: samples, positive: positive.length, negative: negative.length },
    withBuckets,
  );
  return { ...rows, kernel, layout, kind, samples, withBuckets };
}

/** Makes histograms of the rows that are needed. */
function take(chunk: DecodedChunk, need: HistogramNeed, header: CounterReset): StoredHistogram[] {
  const { kernel, kind, rowsPtr, stride, samples } = chunk;
  const { f64, u64 } = kernel.views;
  const taken: StoredHistogram[] = [];
  let shape: Histogram | undefined;
  for (let i = 0; i < samples; i++) {
    const row = rowsPtr / 8 + i * stride;
    const timestampMs = f64[row]!;
    const nextMs = i + 1 < samples ? f64[row + stride]! : Infinity;
    const isStale = u64[row + histogramRow.sum] === staleMarkerBits;
    if (!isStale && need.isWanted?.(timestampMs, nextMs) === false) continue;
    const known = isStale ? staleHistogram : shape;
    const histogram = known ?? readable(histogramOf(chunk, row, hintInChunk(header, i)));
    if (need.shapeOnly === true && !isStale) shape = histogram;
    taken.push({ timestampMs, histogram, kind, startTimestampMs: 0 });
  }
  return taken;
}

function histogramOf(
  { kernel, layout, withBuckets }: DecodedChunk,
  row: number,
  counterReset: CounterReset,
): Histogram {
  const { schema, zeroThreshold, positive, negative, customBounds } = layout;
  const { f64 } = kernel.views;
  const buckets = row + histogramRow.buckets;
  const countsAt = (from: number, length: number): number[] =>
    withBuckets ? numbers(f64, from, length) : Array<number>(length).fill(0);
  return {
    schema,
    counterReset,
    zeroThreshold,
    zeroCount: f64[row + histogramRow.zeroCount]!,
    count: f64[row + histogramRow.count]!,
    sum: f64[row + histogramRow.sum]!,
    positive: { indices: positive, counts: countsAt(buckets, positive.length) },
    negative: { indices: negative, counts: countsAt(buckets + positive.length, negative.length) },
    customBounds,
    isStale: false,
  };
}

function numbers(f64: Float64Array, from: number, length: number): number[] {
  // Of the right length at once: a long range holds very many of these.
  const copied = Array<number>(length);
  for (let i = 0; i < length; i++) copied[i] = f64[from + i]!;
  return copied;
}
