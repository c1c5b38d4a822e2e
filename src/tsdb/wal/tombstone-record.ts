import { ByteWriter } from "../block/bytes.ts";
import type { Interval } from "../block/tombstones.ts";
import type { Stone } from "../head/tombstones.ts";
import { RecordCursor, recordType } from "./record.ts";

/** Upstream's way to say that a series was dropped here: the whole range of i64, as varints. What the log has of it behind is there. */
export const droppedInterval: Interval = { minTimestampMs: -Infinity, maxTimestampMs: Infinity };
const droppedBytes = Buffer.from("ffffffffffffffffff01feffffffffffffffff01", "hex");
/** No true time is as far from 1970. */
const unboundedMs = 2 ** 62;

/** A record of deletions: u8 type, then of each u64 ref, varint first and varint last deleted millisecond. */
export function encodeTombstoneRecord(stones: readonly Stone[]): Uint8Array {
  const writer = new ByteWriter().u8(recordType.tombstones);
  for (const { ref, interval } of stones)
    if (isDropped(interval)) writer.u64(ref).bytes(droppedBytes);
    else writer.u64(ref).varint(interval.minTimestampMs).varint(interval.maxTimestampMs);
  return writer.view();
}

/** Whether a stone says that the series was dropped. */
export function isDropped({ minTimestampMs, maxTimestampMs }: Interval): boolean {
  return minTimestampMs === -Infinity && maxTimestampMs === Infinity;
}

/** Throws RangeError when the record is malformed. */
export function decodeTombstoneRecord(record: Uint8Array): Stone[] {
  const cursor = new RecordCursor(record, 1);
  const stones: Stone[] = [];
  while (!cursor.isAtEnd) {
    const ref = cursor.uint64();
    const [minTimestampMs, maxTimestampMs] = [cursor.varint(), cursor.varint()];
    // Numbers as large have lost their sign.
    const isUnbounded = Math.abs(minTimestampMs) >= unboundedMs && Math.abs(maxTimestampMs) >= unboundedMs;
    stones.push({ ref, interval: isUnbounded ? droppedInterval : { minTimestampMs, maxTimestampMs } });
  }
  return stones;
}
