import {
  exponentialSchemaMax,
  type Histogram,
  reduceResolution,
  staleHistogram,
  withCounterReset,
} from "../../model/index.ts";
import type { HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import { BitReader } from "./bit-stream.ts";
import { FloatHistogramDecoder } from "./float-histogram.ts";
import { IntegerHistogramDecoder } from "./histogram.ts";
import {
  headerBytes,
  hintInChunk,
  type HistogramEncoding,
  histogramKind,
  histogramSampleCount,
  isFloat,
  keepsStarts,
  readHeader,
} from "./histogram-encoding.ts";
import { readLayout } from "./histogram-layout.ts";
import { startHeaderByte, StartTimestampDecoder } from "./start-timestamp.ts";

/**
 * The samples of a chunk, or the first few of one that is being written. All but the first of a chunk of counters are known not to follow a
 * reset; a reader who skips chunks cannot know about the first. Those that nobody needs are left out, but for stale markers. Throws ChunkDamagedError where the
 * bytes end or contradict themselves.
 */
export function* decodeHistogramChunk(
  encoding: HistogramEncoding,
  bytes: Uint8Array,
  samples = histogramSampleCount(encoding, bytes),
  need: HistogramNeed = {},
): Generator<StoredHistogram> {
  const header = readHeader(encoding, bytes);
  if (samples === 0) return;
  const bits = new BitReader(bytes, headerBytes);
  const layout = readLayout(bits);
  const decoder = isFloat(encoding) ? new FloatHistogramDecoder(layout) : new IntegerHistogramDecoder(layout);
  const starts = keepsStarts(encoding) ? new StartTimestampDecoder(bytes[startHeaderByte]!) : undefined;
  const kind = histogramKind(encoding);
  let shape: Histogram | undefined;
  let previousMs = 0;
  let timestampMs = decoder.readFirst(bits);
  for (let i = 0; i < samples; i++) {
    if (i > 0) decoder.readRest(bits);
    starts?.decode(bits, i, timestampMs, previousMs);
    const { isStale } = decoder;
    const startTimestampMs = starts?.startMs ?? 0;
    const nextMs = i + 1 < samples ? decoder.readTime(bits) : Infinity;
    if (isStale || need.isWanted?.(timestampMs, nextMs) !== false) {
      const known = isStale ? staleHistogram : shape;
      const histogram = known ?? readable(withCounterReset(decoder.histogram(), hintInChunk(header, i)));
      if (need.shapeOnly === true && !isStale) shape = histogram;
      yield { timestampMs, histogram, kind, startTimestampMs };
    }
    previousMs = timestampMs;
    timestampMs = nextMs;
  }
}

/** Finer schemas than are in use may be stored; they are read as the finest of those. */
export function readable(histogram: Histogram): Histogram {
  return histogram.schema > exponentialSchemaMax
    ? reduceResolution(histogram, exponentialSchemaMax)
    : histogram;
}
