import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { type ModelSeries, testContext, writeModel } from "../block/test-support.ts";
import { baseTimeMs, bitsOf, dump, kernelBytes, openTest, temporaryDirectory } from "../test-support.ts";
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

async function open(directory: string): Promise<{ tsdb: Tsdb; kernel: Kernel }> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
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
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
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

function counts({ tsdb, kernel }: { tsdb: Tsdb; kernel: Kernel }): Record<string, number> {
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

test("what is in the head cannot be deleted, and nothing is then", async (t) => {
  const opened = await setUp(t);
  const { tsdb } = opened;
  await assert.rejects(
    tsdb.deleteSeries({ selectors: [byId("b"), byId("a")], minTimestampMs: 0, maxTimestampMs: baseTimeMs }),
    { code: "execution", message: /only what is in blocks can be deleted: set end to before 2023-/ },
  );
  assert.deepEqual(counts(opened), { a: 250, b: 240, c: 10 });
  await tsdb.deleteSeries({
    selectors: [byId("a")],
    minTimestampMs: 0,
    maxTimestampMs: baseTimeMs - 1,
  });
  assert.deepEqual(counts(opened), { a: 10, b: 240, c: 10 });
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
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { tsdb } = await openTest(directory);
  await assert.rejects(tsdb.cleanTombstones(), { code: "unavailable" });
  await tsdb.close();
});
