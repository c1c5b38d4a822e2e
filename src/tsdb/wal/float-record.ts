import { ByteWriter } from "../block/bytes.ts";
import { type EntryPlace, placeWriter, secondGenerationPlaces } from "./entry-place.ts";
import { RecordCursor, recordType } from "./record.ts";

/** A float, as bits so that every NaN stays what it is. */
export interface FloatEntry extends EntryPlace {
  readonly bits: bigint;
}

/** The record of floats with start timestamps (type 11). */
export function encodeFloatRecord(entries: readonly FloatEntry[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.samplesV2);
  const writePlace = placeWriter(writer);
  for (const entry of entries) {
    writePlace(entry);
    writer.u32(Number(entry.bits >> 32n)).u32(Number(entry.bits & 0xffffffffn));
  }
  return Uint8Array.from(writer.view());
}

/** Reads a record of type 11. Throws RangeError when it is malformed. */
export function decodeFloatRecord(record: Uint8Array): FloatEntry[] {
  const cursor = new RecordCursor(record, 1);
  const nextPlace = secondGenerationPlaces(cursor);
  const entries: FloatEntry[] = [];
  while (!cursor.isAtEnd) entries.push({ ...nextPlace(), bits: cursor.bits64() });
  return entries;
}
