import { Labels } from "../../model/index.ts";
import type { Exemplar, SeriesRef } from "../../storage/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import { RecordCursor, recordType } from "./record.ts";

export interface ExemplarEntry {
  readonly ref: SeriesRef;
  readonly exemplar: Exemplar;
}

/** The record (type 4) that holds the exemplars, of which there must be one. Refs and times are written as differences to the first's. */
export function encodeExemplars(entries: readonly ExemplarEntry[]): Uint8Array {
  const [first] = entries as [ExemplarEntry, ...ExemplarEntry[]];
  const firstMs = first.exemplar.timestampMs;
  const writer = new ByteWriter().u8(recordType.exemplars).u64(first.ref).i64(firstMs);
  for (const { ref, exemplar } of entries) {
    const { labels, value, timestampMs } = exemplar;
    writer
      .varint(ref - first.ref)
      .varint(timestampMs - firstMs)
      .f64(value)
      .uvarint(labels.size);
    for (const text of labels.pairs) writer.text(text);
  }
  return writer.view();
}

/** Whose time each one's was, the log does not say: it is taken for the scrape's. Throws RangeError when the record is malformed. */
export function decodeExemplars(record: Uint8Array): ExemplarEntry[] {
  const cursor = new RecordCursor(record, 1);
  const entries: ExemplarEntry[] = [];
  if (cursor.isAtEnd) return entries;
  const firstRef = cursor.uint64();
  const firstMs = cursor.int64();
  while (!cursor.isAtEnd) {
    const ref = firstRef + cursor.varint();
    const timestampMs = firstMs + cursor.varint();
    const value = cursor.f64();
    const labels = readLabels(cursor);
    entries.push({ ref, exemplar: { labels, value, timestampMs, hasOwnTimestamp: false } });
  }
  return entries;
}

function readLabels(cursor: RecordCursor): Labels {
  const pairs: [name: string, value: string][] = [];
  for (let count = cursor.uvarint(); count > 0; count--) pairs.push([cursor.text(), cursor.text()]);
  return Labels.from(pairs);
}
