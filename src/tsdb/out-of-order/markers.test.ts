import assert from "node:assert/strict";
import { test } from "node:test";
import { createKernel } from "../../kernel/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import {
  abandon,
  baseTimeMs,
  directoryOf,
  dump,
  kernelBytes,
  openTest,
  writeRecords,
} from "../test-support.ts";
import { recordType } from "../wal/record.ts";

const newestMs = baseTimeMs + 3_600_000;
const lateMs = newestMs - 60_000;

function samplesRecord(ref: number, timestampMs: number): Uint8Array {
  return new ByteWriter().u8(recordType.samples).u64(ref).i64(timestampMs).varint(0).varint(0).f64(1).view();
}

for (const [what, ref] of [
  ["as they are", 1],
  ["afresh", 4_000_000_000],
] as const) {
  test(`a log with markers keeps its samples when series are numbered ${what}`, async (t) => {
    const directory = directoryOf(t);
    await writeRecords(createKernel({ limitBytes: kernelBytes }), `${directory}/wal`, [
      new ByteWriter().u8(recordType.series).u64(ref).uvarint(1).text("__name__").text("m").view(),
      samplesRecord(ref, newestMs),
    ]);
    await writeRecords(createKernel({ limitBytes: kernelBytes }), `${directory}/wbl`, [
      samplesRecord(ref, lateMs),
      new ByteWriter().u8(recordType.mmapMarkers).u64(ref).u64(0).view(),
    ]);
    const options = { nowMs: newestMs, outOfOrderWindowMs: 7_200_000 };
    for (let start = 0; start < 3; start++) {
      const { tsdb, kernel } = await openTest(directory, options);
      assert.equal(tsdb.replayResult!.isRenumbered, ref > 1 && start === 0);
      const times = [...dump(kernel, tsdb.queryable).values()].map((samples) => samples.map(([ms]) => ms));
      assert.deepEqual(times, [[lateMs, newestMs]], `start ${start}`);
      if (start === 0) abandon(directory);
      else await tsdb.close();
    }
  });
}
