import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { BlockCache } from "../block/cache.ts";
import { createBlocks, type LabelledSample } from "../block/create.ts";
import { writeSnapshot } from "../block/snapshot.ts";
import { testContext } from "../block/test-support.ts";
import { askAll, dumpWithPromtool, skipWithoutPrometheus, withPrometheus } from "../peer-support.ts";
import {
  directoryOf,
  type Dump,
  dump,
  ForwardingDisk,
  kernelBytes,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";
import { openTsdb, type Tsdb } from "../tsdb.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const hourMs = 3_600_000;
const nowMs = Math.floor(Date.now() / (2 * hourMs)) * 2 * hourMs;

interface Opened {
  directory: string;
  tsdb: Tsdb;
  all: () => Dump;
}

/** Six hours of blocks, and a minute in the head. */
async function setUp(t: TestContext): Promise<Opened> {
  const parent = temporaryDirectory();
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const directory = `${parent}/data`;
  mkdirSync(directory);
  createBlocks(
    { ...testContext(), clock: new SimulatedClock(nowMs), dataDirectory: directory },
    function* (): Generator<LabelledSample> {
      for (const id of ["a", "b"])
        for (let i = 1; i <= 360; i++)
          yield { labels: Labels.from({ __name__: "m", id }), timestampMs: nowMs - i * 60_000, value: i };
    },
  );
  const kernel = createKernel({ limitBytes: kernelBytes });
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock: new SimulatedClock(nowMs),
    directory,
    logger: silentLogger,
    registry: new Registry(),
    keeper: new MaintenanceThread({ kernel, directory, logger: silentLogger }),
  });
  await tsdb.ready;
  const appender = tsdb.appender();
  for (const id of ["b", "c"]) {
    const ref = appender.reference(Labels.from({ __name__: "m", id }));
    for (let i = 0; i < 5; i++) appender.append(ref, nowMs + i * 15_000, i / 3);
  }
  assert.equal(appender.commit().appended, 10);
  return { directory, tsdb, all: () => dump(kernel, tsdb.queryable) };
}

async function dumpDirectory(directory: string): Promise<Dump> {
  const { tsdb, kernel } = await openTest(directory, { nowMs });
  const found = dump(kernel, tsdb.queryable);
  await tsdb.close();
  return found;
}

test("a snapshot has what blocks and head had, and stays as it is", async (t) => {
  const { directory, tsdb, all } = await setUp(t);
  const before = all();
  assert.equal(before.size, 3);
  const name = await tsdb.snapshot({ withHead: true });
  assert.match(name, /^\d{8}T\d{6}Z-[0-9a-f]{16}$/);
  assert.equal(name.slice(0, 16), new Date(nowMs).toISOString().replace(/[-:]|\.000/g, ""));
  const snapshot = `${directory}/snapshots/${name}`;
  // Blocks are second names of the same files.
  const { ulid } = tsdb.blocks()[0]!;
  assert.equal(statSync(`${snapshot}/${ulid}/index`).ino, statSync(`${directory}/${ulid}/index`).ino);
  assert.equal(readdirSync(snapshot).length, tsdb.blocks().length + 1);

  const withoutHead = await tsdb.snapshot({ withHead: false });
  assert.equal(readdirSync(`${directory}/snapshots/${withoutHead}`).length, tsdb.blocks().length);

  // What is deleted later is still in the snapshot.
  await tsdb.deleteSeries({
    selectors: [[new Matcher("=", "id", "a")]],
    minTimestampMs: 0,
    maxTimestampMs: nowMs - 1,
  });
  await tsdb.cleanTombstones();
  assert.notDeepEqual(all(), before);
  await tsdb.close();
  assert.deepEqual(await dumpDirectory(snapshot), before);
  const inBlocks = await dumpDirectory(`${directory}/snapshots/${withoutHead}`);
  assert.deepEqual(
    [...inBlocks.values()].map(({ length }) => length),
    [360, 360],
  );
  await assert.rejects(tsdb.snapshot({ withHead: true }), { code: "unavailable" });
});

test("Prometheus and promtool find the same in it", { skip: skipWithoutPrometheus }, async (t) => {
  const { directory, tsdb, all } = await setUp(t);
  const name = await tsdb.snapshot({ withHead: true });
  const before = all();
  await tsdb.close();
  const snapshot = `${directory}/snapshots/${name}`;
  mkdirSync(`${snapshot}/wal`);
  assert.deepEqual(dumpWithPromtool(snapshot), before);
  assert.deepEqual(await withPrometheus(snapshot, (port) => askAll(port, nowMs + hourMs)), before);
});

test("a snapshot that fails leaves nothing, and what a crash left of one is removed", async (t) => {
  const { directory, tsdb } = await setUp(t);
  await tsdb.close();
  const disk = new (class extends ForwardingDisk {
    links = 0;
    override link(existing: string, path: string): void {
      if (++this.links === 5) throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
      super.link(existing, path);
    }
  })();
  const maintenance = {
    context: { kernel: createKernel({ limitBytes: kernelBytes }), disk, cache: new BlockCache() },
    clock: new SimulatedClock(nowMs),
    logger: silentLogger,
    dataDirectory: directory,
    onChange: () => {},
  };
  assert.throws(() => writeSnapshot(maintenance, "s", () => {}), /ENOSPC/);
  assert.deepEqual(readdirSync(`${directory}/snapshots`), []);

  mkdirSync(`${directory}/snapshots/half.tmp-for-creation`);
  mkdirSync(`${directory}/snapshots/whole`);
  writeFileSync(`${directory}/snapshots/half.tmp-for-creation/x`, "");
  const { tsdb: again } = await openTest(directory, { nowMs });
  await again.close();
  assert.deepEqual(readdirSync(`${directory}/snapshots`), ["whole"]);
});

test("where the filesystem knows no second names, files are copied", (t) => {
  const directory = directoryOf(t);
  writeFileSync(`${directory}/a`, "text");
  // Two filesystems are never one.
  if (!existsSync("/dev/shm") || statSync("/dev/shm").dev === statSync(directory).dev)
    return t.skip("there is no second filesystem");
  const copy = `/dev/shm/narthex-${process.pid}`;
  t.after(() => rmSync(copy, { force: true }));
  systemDisk.link(`${directory}/a`, copy);
  assert.equal(readFileSync(copy, "utf8"), "text");
  assert.throws(() => systemDisk.link(`${directory}/a`, copy), { code: "EEXIST" });
  assert.throws(() => systemDisk.link(`${directory}/none`, `${directory}/b`), { code: "ENOENT" });
});
