import { staleMarkerBits } from "../../kernel/index.ts";
import { errorMessage } from "../../base/index.ts";
import {
  assembleHistogram,
  type Buckets,
  type CounterReset,
  countsFromDeltas,
  customBucketsSchema,
  exponentialSchemaMax,
  hasCustomBuckets,
  type Histogram,
  isKnownSchema,
  reduceResolution,
  type Span,
  spansFromIndices,
  staleHistogram,
} from "../../model/index.ts";
import type { HistogramKind } from "../../storage/index.ts";
import type { HistogramEntry } from "../head/histogram-writer.ts";
import { ByteWriter } from "../block/bytes.ts";
import {
  firstGenerationPlaces,
  firstGenerationWriter,
  placeWriter,
  secondGenerationPlaces,
} from "./entry-place.ts";
import { RecordCursor, recordType } from "./record.ts";

/** What a record of histograms holds. Entries of schemas that nobody knows yet are left out and counted. */
export interface HistogramRecord {
  readonly entries: HistogramEntry[];
  readonly skipped: number;
}

const recordTypes = {
  integer: { exponential: recordType.histogramSamples, custom: recordType.customBucketHistogramSamples },
  float: {
    exponential: recordType.floatHistogramSamples,
    custom: recordType.customBucketFloatHistogramSamples,
  },
} as const;

/** With start timestamps, for buckets of either sort. */
const secondGeneration = {
  integer: recordType.histogramSamplesV2,
  float: recordType.floatHistogramSamplesV2,
} as const;

/**
 * The records (types 7 to 10) that hold the samples, one for each kind, and apart for exponential and custom buckets, as far as there are
 * any. Where start timestamps are known they are in records of the second generation (types 12 and 13), one for each kind.
 */
export function encodeHistogramRecords(entries: readonly HistogramEntry[]): Uint8Array[] {
  const hasStarts = entries.some(({ startTimestampMs }) => startTimestampMs !== 0);
  const byType = new Map<number, HistogramEntry[]>();
  for (const entry of entries) {
    const type = hasStarts ? secondGeneration[entry.kind] : typeOf(entry);
    const same = byType.get(type);
    if (same) same.push(entry);
    else byType.set(type, [entry]);
  }
  return [...byType].sort(([a], [b]) => a - b).map(([type, same]) => encodeRecord(type, same, hasStarts));
}

function typeOf({ kind, histogram }: HistogramEntry): number {
  const types = recordTypes[kind];
  return hasCustomBuckets(histogram) ? types.custom : types.exponential;
}

function encodeRecord(type: number, entries: readonly HistogramEntry[], hasStarts: boolean): Uint8Array {
  const writer = new ByteWriter().u8(type);
  const writePlace = hasStarts ? placeWriter(writer) : firstGenerationWriter(writer, entries[0]!);
  for (const entry of entries) {
    writePlace(entry);
    writeHistogram(writer, entry.kind, entry.histogram);
  }
  return Uint8Array.from(writer.view());
}

export function isHistogramRecord(record: Uint8Array): boolean {
  return kindOf(record[0] ?? 0) !== undefined;
}

/** Reads a record of type 7 to 10, 12 or 13. Throws RangeError when it is malformed. */
export function decodeHistogramRecord(record: Uint8Array): HistogramRecord {
  const cursor = new RecordCursor(record);
  const type = record[cursor.skip(1)]!;
  const kind = kindOf(type);
  if (kind === undefined) throw new RangeError(`record of type ${type} holds no histograms`);
  const entries: HistogramEntry[] = [];
  let skipped = 0;
  if (cursor.isAtEnd) return { entries, skipped };
  const nextPlace =
    type === secondGeneration[kind] ? secondGenerationPlaces(cursor) : firstGenerationPlaces(cursor);
  while (!cursor.isAtEnd) {
    const place = nextPlace();
    const histogram = readHistogram(cursor, kind);
    if (histogram === undefined) skipped++;
    else entries.push({ ...place, histogram, kind });
  }
  return { entries, skipped };
}

function kindOf(type: number): HistogramKind | undefined {
  return (["integer", "float"] as const).find(
    (kind) => Object.values(recordTypes[kind]).includes(type as never) || secondGeneration[kind] === type,
  );
}

/** By the byte that stands for them. */
const hints: readonly CounterReset[] = ["unknown", "reset", "not_reset", "gauge"];

function writeHistogram(writer: ByteWriter, kind: HistogramKind, histogram: Histogram): void {
  const { positive, negative, schema, customBounds } = histogram;
  writer.u8(hints.indexOf(histogram.counterReset)).varint(schema);
  writeDouble(writer, histogram.zeroThreshold);
  for (const count of [histogram.zeroCount, histogram.count]) {
    if (kind === "integer") writer.uvarint(count);
    else writeDouble(writer, count);
  }
  if (histogram.isStale) writeBits(writer, staleMarkerBits);
  else writeDouble(writer, histogram.sum);
  writeSpans(writer, positive);
  writeSpans(writer, negative);
  writeCounts(writer, kind, positive);
  writeCounts(writer, kind, negative);
  if (schema !== customBucketsSchema) return;
  writer.uvarint(customBounds.length);
  for (const bound of customBounds) writeDouble(writer, bound);
}

/** Undefined when the schema is unknown. */
function readHistogram(cursor: RecordCursor, kind: HistogramKind): Histogram | undefined {
  const counterReset = hints[cursor.bytes[cursor.skip(1)]!];
  if (counterReset === undefined) throw new RangeError("histogram record has an unknown hint");
  const schema = cursor.varint();
  const zeroThreshold = readDouble(cursor);
  const readCount = (): number => (kind === "integer" ? cursor.uvarint() : readDouble(cursor));
  const zeroCount = readCount();
  const count = readCount();
  const sumBits = cursor.bits64();
  const positiveSpans = readList(cursor, () => readSpan(cursor));
  const negativeSpans = readList(cursor, () => readSpan(cursor));
  const positiveCounts = readCounts(cursor, kind);
  const negativeCounts = readCounts(cursor, kind);
  const customBounds = schema === customBucketsSchema ? readList(cursor, () => readDouble(cursor)) : [];
  if (sumBits === staleMarkerBits) return staleHistogram;
  if (!isKnownSchema(schema)) return undefined;
  const parts = { positiveSpans, negativeSpans, positiveCounts, negativeCounts };
  const fields = {
    schema,
    counterReset,
    zeroThreshold,
    zeroCount,
    count,
    customBounds,
    sum: doubleOf(sumBits),
  };
  try {
    const histogram = assembleHistogram({ ...fields, ...parts });
    return schema > exponentialSchemaMax ? reduceResolution(histogram, exponentialSchemaMax) : histogram;
  } catch (error) {
    throw new RangeError(`histogram record: ${errorMessage(error)}`);
  }
}

function writeSpans(writer: ByteWriter, { indices }: Buckets): void {
  const spans = spansFromIndices(indices);
  writer.uvarint(spans.length);
  for (const { offset, length } of spans) writer.varint(offset).uvarint(length);
}

function readSpan(cursor: RecordCursor): Span {
  return { offset: cursor.varint(), length: cursor.uvarint() };
}

function writeCounts(writer: ByteWriter, kind: HistogramKind, { counts }: Buckets): void {
  writer.uvarint(counts.length);
  counts.forEach((count, i) => {
    if (kind === "integer") writer.varint(count - (counts[i - 1] ?? 0));
    else writeDouble(writer, count);
  });
}

function readCounts(cursor: RecordCursor, kind: HistogramKind): number[] {
  if (kind === "float") return readList(cursor, () => readDouble(cursor));
  return countsFromDeltas(readList(cursor, () => cursor.varint()));
}

/** Reads as many items as a count says; each takes a byte at least. */
function readList<Item>(cursor: RecordCursor, read: () => Item): Item[] {
  const count = cursor.uvarint();
  if (count > cursor.bytes.length - cursor.at) throw new RangeError("record is truncated");
  return Array.from({ length: count }, read);
}

const view = new DataView(new ArrayBuffer(8));

function writeDouble(writer: ByteWriter, value: number): void {
  view.setFloat64(0, value);
  writer.u32(view.getUint32(0)).u32(view.getUint32(4));
}

function readDouble(cursor: RecordCursor): number {
  return doubleOf(cursor.bits64());
}

function doubleOf(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function writeBits(writer: ByteWriter, bits: bigint): void {
  view.setBigUint64(0, bits);
  writer.u32(view.getUint32(0)).u32(view.getUint32(4));
}
