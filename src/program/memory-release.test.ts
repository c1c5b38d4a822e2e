import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock, type SystemMemory, silentLogger } from "../base/index.ts";
import { MemoryRelease } from "./memory-release.ts";

test("memory is given back soon after the start and regularly until it is closed", async () => {
  const clock = new SimulatedClock();
  const memory: SystemMemory = { releasePages: () => true, trimHeap() {} };
  let calls = 0;
  const release = new MemoryRelease({
    clock,
    logger: silentLogger,
    load: () => memory,
    releaseMemory: (given) => {
      assert.equal(given, memory);
      calls++;
    },
  });
  await clock.advance(4999);
  assert.equal(calls, 0);
  await clock.advance(1);
  assert.equal(calls, 1);
  await clock.advance(30_000);
  assert.equal(calls, 3);
  release.close();
  await clock.advance(600_000);
  assert.equal(calls, 3);
});

test("where the system's functions cannot be called, nothing happens", async () => {
  const clock = new SimulatedClock();
  let loads = 0;
  const load = (): undefined => void loads++;
  const releaseMemory = (): never => assert.fail("there is nothing to do it with");
  const release = new MemoryRelease({ clock, logger: silentLogger, load, releaseMemory });
  await clock.advance(600_000);
  assert.equal(loads, 1);
  release.close();
});
