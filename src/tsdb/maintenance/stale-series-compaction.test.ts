import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { createHeadQueryable } from "../head/querier.ts";
import { abandon, baseTimeMs, directoryOf, type Dump, dump, kernelBytes, openTest } from "../test-support.ts";
import { openTsdb, type Tsdb } from "../tsdb.ts";
import type { BlockKeeper } from "../block/keeper.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const minuteMs = 60_000;
const seriesCount = 20;
const labels = (id: number): Labels => Labels.from({ __name__: "m", id: `${id}` });

interface Opened {
  directory: string;
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
  registry: Registry;
  keeper: MaintenanceThread;
}

/** Twenty series with a sample each minute of the first three hours from `baseTimeMs` on. */
async function setUp(t: TestContext): Promise<Opened> {
  const directory = directoryOf(t);
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(baseTimeMs);
  const registry = new Registry();
  const keeper = new MaintenanceThread({ kernel, directory, logger: silentLogger });
  const parts = { kernel, disk: systemDisk, clock, directory, logger: silentLogger, registry, keeper };
  const tsdb = openTsdb(parts);
  await tsdb.ready;
  const opened = { directory, tsdb, kernel, clock, registry, keeper };
  for (let minute = 0; minute < 170; minute++) {
    append(opened, [...Array(seriesCount).keys()]);
    await passMinute(opened);
  }
  return opened;
}

async function passMinute({ clock, tsdb }: Opened): Promise<void> {
  await clock.advance(minuteMs);
  await tsdb.maintained;
}

function append({ tsdb, clock }: Opened, ids: readonly number[]): void {
  const appender = tsdb.appender();
  for (const id of ids) appender.append(appender.reference(labels(id)), clock.nowMs(), id);
  assert.equal(appender.commit().appended, ids.length);
}

function end({ tsdb, clock }: Opened, ids: readonly number[]): void {
  const appender = tsdb.appender();
  for (const id of ids) appender.appendStale(appender.reference(labels(id)), clock.nowMs());
  assert.equal(appender.commit().appended, ids.length);
}

function metric({ registry }: Opened, name: string): number {
  return Number(new RegExp(`^prometheus_tsdb_${name} (\\S+)$`, "m").exec(registry.expose())![1]);
}

const all = ({ kernel, tsdb }: Opened): Dump => dump(kernel, tsdb.queryable);

test("series that end with a stale histogram are counted, in blocks and after a restart", async (t) => {
  const directory = directoryOf(t);
  const keeper = ({ kernel }: { kernel: Kernel }): MaintenanceThread =>
    new MaintenanceThread({ kernel, directory, logger: silentLogger });
  const { histogram } = parseHistogram("schema:0 count:3 sum:1 buckets:[1 2]");
  for (let start = 0; start < 2; start++) {
    const { tsdb, clock, registry } = await openTest(directory, { keeper });
    if (start === 0)
      for (const [i, kind] of (["integer", "float", "integer"] as const).entries()) {
        const appender = tsdb.appender();
        const ref = appender.reference(labels(i));
        appender.appendHistogram(ref, clock.nowMs(), histogram, kind);
        if (i > 0) appender.appendStale(ref, clock.nowMs() + 1);
        appender.commit();
      }
    await clock.advance(minuteMs);
    await tsdb.maintained;
    assert.match(registry.expose(), /^prometheus_tsdb_head_stale_series 2$/m);
    await tsdb.close();
  }
});

test("when too many series have ended they move to blocks of their own, and come back when they go on", async (t) => {
  const opened = await setUp(t);
  const { tsdb, directory, clock } = opened;
  tsdb.setStaleSeriesThreshold(0.5);
  end(opened, [0, 1, 2, 3, 4, 5, 6, 7]);
  await passMinute(opened);
  assert.equal(metric(opened, "head_stale_series"), 8);
  assert.deepEqual(tsdb.blocks(), [], "8 of 20 are fewer than half");

  end(opened, [8, 9]);
  const before = all(opened);
  await passMinute(opened);
  assert.deepEqual(all(opened), before);
  const blocks = tsdb.blocks().map(({ minTime, maxTime, stats, compaction }) => ({
    hours: [(minTime - baseTimeMs) / 3_600_000, (maxTime - baseTimeMs) / 3_600_000],
    numSeries: stats.numSeries,
    hints: compaction.hints,
  }));
  assert.deepEqual(blocks, [
    { hours: [0, 2], numSeries: 10, hints: ["from-stale-series"] },
    { hours: [2, 4], numSeries: 10, hints: ["from-stale-series"] },
  ]);
  assert.equal(metric(opened, "stale_series_compactions_triggered_total"), 1);
  assert.equal(metric(opened, "head_stale_series"), 0);
  // Series go a minute after their samples did.
  await passMinute(opened);
  assert.equal(tsdb.stats().numSeries, 10);

  append(opened, [0, 15]);
  assert.equal(tsdb.stats().numSeries, 11);
  const after = all(opened);
  assert.equal(after.get(labels(0).toString())!.length, before.get(labels(0).toString())!.length + 1);

  // The head is cut as ever, the other blocks stay apart from its own, and a restart changes nothing.
  for (let minute = 0; minute < 60; minute++) {
    await passMinute(opened);
    append(opened, [15]);
  }
  assert.deepEqual(
    tsdb.blocks().map(({ compaction: { hints = [] } }) => hints),
    [["from-stale-series"], [], ["from-stale-series"]],
  );
  const last = all(opened);
  await tsdb.close();
  const again = await openTest(directory, { nowMs: clock.nowMs() });
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), last);
  await again.tsdb.close();
});

test("a replay does not bring back what was moved", async (t) => {
  const opened = await setUp(t);
  const { tsdb, directory, clock } = opened;
  tsdb.setStaleSeriesThreshold(0.1);
  end(opened, [0, 1, 2]);
  await passMinute(opened);
  append(opened, [0, 7]);
  const before = all(opened);
  // As `kill -9` leaves it: the log still has all samples of the series that were moved.
  abandon(directory);
  const again = await openTest(directory, { nowMs: clock.nowMs() });
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before);
  const inHead = dump(again.kernel, createHeadQueryable(again.kernel));
  assert.deepEqual(
    [0, 1, 2, 7].map((id) => inHead.get(labels(id).toString())?.length ?? 0),
    [1, 0, 0, 171],
  );
  await again.tsdb.close();
});

test("a series that goes on while the block is written stays in the head", async (t) => {
  const opened = await setUp(t);
  const { tsdb, keeper, clock } = opened;
  tsdb.setStaleSeriesThreshold(0.1);
  end(opened, [3, 4, 5]);
  const cut: BlockKeeper["cut"] = keeper.cut.bind(keeper);
  let cuts = 0;
  keeper.cut = async (...given) => {
    const meta = await cut(...given);
    // Series 4 has a sample, series 5 ends once more.
    if (cuts++ === 0) {
      append(opened, [4, 5]);
      const appender = tsdb.appender();
      appender.appendStale(appender.reference(labels(5)), clock.nowMs() + 1);
      appender.commit();
    }
    return meta;
  };
  await passMinute(opened);
  await passMinute(opened);
  assert.equal(cuts, 2);
  assert.equal(tsdb.stats().numSeries, seriesCount - 1);
  const samples = all(opened);
  assert.deepEqual(
    [3, 4, 5, 6].map((id) => samples.get(labels(id).toString())!.length),
    [171, 172, 173, 170],
  );
  await tsdb.close();
});

test("when the block cannot be written nothing leaves the head; it is tried again", async (t) => {
  const opened = await setUp(t);
  const { tsdb, keeper } = opened;
  tsdb.setStaleSeriesThreshold(0.1);
  end(opened, [3, 4, 5]);
  const before = all(opened);
  const cut = keeper.cut.bind(keeper);
  keeper.cut = () => Promise.reject(new Error("ENOSPC: injected"));
  await passMinute(opened);
  assert.deepEqual(
    [tsdb.stats().numSeries, metric(opened, "stale_series_compactions_failed_total")],
    [20, 1],
  );
  assert.deepEqual(all(opened), before);
  keeper.cut = cut;
  await passMinute(opened);
  await passMinute(opened);
  assert.equal(tsdb.stats().numSeries, 17);
  assert.deepEqual(all(opened), before);
  await tsdb.close();
});
