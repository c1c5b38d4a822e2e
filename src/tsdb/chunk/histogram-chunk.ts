import { assert } from "../../base/index.ts";
import { ChunkDamagedError } from "../../kernel/index.ts";
import {
  type Buckets,
  type CounterReset,
  exponentialSchemaMax,
  type Histogram,
  reduceResolution,
  sameNumbers,
  staleHistogram,
  withCounterReset,
} from "../../model/index.ts";
import type { HistogramKind, HistogramNeed, StoredHistogram } from "../../storage/index.ts";
import { counterAppendable, gaugeAppendable } from "./appendable.ts";
import { BitReader } from "./bit-stream.ts";
import { ChunkEncoder, headerBytes } from "./chunk-encoder.ts";
import { FloatHistogramDecoder, FloatHistogramEncoder } from "./float-histogram.ts";
import type { HistogramEncoder } from "./histogram-codec.ts";
import { startHeaderByte, StartTimestampDecoder, StartTimestampEncoder } from "./start-timestamp.ts";
import { IntegerHistogramDecoder, IntegerHistogramEncoder } from "./histogram.ts";
import { type HistogramLayout, layoutOf, readLayout, writeLayout } from "./histogram-layout.ts";

/** Chunk encodings of native histograms: 2 and 5 hold integer, 3 and 6 float histograms; 5 and 6 with start timestamps. */
export type HistogramEncoding = 2 | 3 | 5 | 6;

export function isHistogramEncoding(encoding: number): encoding is HistogramEncoding {
  return encoding === 2 || encoding === 3 || encoding === 5 || encoding === 6;
}

/** Where the flags of the header are, and how many samples the number leaves room for. */
const plainForm = { flagsByte: 2, samplesMax: 65_535 } as const;
const startForm = { flagsByte: 0, samplesMax: 0x3fff } as const;

/** The upper two bits of the flags: how the first histogram follows the one before the chunk. */
const headerBits: Readonly<Record<CounterReset, number>> = {
  unknown: 0b00000000,
  not_reset: 0b01000000,
  reset: 0b10000000,
  gauge: 0b11000000,
};
const headers: readonly CounterReset[] = ["unknown", "not_reset", "reset", "gauge"];

/**
 * What became of an appended histogram: it is in the chunk; it is, and the chunk was written anew for it has new buckets; or it
 * is not, and has to begin a new chunk with the header given.
 */
export type AppendOutcome = "appended" | "recoded" | { readonly nextHeader: CounterReset };

/** A chunk of native histograms that is being written. */
export class HistogramChunk extends ChunkEncoder {
  readonly encoding: HistogramEncoding;
  readonly #form: typeof plainForm | typeof startForm;
  #header: CounterReset;
  #encoder: HistogramEncoder;
  #starts: StartTimestampEncoder | undefined;
  #layout: HistogramLayout | undefined;
  #last: Histogram | undefined;
  #lastMs = 0;

  /** `header` says how the first histogram follows the chunk before; a hint of its own goes first. */
  constructor(encoding: HistogramEncoding, header: CounterReset = "unknown") {
    super();
    this.encoding = encoding;
    this.#header = header;
    this.#form = formOf(encoding);
    this.#encoder = newEncoder(encoding);
    this.#starts = newStarts(encoding);
  }

  /** The chunk that the bytes hold, to be written on. Throws ChunkDamagedError. */
  static resume(encoding: HistogramEncoding, bytes: Uint8Array): HistogramChunk {
    const chunk = new HistogramChunk(encoding, readHeader(encoding, bytes));
    for (const { timestampMs, histogram, startTimestampMs } of decodeHistogramChunk(encoding, bytes))
      chunk.#write(timestampMs, histogram, startTimestampMs);
    return chunk;
  }

  get header(): CounterReset {
    return this.#header;
  }

  protected override encodeHeader(): readonly number[] {
    const header = [this.samples >>> 8, this.samples & 0xff, this.#starts?.header ?? 0];
    header[this.#form.flagsByte]! |= headerBits[this.#header];
    return header;
  }

  /** `startTimestampMs` is kept by encodings 5 and 6 only. */
  append(timestampMs: number, histogram: Histogram, startTimestampMs = 0): AppendOutcome {
    if (this.#layout === undefined) {
      const { counterReset } = histogram;
      if (counterReset === "gauge" || counterReset === "reset") this.#header = counterReset;
      this.#write(timestampMs, histogram, startTimestampMs);
      return "appended";
    }
    const layout = this.#layout;
    const appendable = this.#appendable(histogram);
    if (!appendable.isAppendable) return { nextHeader: appendable.header };
    if (this.samples === this.#form.samplesMax) return { nextHeader: this.headerAfter(histogram) };
    const { positive, negative } = appendable;
    const isRecoded = !sameNumbers(positive, layout.positive) || !sameNumbers(negative, layout.negative);
    if (isRecoded) this.#recode({ ...layout, positive, negative });
    this.#write(timestampMs, histogram, startTimestampMs);
    return isRecoded ? "recoded" : "appended";
  }

  /** The header for a chunk that goes on after this one with the given histogram, where this one is full. */
  headerAfter(histogram: Histogram): CounterReset {
    if (this.#layout === undefined) return "unknown";
    if (histogram.counterReset === "gauge") return "gauge";
    const appendable = this.#appendable(histogram);
    if (appendable.isAppendable) return "not_reset";
    // Upstream's chunks of float histograms know resets only; the rest is none.
    return isFloat(this.encoding) && appendable.header === "unknown" ? "not_reset" : appendable.header;
  }

  #appendable(histogram: Histogram): ReturnType<typeof counterAppendable> {
    const end = { layout: this.#layout!, header: this.#header, last: this.#last! };
    if (histogram.counterReset === "gauge") return gaugeAppendable(end, histogram);
    const appendable = counterAppendable(end, histogram);
    const isFloatAfterGauge = isFloat(this.encoding) && this.#header === "gauge";
    return isFloatAfterGauge ? { isAppendable: false, header: "unknown" } : appendable;
  }

  #recode(layout: HistogramLayout): void {
    const samples = [...decodeHistogramChunk(this.encoding, this.bytes())];
    this.restart();
    this.#encoder = newEncoder(this.encoding);
    this.#starts = newStarts(this.encoding);
    this.#layout = undefined;
    for (const { timestampMs, histogram, startTimestampMs } of samples)
      this.#write(timestampMs, inLayout(histogram, layout), startTimestampMs);
  }

  /** Writes a sample that fits into the layout; the first one determines it. */
  #write(timestampMs: number, histogram: Histogram, startTimestampMs: number): void {
    assert(this.samples < this.#form.samplesMax, "a chunk's number of samples has its bound");
    if (this.#layout === undefined) {
      const layout = layoutOf(histogram);
      this.#layout = layout;
      writeLayout(this.bits, layout);
      this.#encoder.encodeFirst(this.bits, timestampMs, histogram);
      this.#last = histogram;
    } else {
      this.#last = histogram.isStale ? histogram : inLayout(histogram, this.#layout);
      this.#encoder.encodeNext(this.bits, timestampMs, this.#last);
    }
    this.#starts?.encode(this.bits, this.samples, timestampMs, this.#lastMs, startTimestampMs);
    this.#lastMs = timestampMs;
    this.samples++;
  }
}

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

/** What is known of resets before the `i`th histogram of a chunk. */
export function hintInChunk(header: CounterReset, i: number): CounterReset {
  return header === "gauge" ? "gauge" : i === 0 ? "unknown" : "not_reset";
}

/** How many samples a chunk's header says it has. */
export function histogramSampleCount(encoding: HistogramEncoding, bytes: Uint8Array): number {
  readHeader(encoding, bytes);
  return ((bytes[0]! << 8) | bytes[1]!) & formOf(encoding).samplesMax;
}

/** How the chunk's first histogram follows the chunk before. */
export function readHeader(encoding: HistogramEncoding, bytes: Uint8Array): CounterReset {
  if (bytes.length < headerBytes)
    throw new ChunkDamagedError(`histogram chunk of ${bytes.length} bytes has no header`);
  return headers[bytes[formOf(encoding).flagsByte]! >>> 6]!;
}

export function histogramKind(encoding: HistogramEncoding): HistogramKind {
  return isFloat(encoding) ? "float" : "integer";
}

/** The encoding for histograms of a kind. */
export function histogramEncoding(kind: HistogramKind, keepsStarts = false): HistogramEncoding {
  if (kind === "float") return keepsStarts ? 6 : 3;
  return keepsStarts ? 5 : 2;
}

function isFloat(encoding: HistogramEncoding): boolean {
  return encoding === 3 || encoding === 6;
}

export function keepsStarts(encoding: HistogramEncoding): boolean {
  return encoding >= 5;
}

function formOf(encoding: HistogramEncoding): typeof plainForm | typeof startForm {
  return keepsStarts(encoding) ? startForm : plainForm;
}

/** Finer schemas than are in use may be stored; they are read as the finest of those. */
export function readable(histogram: Histogram): Histogram {
  return histogram.schema > exponentialSchemaMax
    ? reduceResolution(histogram, exponentialSchemaMax)
    : histogram;
}

function newEncoder(encoding: HistogramEncoding): HistogramEncoder {
  return isFloat(encoding) ? new FloatHistogramEncoder() : new IntegerHistogramEncoder();
}

function newStarts(encoding: HistogramEncoding): StartTimestampEncoder | undefined {
  return keepsStarts(encoding) ? new StartTimestampEncoder() : undefined;
}

/** The histogram with a bucket for each one of the layout, which has all of its own. */
function inLayout(histogram: Histogram, { positive, negative }: HistogramLayout): Histogram {
  return {
    ...histogram,
    positive: expand(histogram.positive, positive),
    negative: expand(histogram.negative, negative),
  };
}

function expand({ indices, counts }: Buckets, target: readonly number[]): Buckets {
  if (sameNumbers(indices, target)) return { indices: target, counts };
  let at = 0;
  return {
    indices: target,
    counts: target.map((index) => (indices[at] === index ? counts[at++]! : 0)),
  };
}
