import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeTombstoneRecord, droppedInterval, encodeTombstoneRecord } from "./tombstone-record.ts";

const timestampMs = fc.integer({ min: -(2 ** 45), max: 2 ** 45 });
const stones = fc.array(
  fc
    .tuple(fc.nat({ max: 2 ** 31 - 1 }), timestampMs, timestampMs)
    .map(([ref, minTimestampMs, maxTimestampMs]) => ({ ref, interval: { minTimestampMs, maxTimestampMs } })),
  { maxLength: 20 },
);

test("deletions come back from their record, and upstream's bytes are read", () => {
  fc.assert(
    fc.property(stones, (all) => assert.deepEqual(decodeTombstoneRecord(encodeTombstoneRecord(all)), all)),
  );
  const bytes = Buffer.from("03000000000000007b90019303", "hex");
  const stone = { ref: 123, interval: { minTimestampMs: 72, maxTimestampMs: -202 } };
  assert.deepEqual(decodeTombstoneRecord(bytes), [stone]);
  assert.deepEqual(Buffer.from(encodeTombstoneRecord([stone])), bytes);
});

test("a series that was dropped is told as upstream tells it", () => {
  const bytes = Buffer.from("030000000000000007ffffffffffffffffff01feffffffffffffffff01", "hex");
  const stone = { ref: 7, interval: droppedInterval };
  assert.deepEqual(decodeTombstoneRecord(bytes), [stone]);
  assert.deepEqual(Buffer.from(encodeTombstoneRecord([stone])), bytes);
});

test("a record that is cut short or altered is refused or read, and nothing else", () => {
  fc.assert(
    fc.property(stones, fc.nat(), fc.nat({ max: 255 }), (all, at, byte) => {
      const bytes = Buffer.from(encodeTombstoneRecord(all));
      for (const damaged of [
        bytes.subarray(0, at % (bytes.length + 1)),
        altered(bytes, at % bytes.length, byte),
      ]) {
        try {
          decodeTombstoneRecord(damaged);
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }
    }),
  );
});

function altered(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}
