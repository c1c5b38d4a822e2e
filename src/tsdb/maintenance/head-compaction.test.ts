import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { blockSizeBytes } from "../block/block.ts";
import { WrittenChunksCounter } from "../block/written-chunks.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "../index.ts";
import { abandon, baseTimeMs, directoryOf, dump, kernelBytes } from "../test-support.ts";
import { createInlineKeeper, type InlineKeeper } from "./test-support.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const hourMs = 3_600_000;
const options = { retention: { timeMs: 60 * hourMs } };

interface Opened {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
  registry: Registry;
  keeper: InlineKeeper;
}

async function open(directory: string, nowMs: number, more: TsdbOptions = {}): Promise<Opened> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(nowMs);
  const registry = new Registry();
  const keeper = createInlineKeeper({ kernel, clock, directory });
  const parts = {
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger: silentLogger,
    registry,
    options: { ...options, ...more },
    keeper,
  };
  const tsdb = openTsdb(parts);
  await tsdb.ready;
  return { tsdb, kernel, clock, registry, keeper };
}

/** Lets hours pass with a sample of ten series each minute. */
async function pass({ tsdb, clock }: Opened, hours: number): Promise<void> {
  for (let minute = 0; minute < 60 * hours; minute++) {
    const appender = tsdb.appender();
    for (let id = 0; id < 10; id++) {
      const ref = appender.reference(Labels.from({ __name__: "m", id: `${id}` }));
      appender.append(ref, clock.nowMs(), Math.floor((clock.nowMs() - baseTimeMs) / 60_000) * id);
    }
    assert.equal(appender.commit().appended, 10);
    await clock.advance(60_000);
    // Files are written in real time.
    await tsdb.maintained;
  }
}

/** Whether every minute from `fromMs` on is there, for every series. */
function assertComplete({ tsdb, kernel, clock }: Opened, fromMs: number): void {
  const all = dump(kernel, tsdb.queryable, [], fromMs);
  assert.equal(all.size, 10);
  for (const samples of all.values()) {
    assert.equal(samples.length, (clock.nowMs() - fromMs) / 60_000);
    samples.forEach(([timestampMs], i) => assert.equal(timestampMs, fromMs + i * 60_000));
  }
}

test("days pass: the head stays short, blocks are cut, compacted and deleted, and nothing is missing", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, baseTimeMs);
  await pass(opened, 20);
  assertComplete(opened, baseTimeMs);
  const { tsdb, clock } = opened;
  const headMs = (): number => tsdb.stats().maxTimeMs! - tsdb.stats().minTimeMs!;
  assert.ok(headMs() <= 3 * hourMs + 60_000, `${headMs() / hourMs} h`);
  assert.ok(tsdb.blocks().length >= 3);
  assert.ok(tsdb.blocks().some(({ compaction }) => compaction.level > 1));
  await pass(opened, 52);
  const oldestMs = tsdb.blocks()[0]!.minTime;
  assert.ok(oldestMs > baseTimeMs && oldestMs <= clock.nowMs() - 60 * hourMs, "retention by whole blocks");
  assertComplete(opened, oldestMs);
  assert.match(opened.registry.expose(), /\nprometheus_tsdb_compactions_total [1-9]/);
  const before = dump(opened.kernel, tsdb.queryable);
  await tsdb.close();
  const again = await open(directory, clock.nowMs());
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before);
  await again.tsdb.close();
});

test("a block that was written counts, also when the next one cannot be", async (t) => {
  const opened = await open(directoryOf(t), baseTimeMs);
  const { keeper, tsdb, registry } = opened;
  keeper.fails = true;
  await pass(opened, 6);
  const cut = keeper.cut.bind(keeper);
  keeper.cut = (...given) => {
    keeper.fails = tsdb.blocks().length > 0;
    return cut(...given);
  };
  await pass(opened, 1 / 60);
  assert.equal(tsdb.blocks().length, 1);
  assert.match(registry.expose(), /\nprometheus_tsdb_compactions_total 1\n/);
  await tsdb.close();
});

test("a block that cannot be written costs nothing; it is written later", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, baseTimeMs);
  opened.keeper.fails = true;
  await pass(opened, 6);
  assertComplete(opened, baseTimeMs);
  assert.equal(opened.tsdb.blocks().length, 0);
  assert.match(opened.registry.expose(), /\nprometheus_tsdb_compactions_failed_total [1-9]/);
  opened.keeper.fails = false;
  await pass(opened, 1);
  assertComplete(opened, baseTimeMs);
  assert.equal(opened.tsdb.blocks().length, 2);
  await opened.tsdb.close();
});

test("when memory runs short whole ranges leave the head early, for blocks and not for good", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, baseTimeMs, { memoryPressureRatio: 0.001 });
  await pass(opened, 7);
  assertComplete(opened, baseTimeMs);
  assert.equal(opened.tsdb.blocks().length, 3);
  assert.match(opened.registry.expose(), /\nprometheus_tsdb_head_truncations_total 3\n/);
  await opened.tsdb.close();
});

test("the oldest blocks go when all take more than they may", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, baseTimeMs, { retention: { sizeBytes: 60_000 } });
  await pass(opened, 40);
  const blocks = opened.tsdb.blocks();
  assert.ok(blocks.length > 0 && blocks[0]!.minTime > baseTimeMs);
  assertComplete(opened, blocks[0]!.minTime);
  const sizes = blocks.map(({ ulid }) => blockSizeBytes(systemDisk, `${directory}/${ulid}`));
  assert.ok(sizes.reduce((sum, bytes) => sum + bytes, 0) <= 60_000);
  await opened.tsdb.close();
});

test("a stop between a cut and the truncation leaves every sample once", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, baseTimeMs);
  opened.keeper.fails = true;
  await pass(opened, 4);
  const before = dump(opened.kernel, opened.tsdb.queryable);
  opened.keeper.fails = false;
  await opened.keeper.cut(baseTimeMs, baseTimeMs + 2 * hourMs);
  abandon(directory);
  const again = await open(directory, opened.clock.nowMs());
  assert.equal(again.tsdb.stats().minTimeMs, baseTimeMs + 2 * hourMs);
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before);
  await pass(again, 3);
  assertComplete(again, baseTimeMs);
  await again.tsdb.close();
});

test("with the real thread", async (t) => {
  const directory = directoryOf(t);
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(baseTimeMs);
  const keeper = new MaintenanceThread({ kernel, directory, logger: silentLogger });
  const registry = new Registry();
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock,
    directory,
    logger: silentLogger,
    registry,
    keeper,
  });
  await tsdb.ready;
  const opened = { tsdb, kernel, clock, registry, keeper: createInlineKeeper({ kernel, clock, directory }) };
  await pass(opened, 8);
  for (let wait = 0; tsdb.blocks().length < 2 && wait < 500; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (wait % 10 === 9) await pass(opened, 1 / 60);
  }
  assert.ok(tsdb.blocks().length >= 2);
  assertComplete(opened, baseTimeMs);
  await tsdb.close();
});

test("what the keeper tells of chunks in blocks is in the metrics", async (t) => {
  const opened = await open(directoryOf(t), baseTimeMs);
  const chunks = new WrittenChunksCounter();
  for (const samples of [3, 120, 1000]) chunks.add(samples, 2 * samples, 1000 * samples);
  opened.keeper.onChunks!(chunks.result);
  const exposed = opened.registry.expose();
  for (const line of [
    'range_seconds_bucket{le="6400"} 1',
    'range_seconds_bucket{le="+Inf"} 3',
    "range_seconds_sum 1.123e+06",
    'samples_bucket{le="4"} 1',
    "samples_sum 1123",
    'size_bytes_bucket{le="243"} 2',
    "size_bytes_count 3",
  ])
    assert.ok(exposed.includes(`\nprometheus_tsdb_compaction_chunk_${line}\n`), line);
  await opened.tsdb.close();
});
