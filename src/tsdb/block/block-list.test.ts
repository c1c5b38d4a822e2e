import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { silentLogger, systemClock } from "../../base/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { blocksChanged } from "../shared-blocks.ts";
import { createQueryable } from "../queryable.ts";
import { bitsOf, directoryOf, dump, openTest } from "../test-support.ts";
import { Block } from "./block.ts";
import { BlockList } from "./block-list.ts";
import { BlockNotices } from "./damage.ts";
import { deleteFromBlock } from "./delete-series.ts";
import { deleteBlock } from "./directory.ts";
import { writeHeadBlock } from "./head-block.ts";
import {
  applyRetention,
  type BlockMaintenance,
  cleanTombstones,
  compactAll,
  listBlocks,
  recoverBlocks,
} from "./maintenance.ts";
import { blockQueryable, dumpOf, type ModelSeries, testContext, writeModel } from "./test-support.ts";
import { createUlid } from "./ulid.ts";

const context = testContext();
const { kernel, disk } = context;

function setUp(t: TestContext): { directory: string; maintenance: BlockMaintenance; version: () => number } {
  const directory = directoryOf(t);
  let version = 1;
  const maintenance = {
    context,
    clock: systemClock,
    logger: silentLogger,
    dataDirectory: directory,
    onChange: () => version++,
  };
  return { directory, maintenance, version: () => version };
}

/** Two series with a sample each 10 ms from `from` until before `to`. */
function series(from: number, to: number): ModelSeries[] {
  return ["a", "b"].map((id) => ({
    labels: Labels.from({ __name__: "m", id }),
    samples: Array.from(
      { length: Math.ceil((to - from) / 10) },
      (_, i) => [from + 10 * i, bitsOf(from + i)] as const,
    ),
  }));
}

test("a list follows the directory by its version, and keeps open what queriers still read", (t) => {
  const { directory, maintenance, version } = setUp(t);
  const list = new BlockList(context, directory, new BlockNotices(assert.fail), version);
  assert.deepEqual(list.metas(), []);
  assert.equal(list.untilMs(), -Infinity);
  const first = writeModel(context, directory, series(0, 100), [0, 100]);
  assert.deepEqual(list.metas(), [], "not looked at again before the version says so");
  maintenance.onChange();
  const second = writeModel(context, directory, series(100, 200), [100, 200]);
  assert.deepEqual(
    list.metas().map(({ ulid }) => ulid),
    [first.ulid, second.ulid],
  );
  assert.equal(list.untilMs(), 200);
  assert.equal(list.overlapping(0, 99).length, 1);
  assert.equal(list.overlapping(0, 100).length, 2);
  assert.equal(list.overlapping(200, 300).length, 0);

  const [block] = list.overlapping(0, 50);
  const held = block!.retain();
  deleteBlock(disk, directory, first.ulid);
  maintenance.onChange();
  assert.equal(list.overlapping(0, 1000).length, 1);
  assert.deepEqual(dump(kernel, blockQueryable(held)), dumpOf(series(0, 100)));
  held.release();
  list.close();
});

test("a block that is replaced between listing and opening is looked for again", (t) => {
  const { directory, version } = setUp(t);
  const list = new BlockList(context, directory, new BlockNotices(assert.fail), version);
  const first = writeModel(context, directory, series(0, 100), [0, 100]);
  assert.equal(list.metas().length, 1);
  deleteBlock(disk, directory, first.ulid);
  const second = writeModel(context, directory, series(0, 100), [0, 100]);
  assert.deepEqual(
    list.overlapping(0, 10).map(({ meta }) => meta.ulid),
    [second.ulid],
  );
  list.close();
});

test("a damaged block is noticed and left out, and its parents are read in its place", (t) => {
  const { directory, maintenance, version } = setUp(t);
  for (let i = 0; i < 4; i++)
    writeModel(context, directory, series(i * 100, i * 100 + 100), [i * 100, i * 100 + 100]);
  const parents = listBlocks(maintenance);
  const before = new Map(parents.map(({ ulid }) => [ulid, disk.readFile(`${directory}/${ulid}/meta.json`)]));
  assert.ok(before.size === 4);
  const keep = {
    ...disk,
    rename: (from: string, to: string) => {
      // Parents stay, as when the process dies before it deletes them.
      if (!to.endsWith(".tmp-for-deletion")) return disk.rename(from, to);
      throw new Error("stopped");
    },
  };
  assert.throws(
    () => compactAll({ ...maintenance, context: { ...context, disk: keep } }, [100, 300]),
    /stopped/,
  );
  assert.equal(listBlocks(maintenance).length, 5);
  const notices = new BlockNotices();
  const list = new BlockList(context, directory, notices, version);
  assert.deepEqual(
    list.metas().map(({ minTime, maxTime }) => [minTime, maxTime]),
    [
      [0, 300],
      [300, 400],
    ],
  );
  const merged = list.metas()[0]!.ulid;
  const index = disk.readFile(`${directory}/${merged}/index`);
  disk.writeFileAtomic(`${directory}/${merged}/index`, index.subarray(0, index.length - 1));
  assert.deepEqual(
    list.overlapping(0, 1000).map(({ meta }) => meta.minTime),
    [0, 100, 200, 300],
  );
  assert.equal(notices.damages, 1);
  list.close();

  const { blocks, setAside } = recoverBlocks(maintenance);
  assert.deepEqual([blocks.length, setAside], [4, [merged]]);
  assert.ok(disk.list(`${directory}/set-aside`).includes(merged));
  assert.deepEqual(compactAll(maintenance, [100, 300]), {
    compactions: 1,
    vertical: 0,
    failures: 0,
    deleted: 3,
  });
  assert.deepEqual(
    listBlocks(maintenance)
      .toSorted((a, b) => a.minTime - b.minTime)
      .map(({ minTime, maxTime }) => [minTime, maxTime]),
    [
      [0, 300],
      [300, 400],
    ],
  );
});

test("series are deleted from blocks for good", (t) => {
  const { directory, maintenance, version } = setUp(t);
  const meta = writeModel(context, directory, series(0, 3000), [0, 3000]);
  const path = `${directory}/${meta.ulid}`;
  const list = new BlockList(context, directory, new BlockNotices(assert.fail), version);
  const all = (): ReturnType<typeof dump> => dump(kernel, blockQueryable(list.overlapping(0, 9999)[0]!));
  assert.equal(deleteFromBlock(context, path, [new Matcher("=", "id", "zzz")], 0, 9999), 0);
  assert.equal(deleteFromBlock(context, path, [new Matcher("=", "id", "b")], 1000, 1990), 1);
  assert.equal(deleteFromBlock(context, path, [new Matcher("=", "id", "a")], -1e15, 1e15), 1);
  maintenance.onChange();
  const left = dumpOf([
    { ...series(0, 3000)[1]!, samples: series(0, 3000)[1]!.samples.filter(([t]) => t < 1000 || t > 1990) },
  ]);
  assert.deepEqual(all(), left);
  assert.equal(list.metas()[0]!.stats.numTombstones, 2);
  assert.deepEqual(cleanTombstones(maintenance), { compactions: 1, vertical: 0, failures: 0, deleted: 1 });
  assert.deepEqual(all(), left);
  assert.deepEqual([list.metas()[0]!.stats.numTombstones, list.metas()[0]!.stats.numSeries], [0, 1]);
  list.close();
});

test("retention deletes whole blocks, by time and by size", (t) => {
  const { directory, maintenance } = setUp(t);
  for (let i = 0; i < 5; i++)
    writeModel(context, directory, series(i * 100, i * 100 + 100), [i * 100, i * 100 + 100]);
  const limits = { retentionMs: 0, bytesMax: 0, otherBytes: 0 };
  assert.equal(applyRetention(maintenance, limits), 0);
  assert.equal(applyRetention(maintenance, { ...limits, retentionMs: 300 }), 2);
  assert.equal(applyRetention(maintenance, { ...limits, bytesMax: 1000, otherBytes: 999 }), 3);
  assert.deepEqual(disk.list(directory), []);
});

test("head and blocks are queried together while data moves from one to the other", async (t) => {
  const directory = directoryOf(t);
  const nowMs = 1_700_006_400_000;
  const { tsdb, kernel, clock } = await openTest(directory, { nowMs });
  const queryable = createQueryable({ kernel, disk, directory });
  const appender = tsdb.appender();
  for (const id of ["a", "b"]) {
    const ref = appender.reference(Labels.from({ __name__: "m", id }));
    for (let i = 0; i < 400; i++) appender.append(ref, nowMs - 4_000_000 + i * 10_000, i);
  }
  appender.commit();
  const before = dump(kernel, queryable);
  assert.equal(before.get('{__name__="m", id="a"}')!.length, 400);

  const target = { kernel, disk, dataDirectory: directory, ulid: createUlid(clock.nowMs()) };
  const cutMs = nowMs - 2_000_000;
  const meta = writeHeadBlock(queryable, target, nowMs - 7_200_000, cutMs)!;
  assert.equal(meta.stats.numSamples, 400);
  blocksChanged(kernel);
  assert.deepEqual(dump(kernel, queryable), before, "in both");
  assert.deepEqual(dump(kernel, queryable, [new Matcher("=", "id", "b")]).size, 1);
  await tsdb.truncate(cutMs);
  assert.deepEqual(dump(kernel, queryable), before, "in the block, and what came later in the head");
  const querier = queryable.querier(0, 1e15);
  assert.deepEqual(querier.labelValues("id", [], { minTimestampMs: 0, maxTimestampMs: 1e15 }), ["a", "b"]);
  querier.close();
  queryable.close();
  await tsdb.close();
  const block = Block.open({ ...context, kernel }, `${directory}/${meta.ulid}`);
  assert.equal(block.meta.maxTime, cutMs);
  block.release();
});
