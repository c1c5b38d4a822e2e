import type { MetricMetadata, MetricType } from "../../model/index.ts";
import type { SeriesRef } from "../../storage/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import { RecordCursor, recordType } from "./record.ts";

export interface MetadataEntry {
  readonly ref: SeriesRef;
  readonly metadata: MetricMetadata;
}

/** Types by their number in the log. */
const types: readonly MetricType[] = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
];

/** The record (type 6) of what is known about the metrics of series. Texts follow behind their names, so that there can be more of them. */
export function encodeMetadata(entries: readonly MetadataEntry[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.metadata);
  for (const { ref, metadata } of entries) {
    const { type, unit, help } = metadata;
    writer.uvarint(ref).u8(types.indexOf(type)).uvarint(2);
    writer.text("UNIT").text(unit).text("HELP").text(help);
  }
  return writer.view();
}

/** Texts and types that nobody knows yet are left out. Throws RangeError when the record is malformed. */
export function decodeMetadata(record: Uint8Array): MetadataEntry[] {
  const cursor = new RecordCursor(record, 1);
  const entries: MetadataEntry[] = [];
  while (!cursor.isAtEnd) {
    const ref = cursor.uvarint();
    const type = types[record[cursor.skip(1)]!] ?? "unknown";
    const texts = new Map<string, string>();
    for (let count = cursor.uvarint(); count > 0; count--) texts.set(cursor.text(), cursor.text());
    const metadata = { type, help: texts.get("HELP") ?? "", unit: texts.get("UNIT") ?? "" };
    entries.push({ ref, metadata });
  }
  return entries;
}
