import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import { errorCode, silentLogger, SimulatedClock } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import {
  baseTimeMs,
  bitsOf,
  type Dump,
  dump,
  ForwardingDisk,
  kernelBytes,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";
import { openTsdb, type Tsdb } from "../tsdb.ts";
import { createInlineKeeper } from "./test-support.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Where the failing calls begin; all are tried in some runs. */
const seed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);
/** Every so many calls one fails. */
const stride = Number(process.env["FAULT_STRIDE"] ?? 23);

type Fault = "ENOSPC" | "EIO" | "torn";

/** The real disk, whose calls that change something can fail: a torn write leaves half of its bytes. */
class FaultyDisk extends ForwardingDisk {
  calls = 0;
  faultOf: (call: number) => Fault | undefined = () => undefined;

  override open(path: string, flags: string): number {
    if (flags !== "r" && !path.endsWith("/lock")) this.#check();
    return super.open(path, flags);
  }
  override write(fd: number, bytes: Uint8Array, position?: number): void {
    this.#check(() => super.write(fd, bytes.subarray(0, bytes.length >> 1), position));
    super.write(fd, bytes, position);
  }
  override async sync(fd: number): Promise<void> {
    this.#check();
    await super.sync(fd);
  }
  override syncNow(fd: number): void {
    this.#check();
    super.syncNow(fd);
  }
  override truncate(fd: number, sizeBytes: number): void {
    this.#check();
    super.truncate(fd, sizeBytes);
  }
  override writeFileAtomic(path: string, bytes: Uint8Array | string): void {
    this.#check();
    super.writeFileAtomic(path, bytes);
  }
  override rename(from: string, to: string): void {
    this.#check();
    super.rename(from, to);
  }
  override remove(path: string): void {
    this.#check();
    super.remove(path);
  }
  override makeDirectory(path: string): void {
    this.#check();
    super.makeDirectory(path);
  }
  override syncDirectory(path: string): void {
    this.#check();
    super.syncDirectory(path);
  }

  #check(tear: () => void = () => {}): void {
    const fault = this.faultOf(this.calls++);
    if (fault === undefined) return;
    if (fault === "torn") tear();
    throw Object.assign(new Error(`${fault}: injected`), { code: fault === "torn" ? "EIO" : fault });
  }
}

interface Scene {
  tsdb: Tsdb;
  kernel: Kernel;
  clock: SimulatedClock;
  /** By series: the times that were acknowledged. */
  model: Map<string, number[]>;
}

async function open(directory: string, disk: FaultyDisk): Promise<Scene> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(baseTimeMs);
  const keeper = createInlineKeeper({ kernel, clock, directory, disk });
  const parts = { kernel, disk, clock, directory, logger: silentLogger, registry: new Registry(), keeper };
  const options = { retention: {}, walSyncIntervalMs: 10 * minuteMs, outOfOrderWindowMs: 3 * hourMs };
  const tsdb = openTsdb({ ...parts, options });
  await tsdb.ready;
  return { tsdb, kernel, clock, model: new Map() };
}

/** The series whose samples come late. */
const lateId = 9;
const labelsOf = (id: number): Labels => Labels.from({ __name__: "m", id: `${id}` });

/** A scrape every twenty minutes, and some samples that come late; what the storage refuses is not in the model. */
async function pass(scene: Scene, hours: number): Promise<void> {
  const { tsdb, clock } = scene;
  for (let i = 0; i < 3 * hours; i++) {
    append(scene, [0, 1, 2, 3], [clock.nowMs()]);
    append(
      scene,
      [lateId],
      [90, 88, 86, 84, 82].map((minutes) => clock.nowMs() - minutes * minuteMs).toReversed(),
    );
    await clock.advance(20 * minuteMs);
    await tsdb.maintained;
  }
}

/** Appends in one commit. */
function append({ tsdb, model }: Scene, ids: readonly number[], times: readonly number[]): void {
  const appender = tsdb.appender();
  try {
    for (const id of ids)
      for (const timestampMs of times) appender.append(appender.reference(labelsOf(id)), timestampMs, id);
    assert.equal(appender.commit().appended, ids.length * times.length);
    for (const id of ids) {
      const key = labelsOf(id).toString();
      model.set(
        key,
        [...(model.get(key) ?? []), ...times].sort((a, b) => a - b),
      );
    }
  } catch (error) {
    assert.equal(errorCode(error), "unavailable");
  }
}

/** Head compaction, checkpoints, a compaction of three blocks, a deletion and its cleaning. */
async function live(scene: Scene): Promise<void> {
  const { tsdb, model } = scene;
  await pass(scene, 10);
  const deletion = {
    selectors: [[new Matcher("=", "id", "3")]],
    minTimestampMs: baseTimeMs,
    maxTimestampMs: baseTimeMs + 3 * hourMs,
  };
  const key = labelsOf(3).toString();
  await untilDone(() => tsdb.deleteSeries(deletion));
  model.set(
    key,
    model.get(key)!.filter((timestampMs) => timestampMs > deletion.maxTimestampMs),
  );
  await tsdb.cleanTombstones().catch(() => {});
  await pass(scene, 2);
}

/** What fails may be done in part, and is asked for again. */
async function untilDone(run: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 100; tries++)
    try {
      return await run();
    } catch (error) {
      assert.match((error as Error).message, /injected/);
    }
  assert.fail("it never came to an end");
}

function assertModel(found: Dump, model: Scene["model"], message: string): void {
  const expected = [...model].map(([key, times]) => [
    key,
    times.map((timestampMs) => [timestampMs, bitsOf(Number(/id="(\d)"/.exec(key)![1]))]),
  ]);
  assert.deepEqual(found, new Map(expected as [string, [number, bigint][]][]), message);
}

/** Lives with the fault from the given call on, for `length` calls; returns how many calls there were. */
async function liveWithFault(fault: Fault, first: number, length: number): Promise<number> {
  const directory = temporaryDirectory();
  try {
    const disk = new FaultyDisk();
    const scene = await open(directory, disk);
    const start = disk.calls;
    disk.faultOf = (call) => (call >= start + first && call < start + first + length ? fault : undefined);
    const message = `${fault} at call ${first}`;
    await live(scene);
    const calls = disk.calls - start;
    disk.faultOf = () => undefined;
    assertModel(dump(scene.kernel, scene.tsdb.queryable), scene.model, message);
    assert.ok(scene.tsdb.blocks().length > 0, message);
    await scene.tsdb.close();
    const again = await openTest(directory, { nowMs: scene.clock.nowMs() });
    assertModel(dump(again.kernel, again.tsdb.queryable), scene.model, `${message}, after a restart`);
    await again.tsdb.close();
    return calls;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test(
  "any call that fails while blocks are made, merged and deleted costs nothing",
  { timeout: 600_000 },
  async (t) => {
    t.diagnostic(`FAULT_SEED=${seed}`);
    const faults: Fault[] = ["ENOSPC", "EIO", "torn"];
    const calls = await liveWithFault("EIO", 0, 0);
    assert.ok(calls > 200, `${calls} calls`);
    for (let call = seed % stride; call < calls; call += stride)
      await liveWithFault(faults[(seed + call) % faults.length]!, call, 1);
  },
);

test("a full disk for a while costs what was refused, and no more", { timeout: 600_000 }, async () => {
  const calls = await liveWithFault("ENOSPC", 0, 0);
  for (let i = 0; i < 4; i++) await liveWithFault("ENOSPC", ((seed * (i + 1)) % calls) | 0, 40);
});
