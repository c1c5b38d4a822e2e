import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { createLogger, systemClock, systemDisk } from "../../base/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { createUlid } from "../block/ulid.ts";
import type { WrittenChunks } from "../block/written-chunks.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import { createQueryable } from "../queryable.ts";
import { baseTimeMs, dump, type Opened, openTest, temporaryDirectory } from "../test-support.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const rangeMs = 7_200_000;
const limits = { retentionMs: 0, bytesMax: 0, otherBytes: 0 };

interface SetUp extends Opened {
  directory: string;
  thread: MaintenanceThread;
  log: string[];
}

/** A head with eight hours of five series, and a maintenance thread on the same directory. */
async function setUp(t: TestContext): Promise<SetUp> {
  const directory = temporaryDirectory();
  const opened = await openTest(directory, { nowMs: baseTimeMs });
  const { kernel, tsdb, clock } = opened;
  for (let hour = 0; hour < 8; hour++) {
    const appender = tsdb.appender();
    for (let id = 0; id < 5; id++) {
      const ref = appender.reference(Labels.from({ __name__: "m", id: `${id}` }));
      for (let i = 0; i < 60; i++) appender.append(ref, clock.nowMs() + i * 60_000, hour * 60 + i + id / 10);
    }
    await clock.advance(3_600_000);
    appender.commit();
  }
  const log: string[] = [];
  const logger = createLogger({ write: (line) => void log.push(line) });
  const thread = new MaintenanceThread({ kernel, directory, logger });
  t.after(async () => {
    await thread.close();
    await tsdb.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { ...opened, directory, thread, log };
}

function ulids(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.length === 26);
}

test("head ranges become blocks, blocks are compacted, deleted from, cleaned; every query answers the same", async (t) => {
  const { kernel, tsdb, directory, thread, log } = await setUp(t);
  const queryable = createQueryable({ kernel, disk: systemDisk, directory });
  t.after(() => queryable.close());
  const before = dump(kernel, queryable);
  assert.equal(before.size, 5);
  assert.deepEqual(await thread.recover(), { blocks: [], setAside: [] });
  const written: WrittenChunks[] = [];
  thread.onChunks = (chunks) => void written.push(chunks);
  for (let cut = 0; cut < 4; cut++) {
    const minTime = baseTimeMs + cut * rangeMs;
    const meta = await thread.cut(minTime, minTime + rangeMs);
    assert.equal(meta!.stats.numSamples, 600);
    assert.deepEqual(dump(kernel, queryable), before);
    await earlierQueriesEnded(kernel, systemClock);
    if (cut < 3) await tsdb.truncate(minTime + rangeMs);
    assert.deepEqual(dump(kernel, queryable), before);
  }
  assert.equal(await thread.cut(baseTimeMs - rangeMs, baseTimeMs), undefined);
  assert.equal(ulids(directory).length, 4);
  assert.equal(written.length, 4);
  for (const { samples, rangesMs, bytes } of written) {
    assert.equal(samples.sum, 600);
    const chunks = samples.counts.reduce((sum, count) => sum + count, 0);
    // A sample a minute: between the first and the last of each chunk is a minute less than it has samples.
    assert.equal(rangesMs.sum, (600 - chunks) * 60_000);
    for (const { counts } of [rangesMs, bytes])
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        chunks,
      );
    assert.ok(bytes.sum > 600);
  }

  const compacted = await thread.compact([rangeMs, 3 * rangeMs]);
  assert.deepEqual(compacted, { compactions: 1, vertical: 0, failures: 0, deleted: compacted.deleted });
  assert.ok(log.some((line) => line.includes("blocks compacted")));
  assert.deepEqual(dump(kernel, queryable), before);

  const hits = await thread.deleteSeries([new Matcher("=~", "id", "1|2")], 0, baseTimeMs + 3 * rangeMs - 1);
  assert.ok(hits >= 2);
  const left = dump(kernel, queryable);
  assert.deepEqual(left.get('{__name__="m", id="3"}'), before.get('{__name__="m", id="3"}'));
  assert.equal(left.get('{__name__="m", id="1"}')!.length, 120);
  await thread.cleanTombstones();
  assert.deepEqual(dump(kernel, queryable), left);

  const deleted = await thread.applyRetention({ ...limits, retentionMs: rangeMs / 2 });
  assert.ok(deleted > 0);
  assert.equal(ulids(directory).length, 1);
});

test("damage and leftovers are cleared away at the start, and what cannot be done is said", async (t) => {
  const { directory, thread, log } = await setUp(t);
  const broken = createUlid(1);
  mkdirSync(`${directory}/${broken}`);
  writeFileSync(`${directory}/${broken}/meta.json`, "{");
  mkdirSync(`${directory}/${createUlid(2)}.tmp-for-creation`);
  assert.deepEqual(await thread.recover(), { blocks: [], setAside: [broken] });
  assert.ok(readdirSync(`${directory}/set-aside`).includes(broken));
  assert.ok(log.some((line) => line.includes("damaged block set aside")));
  await assert.rejects(thread.deleteSeries([{ type: "=~", name: "a", value: "(" } as Matcher], 0, 1), {
    code: "bad_data",
  });
});

test("a thread without work ends, and another one takes the next order", async (t) => {
  const { kernel, thread } = await setUp(t);
  const slotBefore = kernel.claimReader().readerSlot;
  kernel.releaseReader(slotBefore);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await thread.recover();
  await thread.recover();
  t.mock.timers.tick(10_000);
  assert.ok(await thread.cut(baseTimeMs, baseTimeMs + rangeMs));
  t.mock.timers.tick(10_000);
  t.mock.timers.reset();
  await thread.close();
  assert.equal(kernel.claimReader().readerSlot, slotBefore, "slots are given back");
});

test("a thread that is closed fails what it was asked, and leaves nothing that recover does not clear", async (t) => {
  const { kernel, directory, thread } = await setUp(t);
  const cut = thread.cut(baseTimeMs, baseTimeMs + rangeMs);
  const failed = assert.rejects(cut, { code: "unavailable" });
  await thread.close();
  await failed;
  await assert.rejects(thread.recover(), { code: "unavailable" });
  const next = new MaintenanceThread({ kernel, directory, logger: createLogger({ write: () => {} }) });
  const { setAside } = await next.recover();
  assert.deepEqual(setAside, []);
  assert.ok(readdirSync(directory).every((name) => !name.includes("tmp-for")));
  assert.ok(await next.cut(baseTimeMs, baseTimeMs + rangeMs));
  await next.close();
});
