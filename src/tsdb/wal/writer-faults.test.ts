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

function openWriter(directory: string, disk: Disk, segmentBytes = 64 * 1024 * 1024): WalWriter {
  return new WalWriter({
    directory,
    kernel,
    disk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    compression: "none",
    segmentBytes,
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

  const seriesType = 1;
  assert.deepEqual(firstBytes(directory), [seriesType]);
});

/** Of all records of the log. */
function firstBytes(directory: string): number[] {
  return listSegments(systemDisk, directory).flatMap(({ path }) => {
    const reader = new SegmentReader(kernel, systemDisk, path);
    const found: number[] = [];
    for (let record = reader.next(); record !== undefined; record = reader.next()) found.push(record[0]!);
    reader.close();
    return found;
  });
}

/** Fails once: the write of this number. */
class FullDisk extends ForwardingDisk {
  writes = 0;
  readonly #failing: number;

  constructor(failing: number) {
    super();
    this.#failing = failing;
  }

  override write(fd: number, bytes: Uint8Array, position?: number): void {
    if (++this.writes === this.#failing)
      throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    super.write(fd, bytes, position);
  }
}

test("of a commit that is written in parts, over several segments, all or nothing is in the log", async (t) => {
  const mebibyte = 1024 * 1024;
  const parts = [2, 3, 4, 5, 6, 7, 8];
  const record = (first: number): Uint8Array => new Uint8Array(0.7 * mebibyte).fill(first);
  for (let failing = 2; ; failing++) {
    const directory = directoryOf(t);
    const disk = new FullDisk(failing);
    const writer = openWriter(directory, disk, 2 * mebibyte);
    writer.add(record(1));
    writer.flush();
    let isWritten = true;
    try {
      for (const part of parts) writer.add(record(part));
      writer.flush();
    } catch {
      isWritten = false;
      assert.deepEqual(firstBytes(directory), [1], `write ${failing} fails`);
    }
    if (isWritten) {
      await writer.close();
      assert.deepEqual(firstBytes(directory), [1, ...parts]);
      assert.ok(failing > 4, "the commit was written in parts");
      return;
    }
    writer.add(record(9));
    writer.flush();
    await writer.close();
    assert.deepEqual(firstBytes(directory), [1, 9], `write ${failing} fails`);
  }
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
