import { ChunkDamagedError } from "../../kernel/index.ts";
import {
  customBucketsSchema,
  type Histogram,
  indicesFromSpans,
  isKnownSchema,
  type Span,
  spansFromIndices,
} from "../../model/index.ts";
import type { BitReader, BitWriter } from "./bit-stream.ts";
import { readVarbitInt, readVarbitUint, writeVarbitInt, writeVarbitUint } from "./varbit.ts";

/** What all histograms of a chunk have in common: written once, before the first sample. */
export interface HistogramLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly customBounds: readonly number[];
}

export function layoutOf({ positive, negative, ...histogram }: Histogram): HistogramLayout {
  const { schema, zeroThreshold, customBounds } = histogram;
  return { schema, zeroThreshold, customBounds, positive: positive.indices, negative: negative.indices };
}

export function writeLayout(bits: BitWriter, layout: HistogramLayout): void {
  writeZeroThreshold(bits, layout.zeroThreshold);
  writeVarbitInt(bits, layout.schema);
  writeSpans(bits, spansFromIndices(layout.positive));
  writeSpans(bits, spansFromIndices(layout.negative));
  if (layout.schema !== customBucketsSchema) return;
  writeVarbitUint(bits, layout.customBounds.length);
  for (const bound of layout.customBounds) writeBound(bits, bound);
}

/** Throws ChunkDamagedError. */
export function readLayout(bits: BitReader): HistogramLayout {
  const zeroThreshold = readZeroThreshold(bits);
  const schema = readVarbitInt(bits);
  const positive = readSpans(bits);
  const negative = readSpans(bits);
  if (!isKnownSchema(schema)) {
    throw new ChunkDamagedError(
      `histogram has an unknown schema, which must be between -9 and 52 for exponential buckets, or -53 for custom buckets, got schema ${schema}`,
    );
  }
  const customBounds = schema === customBucketsSchema ? readList(bits, readBound) : [];
  return {
    schema,
    zeroThreshold,
    customBounds,
    positive: indices(positive, bits),
    negative: indices(negative, bits),
  };
}

/** Every bucket takes at least one bit of every sample, so there cannot be more than there are bits. */
function indices(spans: readonly Span[], bits: BitReader): number[] {
  const count = spans.reduce((sum, { length }) => sum + length, 0);
  if (count > bits.bitsLeft)
    throw new ChunkDamagedError(`chunk is too short for histograms of ${count} buckets`);
  try {
    return indicesFromSpans(spans, count);
  } catch (error) {
    throw new ChunkDamagedError((error as Error).message);
  }
}

function writeSpans(bits: BitWriter, spans: readonly Span[]): void {
  writeVarbitUint(bits, spans.length);
  for (const { offset, length } of spans) {
    writeVarbitUint(bits, length);
    writeVarbitInt(bits, offset);
  }
}

function readSpans(bits: BitReader): Span[] {
  return readList(bits, () => {
    const length = readVarbitUint(bits);
    return { length, offset: readVarbitInt(bits) };
  });
}

/** Reads as many items as a count says; each takes a bit at least, so a wrong count ends at the end of the chunk. */
function readList<Item>(bits: BitReader, read: (bits: BitReader) => Item): Item[] {
  const count = readVarbitUint(bits);
  const items: Item[] = [];
  while (items.length < count) items.push(read(bits));
  return items;
}

const wholeThreshold = 255;
/** The byte that stands for a threshold of 1; the next one for 2, the one before for ½. */
const unitThreshold = 244;

/** Zero and the usual powers of two, from 2⁻²⁴³ to 2¹⁰, take one byte. */
function writeZeroThreshold(bits: BitWriter, threshold: number): void {
  const exponent = Math.log2(threshold);
  if (threshold === 0) bits.writeBits(0, 8);
  else if (Number.isInteger(exponent) && 2 ** exponent === threshold && exponent >= -243 && exponent <= 10) {
    bits.writeBits(unitThreshold + exponent, 8);
  } else {
    bits.writeBits(wholeThreshold, 8);
    writeDouble(bits, threshold);
  }
}

function readZeroThreshold(bits: BitReader): number {
  const byte = bits.readBits(8);
  if (byte === 0) return 0;
  return byte === wholeThreshold ? readDouble(bits) : 2 ** (byte - unitThreshold);
}

/** The largest bound in thousandths that is written as a whole number. */
const thousandthsMax = 33_554_430;

/** Bounds are mostly short decimals, and then written as thousandths plus one; 0 announces a whole double. */
function writeBound(bits: BitWriter, bound: number): void {
  const thousandths = Math.round(bound * 1000);
  const isShort = bound * 1000 >= 0 && bound * 1000 <= thousandthsMax && thousandths / 1000 === bound;
  if (isShort) return writeVarbitUint(bits, thousandths + 1);
  bits.writeBit(0);
  writeDouble(bits, bound);
}

function readBound(bits: BitReader): number {
  const code = readVarbitUint(bits);
  return code === 0 ? readDouble(bits) : (code - 1) / 1000;
}

const view = new DataView(new ArrayBuffer(8));

function writeDouble(bits: BitWriter, value: number): void {
  view.setFloat64(0, value);
  bits.writeBits(view.getUint32(0), 32);
  bits.writeBits(view.getUint32(4), 32);
}

function readDouble(bits: BitReader): number {
  view.setUint32(0, bits.readBits(32));
  view.setUint32(4, bits.readBits(32));
  return view.getFloat64(0);
}
