import { ByteWriter } from "../block/bytes.ts";
import type { Stone } from "../head/tombstones.ts";
import { RecordCursor, recordType } from "./record.ts";

/** A record of deletions: u8 type, then of each u64 ref, varint first and varint last deleted millisecond. */
export function encodeTombstoneRecord(stones: readonly Stone[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.tombstones);
  for (const { ref, interval } of stones)
    writer.u64(ref).varint(interval.minTimestampMs).varint(interval.maxTimestampMs);
  return writer.view();
}

/** Throws RangeError when the record is malformed. */
export function decodeTombstoneRecord(record: Uint8Array): Stone[] {
  const cursor = new RecordCursor(record, 1);
  const stones: Stone[] = [];
  while (!cursor.isAtEnd) {
    const ref = cursor.uint64();
    const interval = { minTimestampMs: cursor.varint(), maxTimestampMs: cursor.varint() };
    stones.push({ ref, interval });
  }
  return stones;
}
