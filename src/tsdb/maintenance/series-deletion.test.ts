import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { type Disk, silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { attachKernel, createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { writeHeadBlock } from "../block/head-block.ts";
import { createUlid } from "../block/ulid.ts";
import { createHeadQueryable } from "../head/querier.ts";
import { deletedIntervals } from "../head/tombstones.ts";
import { type ModelSeries, testContext, writeModel } from "../block/test-support.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  directoryOf,
  dump,
  ForwardingDisk,
  kernelBytes,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";
import { openTsdb, type Tsdb } from "../tsdb.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const rangeMs = 7_200_000;
const minuteMs = 60_000;

/** Series a and b, with a sample each minute of the range that begins at `fromMs`. */
function series(fromMs: number): ModelSeries[] {
  return ["a", "b"].map((id) => ({
    labels: Labels.from({ __name__: "m", id }),
    samples: Array.from({ length: 120 }, (_, i) => [fromMs + i * minuteMs, bitsOf(i)] as const),
  }));
}

async function open(directory: string, disk: Disk = systemDisk): Promise<{ tsdb: Tsdb; kernel: Kernel }> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const tsdb = openTsdb({
    kernel,
    disk,
    clock: new SimulatedClock(baseTimeMs),
    directory,
    logger: silentLogger,
    registry: new Registry(),
    keeper: new MaintenanceThread({ kernel, directory, logger: silentLogger }),
  });
  await tsdb.ready;
  return { tsdb, kernel };
}

/** Two blocks of two hours before `baseTimeMs`, and ten minutes of series a and c in the head. */
async function setUp(t: TestContext): Promise<{ directory: string; tsdb: Tsdb; kernel: Kernel }> {
  const directory = directoryOf(t);
  for (const fromMs of [baseTimeMs - 2 * rangeMs, baseTimeMs - rangeMs])
    writeModel(testContext(), directory, series(fromMs), [fromMs, fromMs + rangeMs]);
  const opened = await open(directory);
  const appender = opened.tsdb.appender();
  for (const id of ["a", "c"]) {
    const ref = appender.reference(Labels.from({ __name__: "m", id }));
    for (let i = 0; i < 10; i++) appender.append(ref, baseTimeMs + i * minuteMs, i);
  }
  assert.equal(appender.commit().appended, 20);
  return { directory, ...opened };
}

/** Each truncation ends a segment that is not empty; a checkpoint stands for two thirds of those. */
async function truncateOften(tsdb: Tsdb, minTimeMs: number): Promise<void> {
  for (let i = 0; i < 3; i++) {
    tsdb.appender().reference(Labels.from({ __name__: "filler", i: `${minTimeMs} ${i}` }));
    const appender = tsdb.appender();
    appender.append(0, baseTimeMs, 1);
    appender.commit();
    await tsdb.truncate(minTimeMs);
  }
}

function counts({ tsdb, kernel }: { tsdb: Pick<Tsdb, "queryable">; kernel: Kernel }): Record<string, number> {
  const all = [...dump(kernel, tsdb.queryable)].filter(([, samples]) => samples.length > 0);
  return Object.fromEntries(all.map(([labels, { length }]) => [/id="(.)"/.exec(labels)![1]!, length]));
}

const byId = (id: string): Matcher[] => [new Matcher("=", "id", id)];

test("samples of blocks are deleted, and stay so when blocks are rewritten and after a restart", async (t) => {
  const opened = await setUp(t);
  const { directory, tsdb } = opened;
  assert.deepEqual(counts(opened), { a: 250, b: 240, c: 10 });
  await tsdb.deleteSeries({
    selectors: [byId("a"), byId("b")],
    minTimestampMs: baseTimeMs - rangeMs - 10 * minuteMs,
    maxTimestampMs: baseTimeMs - rangeMs + 19 * minuteMs,
  });
  assert.deepEqual(counts(opened), { a: 220, b: 210, c: 10 });
  // Series b is in blocks alone, so all of it can go.
  await tsdb.deleteSeries({ selectors: [byId("b")], minTimestampMs: -1e15, maxTimestampMs: 1e15 });
  assert.deepEqual(counts(opened), { a: 220, c: 10 });
  await tsdb.cleanTombstones();
  assert.deepEqual(counts(opened), { a: 220, c: 10 });
  assert.deepEqual(
    tsdb.blocks().map(({ stats }) => [stats.numSamples, stats.numTombstones]),
    [
      [110, 0],
      [100, 0],
    ],
  );
  await tsdb.close();
  const again = await open(directory);
  assert.deepEqual(counts(again), { a: 220, c: 10 });
  await again.tsdb.close();
});

test("what is in the head and in blocks is deleted at once, and stays so after kill -9", async (t) => {
  const opened = await setUp(t);
  const { directory, tsdb } = opened;
  await tsdb.deleteSeries({
    selectors: [byId("a")],
    minTimestampMs: baseTimeMs - 3 * minuteMs,
    maxTimestampMs: baseTimeMs + 2 * minuteMs,
  });
  assert.deepEqual(counts(opened), { a: 244, b: 240, c: 10 });
  await tsdb.deleteSeries({ selectors: [byId("c")], minTimestampMs: -1e15, maxTimestampMs: 1e15 });
  assert.deepEqual(counts(opened), { a: 244, b: 240 });
  // What comes later is not deleted.
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m", id: "c" }));
  appender.append(ref, baseTimeMs + 10 * minuteMs, 1);
  appender.commit();
  assert.deepEqual(counts(opened), { a: 244, b: 240, c: 1 });
  abandon(directory);
  const again = await open(directory);
  assert.deepEqual(counts(again), { a: 244, b: 240, c: 1 });
  await again.tsdb.cleanTombstones();
  assert.deepEqual(counts(again), { a: 244, b: 240, c: 1 });
  await again.tsdb.close();
});

test("a series of which nothing is left is not found", async (t) => {
  const { tsdb } = await setUp(t);
  const find = (): string[] => {
    const range = [baseTimeMs, baseTimeMs + 20 * minuteMs] as const;
    const querier = tsdb.queryable.querier(...range);
    const found = querier.labelValues("id", [new Matcher("=", "__name__", "m")], {
      minTimestampMs: range[0],
      maxTimestampMs: range[1],
    });
    querier.close();
    return found;
  };
  assert.deepEqual(find(), ["a", "c"]);
  await tsdb.deleteSeries({ selectors: [byId("c")], minTimestampMs: -1e15, maxTimestampMs: 1e15 });
  assert.deepEqual(find(), ["a"]);
  await tsdb.close();
});

test("deletions are on all threads at once, outlive checkpoints, and go when the head is truncated past them", async (t) => {
  const directory = directoryOf(t);
  const { tsdb, kernel } = await open(directory);
  const appender = tsdb.appender();
  for (const id of ["a", "b"]) {
    const ref = appender.reference(Labels.from({ __name__: "m", id }));
    for (let i = 0; i < 360; i++) appender.append(ref, baseTimeMs - 3 * rangeMs + i * minuteMs, i);
  }
  assert.equal(appender.commit().appended, 720);
  const reader = attachKernel(kernel.handle(7));
  const seen = (): Record<string, number> =>
    counts({ tsdb: { queryable: createHeadQueryable(reader) }, kernel: reader });
  const remove = (id: string, fromMinute: number, toMinute: number): Promise<void> =>
    tsdb.deleteSeries({
      selectors: [byId(id)],
      minTimestampMs: baseTimeMs - 3 * rangeMs + fromMinute * minuteMs,
      maxTimestampMs: baseTimeMs - 3 * rangeMs + toMinute * minuteMs,
    });
  await remove("a", 0, 9);
  await remove("a", 200, 219);
  await remove("a", 215, 229);
  await remove("b", 350, 500);
  assert.deepEqual(seen(), { a: 320, b: 350 });
  assert.equal(deletedIntervals(reader.views, 1)!.length, 2);
  await truncateOften(tsdb, baseTimeMs - 2 * rangeMs);
  assert.ok(readdirSync(`${directory}/wal`).some((name) => name.startsWith("checkpoint.")));
  assert.equal(deletedIntervals(reader.views, 1)!.length, 1);
  assert.deepEqual(seen(), { a: 210, b: 230 });
  abandon(directory);
  const again = await open(directory);
  assert.deepEqual(counts(again), { a: 210, b: 230 });
  await truncateOften(again.tsdb, baseTimeMs);
  assert.equal(deletedIntervals(again.kernel.views, 1), undefined);
  assert.equal(deletedIntervals(again.kernel.views, 2), undefined);
  await again.tsdb.close();
});

test("a block that is cut from the head lacks what is deleted", async (t) => {
  const { tsdb, kernel } = await setUp(t);
  await tsdb.deleteSeries({
    selectors: [byId("a")],
    minTimestampMs: baseTimeMs + 5 * minuteMs,
    maxTimestampMs: baseTimeMs + 6 * minuteMs,
  });
  const target = { ...testContext(), kernel, dataDirectory: temporaryDirectory(), ulid: createUlid(1) };
  t.after(() => rmSync(target.dataDirectory, { recursive: true, force: true }));
  const meta = writeHeadBlock(createHeadQueryable(kernel), target, baseTimeMs, baseTimeMs + rangeMs);
  assert.equal(meta!.stats.numSamples, 18);
  await tsdb.close();
});

test("when the WAL cannot be written, nothing is deleted", async (t) => {
  const directory = directoryOf(t);
  const disk = new (class extends ForwardingDisk {
    isFull = false;
    override write(fd: number, bytes: Uint8Array, position?: number): void {
      if (this.isFull) throw new Error("ENOSPC");
      super.write(fd, bytes, position);
    }
  })();
  const opened = await open(directory, disk);
  const { tsdb } = opened;
  const appender = tsdb.appender();
  appender.append(appender.reference(Labels.from({ __name__: "m", id: "a" })), baseTimeMs, 1);
  appender.commit();
  const everything = { selectors: [byId("a")], minTimestampMs: 0, maxTimestampMs: 1e15 };
  disk.isFull = true;
  await assert.rejects(tsdb.deleteSeries(everything), { code: "unavailable" });
  assert.deepEqual(counts(opened), { a: 1 });
  disk.isFull = false;
  await tsdb.deleteSeries(everything);
  assert.deepEqual(counts(opened), {});
  await tsdb.close();
});

test("the newest block stays when nothing is left of it, so that the WAL does not bring its samples back", async (t) => {
  const opened = await setUp(t);
  const { tsdb } = opened;
  const everything = [new Matcher("=", "__name__", "m")];
  await tsdb.deleteSeries({ selectors: [everything], minTimestampMs: 0, maxTimestampMs: baseTimeMs - 1 });
  await tsdb.cleanTombstones();
  assert.deepEqual(
    tsdb.blocks().map(({ maxTime }) => maxTime),
    [baseTimeMs],
  );
  assert.deepEqual(counts(opened), { a: 10, c: 10 });
  await tsdb.close();
  await assert.rejects(tsdb.cleanTombstones(), { code: "unavailable" });
});

test("a storage that does not maintain blocks deletes nothing", async (t) => {
  const directory = directoryOf(t);
  const { tsdb } = await openTest(directory);
  await assert.rejects(tsdb.cleanTombstones(), { code: "unavailable" });
  await tsdb.close();
});
