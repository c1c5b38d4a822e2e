import type { ByteWriter } from "../block/bytes.ts";
import type { RecordCursor } from "./record.ts";

/** Where an entry of a record belongs. */
export interface EntryPlace {
  readonly ref: number;
  readonly timestampMs: number;
  /** Since when it counts; 0 where that is not known. */
  readonly startTimestampMs: number;
}

/** How a place of the second generation tells its start: not at all, as the place before, or by its difference to the first. */
const startMarker = { none: 0, same: 1, explicit: 2 } as const;

/** Reads places of the first generation, as differences to the first, which stands at the record's beginning. */
export function firstGenerationPlaces(cursor: RecordCursor): () => EntryPlace {
  const ref = cursor.uint64();
  const timestampMs = cursor.int64();
  return () => ({
    ref: ref + cursor.varint(),
    timestampMs: timestampMs + cursor.varint(),
    startTimestampMs: 0,
  });
}

/** The inverse of `firstGenerationPlaces`, which leaves starts out. */
export function firstGenerationWriter(writer: ByteWriter, first: EntryPlace): (place: EntryPlace) => void {
  writer.u64(first.ref).i64(first.timestampMs);
  return ({ ref, timestampMs }) => {
    writer.varint(ref - first.ref).varint(timestampMs - first.timestampMs);
  };
}

/** Reads places of the second generation: the first whole, then refs as differences to the one before and times to the first. */
export function secondGenerationPlaces(cursor: RecordCursor): () => EntryPlace {
  let first: EntryPlace | undefined;
  let before: EntryPlace;
  return () => {
    if (first === undefined) {
      const place = {
        ref: cursor.varint(),
        timestampMs: cursor.varint(),
        startTimestampMs: cursor.varint(),
      };
      return (first = before = place);
    }
    const ref = before.ref + cursor.varint();
    const timestampMs = first.timestampMs + cursor.varint();
    const startTimestampMs = readStart(cursor, first.startTimestampMs, before.startTimestampMs);
    return (before = { ref, timestampMs, startTimestampMs });
  };
}

function readStart(cursor: RecordCursor, firstMs: number, beforeMs: number): number {
  const marker = cursor.bytes[cursor.skip(1)];
  if (marker === startMarker.none) return 0;
  return marker === startMarker.same ? beforeMs : firstMs + cursor.varint();
}

/** The inverse of `secondGenerationPlaces`; to be called for one place after the other. */
export function placeWriter(writer: ByteWriter): (place: EntryPlace) => void {
  let first: EntryPlace | undefined;
  let before: EntryPlace;
  return (place) => {
    const { ref, timestampMs, startTimestampMs } = place;
    if (first === undefined) {
      writer.varint(ref).varint(timestampMs).varint(startTimestampMs);
      first = place;
    } else {
      writer.varint(ref - before.ref).varint(timestampMs - first.timestampMs);
      if (startTimestampMs === 0) writer.u8(startMarker.none);
      else if (startTimestampMs === before.startTimestampMs) writer.u8(startMarker.same);
      else writer.u8(startMarker.explicit).varint(startTimestampMs - first.startTimestampMs);
    }
    before = place;
  };
}
