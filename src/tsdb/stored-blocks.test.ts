import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { systemDisk } from "../base/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import { type ModelSeries, testContext, writeModel } from "./block/test-support.ts";
import { createUlid } from "./block/ulid.ts";
import { createQueryable } from "./queryable.ts";
import { abandon, baseTimeMs, bitsOf, directoryOf, dump, openTest } from "./test-support.ts";

const rangeMs = 7_200_000;
const key = '{__name__="m", id="a"}';

/** One series with a sample each minute from `fromMs` until before `toMs`. */
function series(fromMs: number, toMs: number): ModelSeries {
  return {
    labels: Labels.from({ __name__: "m", id: "a" }),
    samples: Array.from(
      { length: (toMs - fromMs) / 60_000 },
      (_, i) => [fromMs + i * 60_000, bitsOf(i)] as const,
    ),
  };
}

test("blocks that are there at the start are queried together with the head, on every thread", async (t) => {
  const directory = directoryOf(t);
  for (const i of [2, 1])
    writeModel(
      testContext(),
      directory,
      [series(baseTimeMs - i * rangeMs, baseTimeMs - (i - 1) * rangeMs)],
      [baseTimeMs - i * rangeMs, baseTimeMs - (i - 1) * rangeMs],
    );
  const { tsdb, kernel, clock, registry } = await openTest(directory);
  assert.deepEqual(
    tsdb.blocks().map(({ maxTime }) => maxTime),
    [baseTimeMs - rangeMs, baseTimeMs],
  );
  await clock.advance(600_000);
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m", id: "a" }));
  appender.append(ref, baseTimeMs - 1, 1);
  for (let i = 0; i < 10; i++) appender.append(ref, baseTimeMs + i * 60_000, i);
  const { appended, outOfBounds } = appender.commit();
  assert.deepEqual([appended, outOfBounds], [10, 1], "what the blocks cover is refused");

  const everything = dump(kernel, tsdb.queryable);
  assert.equal(everything.get(key)!.length, 250);
  // As another thread would: it learns of the directory from the memory.
  const other = createQueryable({ kernel, disk: systemDisk });
  assert.deepEqual(dump(kernel, other), everything);
  assert.deepEqual(dump(kernel, other, [new Matcher("=", "id", "b")]).size, 0);
  assert.equal(other.blocks().length, 2);
  other.close();
  assert.match(registry.expose(), /\nprometheus_tsdb_blocks_loaded 2\n/);
  await tsdb.close();
});

test("what blocks hold is not replayed; blocks that were imported do not count", async (t) => {
  const directory = directoryOf(t);
  const first = await openTest(directory);
  await first.clock.advance(rangeMs / 2);
  const appender = first.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m", id: "a" }));
  for (const [timestampMs, bits] of series(baseTimeMs, baseTimeMs + rangeMs / 2).samples)
    appender.append(ref, timestampMs, Number(bits % 7n));
  appender.commit();
  const before = dump(first.kernel, first.tsdb.queryable);
  await first.tsdb.close();

  const imported = writeModel(testContext(), directory, [series(baseTimeMs + 60_000, baseTimeMs + 120_000)]);
  const second = await openTest(directory, { nowMs: baseTimeMs + rangeMs / 2 });
  assert.equal(second.tsdb.replayResult!.samples, 60);
  const both = dump(second.kernel, second.tsdb.queryable).get(key)!;
  assert.equal(both.length, 60);
  assert.deepEqual(both[1], [baseTimeMs + 60_000, bitsOf(0)], "the block's sample stands");
  assert.deepEqual(both.toSpliced(1, 1), before.get(key)!.toSpliced(1, 1));
  await second.tsdb.close();

  systemDisk.remove(`${directory}/${imported.ulid}`);
  const cut = [baseTimeMs - rangeMs, baseTimeMs + rangeMs] as const;
  writeModel(testContext(), directory, [series(baseTimeMs, baseTimeMs + rangeMs / 2)], cut);
  const third = await openTest(directory, { nowMs: baseTimeMs + rangeMs / 2 });
  assert.equal(third.tsdb.stats().minTimeMs, undefined);
  assert.equal(dump(third.kernel, third.tsdb.queryable).get(key)!.length, 60);
  await third.tsdb.close();
});

test("damaged blocks and leftovers are out of the way before the first query", async (t) => {
  const directory = directoryOf(t);
  const good = writeModel(testContext(), directory, [series(baseTimeMs - rangeMs, baseTimeMs)]);
  const broken = createUlid(7);
  mkdirSync(`${directory}/${broken}`);
  writeFileSync(`${directory}/${broken}/meta.json`, "{}");
  mkdirSync(`${directory}/${createUlid(8)}.tmp-for-creation`);
  const { tsdb, kernel, registry } = await openTest(directory);
  assert.deepEqual(
    tsdb.blocks().map(({ ulid }) => ulid),
    [good.ulid],
  );
  assert.ok(existsSync(`${directory}/set-aside/${broken}/meta.json`));
  assert.ok(readdirSync(directory).every((name) => !name.includes("tmp")));
  assert.equal(dump(kernel, tsdb.queryable).get(key)!.length, 120);
  assert.match(registry.expose(), /\nnarthex_tsdb_blocks_set_aside 1\n/);

  // Rot that shows only when it is read costs what it hit, and is counted.
  const chunks = `${directory}/${good.ulid}/chunks/000001`;
  const bytes = Buffer.from(systemDisk.readFile(chunks));
  bytes[20]! ^= 1;
  writeFileSync(chunks, bytes);
  assert.equal(dump(kernel, tsdb.queryable).get(key)!.length, 0);
  assert.match(registry.expose(), /\nnarthex_tsdb_block_damages_total 1\n/);
  await tsdb.close();
});

test("a disk that fails while blocks are looked for gives the directory back", async (t) => {
  const directory = directoryOf(t);
  mkdirSync(`${directory}/${createUlid(1)}`, { recursive: true });
  writeModel(testContext(), directory, [series(baseTimeMs - rangeMs, baseTimeMs)]);
  const disk = {
    ...systemDisk,
    readFile(path: string): Uint8Array {
      if (path.endsWith("meta.json")) throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
      return systemDisk.readFile(path);
    },
  };
  await assert.rejects(openTest(directory, { disk }), /EIO/);
  assert.ok(!existsSync(`${directory}/lock`));
  abandon(directory);
  const { tsdb } = await openTest(directory);
  assert.equal(tsdb.blocks().length, 1);
  await tsdb.close();
});
