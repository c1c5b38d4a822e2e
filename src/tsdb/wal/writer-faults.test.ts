import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { type Disk, silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel, MemoryFullError, type SampleBatch } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { Head } from "../head/head.ts";
import { baseTimeMs, directoryOf, ForwardingDisk, kernelBytes, openTest } from "../test-support.ts";
import { WalLog } from "./log.ts";
import { SegmentReader } from "./reader.ts";
import { RefReservation } from "./ref-reservation.ts";
import { listSegments } from "./segment.ts";
import { WalWriter } from "./writer.ts";

const kernel = createKernel({ limitBytes: kernelBytes });

function openWriter(directory: string, disk: Disk): WalWriter {
  return new WalWriter({
    directory,
    kernel,
    disk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    compression: "none",
    segmentBytes: 64 * 1024 * 1024,
    syncIntervalMs: 0,
  });
}

class ClosedDisk extends ForwardingDisk {
  override open(): number {
    throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
  }
}

test("a writer that cannot begin its segment keeps no memory", (t) => {
  const before = kernel.usage().usedBytes;
  assert.throws(() => openWriter(directoryOf(t), new ClosedDisk()), { code: "ENOSPC" });
  assert.equal(kernel.usage().usedBytes, before);
});

test("nothing of a commit that failed half-way comes with the next one", async (t) => {
  const directory = directoryOf(t);
  const writer = openWriter(directory, systemDisk);
  const log = new WalLog(kernel, writer, new RefReservation(systemDisk, directory));
  const head = new Head(kernel);
  const notes = { metadata: [], exemplars: [] };
  const ref = head.getOrCreate(Labels.from({ __name__: "m" }));
  const good = kernel.createSampleBatch(1);
  good.push(ref, 1000, 1);
  const bad = {
    get recordBytesMax(): number {
      throw new MemoryFullError("buffer", 1);
    },
  } as SampleBatch;
  assert.throws(() => log.write(head, [good, bad], notes), MemoryFullError);
  log.write(head, [], notes);
  await log.close();
  good.close();

  const reader = new SegmentReader(kernel, systemDisk, listSegments(systemDisk, directory)[0]!.path);
  const types: number[] = [];
  for (let record = reader.next(); record !== undefined; record = reader.next()) types.push(record[0]!);
  reader.close();
  const seriesType = 1;
  assert.deepEqual(types, [seriesType]);
});

class UnsyncedDisk extends ForwardingDisk {
  fails = false;
  override async sync(fd: number): Promise<void> {
    if (this.fails) throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
    await super.sync(fd);
  }
}

test("a checkpoint that is not safely on the disk replaces no segment", async (t) => {
  const directory = directoryOf(t);
  const disk = new UnsyncedDisk();
  const opened = await openTest(directory, { disk });
  const files = (): string[] => readdirSync(`${directory}/wal`).sort();
  for (let round = 0; round < 4; round++) {
    const appender = opened.tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "m" })), baseTimeMs + round, round);
    appender.commit();
    if (round < 1) await opened.tsdb.truncate(baseTimeMs - 1);
  }
  const before = files();
  disk.fails = true;
  for (let round = 0; round < 2; round++) {
    const appender = opened.tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "m" })), baseTimeMs + 10 + round, round);
    appender.commit();
    await opened.tsdb.truncate(baseTimeMs - 1).catch((error: Error) => {
      assert.match(error.message, /checkpoint cannot be synced/);
    });
  }
  assert.deepEqual(
    files().filter((name) => before.includes(name)),
    before,
  );
  assert.ok(!files().some((name) => name.startsWith("checkpoint")), files().join(" "));
  disk.fails = false;
  await opened.tsdb.truncate(baseTimeMs - 1);
  assert.ok(
    files().some((name) => name.startsWith("checkpoint")),
    files().join(" "),
  );
  await opened.tsdb.close();
});
