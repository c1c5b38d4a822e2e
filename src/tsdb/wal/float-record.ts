import { ByteWriter } from "../block/bytes.ts";
import {
  type EntryPlace,
  firstGenerationPlaces,
  firstGenerationWriter,
  placeWriter,
  secondGenerationPlaces,
} from "./entry-place.ts";
import { RecordCursor, recordType } from "./record.ts";

/** A float, as bits so that every NaN stays what it is. */
export interface FloatEntry extends EntryPlace {
  readonly bits: bigint;
}

/** The record of floats, of which there must be one: with start timestamps (type 11) where some are known, else as the kernel writes it (type 2). */
export function encodeFloatRecord(entries: readonly FloatEntry[]): Uint8Array {
  const hasStarts = entries.some(({ startTimestampMs }) => startTimestampMs !== 0);
  const writer = new ByteWriter().u8(hasStarts ? recordType.samplesV2 : recordType.samples);
  const writePlace = hasStarts ? placeWriter(writer) : firstGenerationWriter(writer, entries[0]!);
  for (const entry of entries) {
    writePlace(entry);
    writer.u32(Number(entry.bits >> 32n)).u32(Number(entry.bits & 0xffffffffn));
  }
  return Uint8Array.from(writer.view());
}

export function isFloatRecord(record: Uint8Array): boolean {
  return record[0] === recordType.samples || record[0] === recordType.samplesV2;
}

/** Reads a record of type 2 or 11, with refs as large as may be. Throws RangeError when it is malformed. */
export function decodeFloatRecord(record: Uint8Array): FloatEntry[] {
  const cursor = new RecordCursor(record, 1);
  const entries: FloatEntry[] = [];
  if (cursor.isAtEnd) return entries;
  const nextPlace =
    record[0] === recordType.samplesV2 ? secondGenerationPlaces(cursor) : firstGenerationPlaces(cursor);
  while (!cursor.isAtEnd) entries.push({ ...nextPlace(), bits: cursor.bits64() });
  return entries;
}
