import { assert } from "../../base/index.ts";
import { type Buckets, type CounterReset, type Histogram, sameNumbers } from "../../model/index.ts";
import { counterAppendable, gaugeAppendable } from "./appendable.ts";
import { BitWriter } from "./bit-stream.ts";
import { FloatHistogramEncoder } from "./float-histogram.ts";
import { IntegerHistogramEncoder } from "./histogram.ts";
import type { HistogramEncoder } from "./histogram-codec.ts";
import { decodeHistogramChunk } from "./histogram-decode.ts";
import {
  formOf,
  headerBits,
  headerBytes,
  type HistogramEncoding,
  type HistogramForm,
  isFloat,
  keepsStarts,
  readHeader,
} from "./histogram-encoding.ts";
import { type HistogramLayout, layoutOf, writeLayout } from "./histogram-layout.ts";
import { StartTimestampEncoder } from "./start-timestamp.ts";

/**
 * What became of an appended histogram: it is in the chunk; it is, and the chunk was written anew for it has new buckets; or it
 * is not, and has to begin a new chunk with the header given.
 */
export type AppendOutcome = "appended" | "recoded" | { readonly nextHeader: CounterReset };

/** A chunk of native histograms that is being written. */
export class HistogramChunk {
  readonly encoding: HistogramEncoding;
  readonly #form: HistogramForm;
  /** Its header changes with each sample, and is put in its place when somebody asks for the bytes. */
  #bits = newBits();
  #samples = 0;
  #header: CounterReset;
  #encoder: HistogramEncoder;
  #starts: StartTimestampEncoder | undefined;
  #layout: HistogramLayout | undefined;
  #last: Histogram | undefined;
  #lastMs = 0;

  /** `header` says how the first histogram follows the chunk before; a hint of its own goes first. */
  constructor(encoding: HistogramEncoding, header: CounterReset = "unknown") {
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

  get sampleCount(): number {
    return this.#samples;
  }

  get byteLength(): number {
    return this.#bits.byteLength;
  }

  /** The chunk's bytes as files hold them. A copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    this.#setHeader();
    return this.#bits.bytes();
  }

  /** Copies the chunk's bytes to `at`: the header, and the rest from a byte on. */
  copyTo(target: Uint8Array, at: number, fromByte: number): void {
    this.#setHeader();
    this.#bits.copyTo(target, at, 0, headerBytes);
    this.#bits.copyTo(target, at, fromByte);
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
    if (this.#samples === this.#form.samplesMax) return { nextHeader: this.headerAfter(histogram) };
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
    this.#bits = newBits();
    this.#samples = 0;
    this.#encoder = newEncoder(this.encoding);
    this.#starts = newStarts(this.encoding);
    this.#layout = undefined;
    for (const { timestampMs, histogram, startTimestampMs } of samples)
      this.#write(timestampMs, inLayout(histogram, layout), startTimestampMs);
  }

  /** Writes a sample that fits into the layout; the first one determines it. */
  #write(timestampMs: number, histogram: Histogram, startTimestampMs: number): void {
    assert(this.#samples < this.#form.samplesMax, "a chunk's number of samples has its bound");
    if (this.#layout === undefined) {
      const layout = layoutOf(histogram);
      this.#layout = layout;
      writeLayout(this.#bits, layout);
      this.#encoder.encodeFirst(this.#bits, timestampMs, histogram);
      this.#last = histogram;
    } else {
      this.#last = histogram.isStale ? histogram : inLayout(histogram, this.#layout);
      this.#encoder.encodeNext(this.#bits, timestampMs, this.#last);
    }
    this.#starts?.encode(this.#bits, this.#samples, timestampMs, this.#lastMs, startTimestampMs);
    this.#lastMs = timestampMs;
    this.#samples++;
  }

  #setHeader(): void {
    const header = [this.#samples >>> 8, this.#samples & 0xff, this.#starts?.header ?? 0];
    header[this.#form.flagsByte]! |= headerBits[this.#header];
    header.forEach((byte, at) => this.#bits.setByte(at, byte));
  }
}

/** Room for the header. */
function newBits(): BitWriter {
  const bits = new BitWriter();
  bits.writeBits(0, 8 * headerBytes);
  return bits;
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
