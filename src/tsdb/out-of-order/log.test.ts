import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import type { SampleEntry } from "../head/entry-batch.ts";
import { directoryOf, kernelBytes } from "../test-support.ts";
import { SegmentReader } from "../wal/reader.ts";
import { recordType } from "../wal/record.ts";
import { listSegments } from "../wal/segment.ts";
import { OutOfOrderLog } from "./log.ts";

test("the markers of a commit that is too long for a segment do not come with the next one", async (t) => {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const log = new OutOfOrderLog({
    kernel,
    disk: systemDisk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    directory: directoryOf(t),
    compression: "none",
    segmentBytes: 64 * 1024,
    syncIntervalMs: 0,
  });
  const entryOf = (timestampMs: number): SampleEntry => ({
    ref: 1,
    timestampMs,
    bits: 0n,
    startTimestampMs: 0,
  });
  const tooMany = Array.from({ length: 10_000 }, (_, i) => entryOf(i));
  assert.throws(() => log.write([{ ref: 1, file: 1, offset: 8 }], tooMany), { code: "unavailable" });
  log.write([], [entryOf(0)]);
  await log.close();

  const reader = new SegmentReader(kernel, systemDisk, listSegments(systemDisk, log.directory)[0]!.path);
  const types: number[] = [];
  for (let record = reader.next(); record !== undefined; record = reader.next()) types.push(record[0]!);
  reader.close();
  assert.deepEqual(types, [recordType.samples]);
});
