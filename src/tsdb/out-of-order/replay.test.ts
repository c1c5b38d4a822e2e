import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { Head } from "../head/head.ts";
import { directoryOf, kernelBytes } from "../test-support.ts";
import { OutOfOrderLog } from "./log.ts";
import { replayOutOfOrder } from "./replay.ts";

/** Replays a log to which a late sample comes in the turn of the microtasks after the given look at its writer. Returns how many are in the head, and how many must be. */
async function replayWith(t: TestContext, look: number): Promise<[found: number, expected: number]> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const head = new Head(kernel);
  const ref = head.getOrCreate(Labels.from({ __name__: "m" }));
  const log = new OutOfOrderLog({
    kernel,
    disk: systemDisk,
    clock: new SimulatedClock(),
    logger: silentLogger,
    directory: directoryOf(t),
    compression: "none",
    segmentBytes: 1024 * 1024,
    syncIntervalMs: 0,
  });
  let expected = 0;
  let isCaughtUp = false;
  const write = (): void => {
    if (isCaughtUp) return;
    log.write([], [{ ref, timestampMs: expected++, bits: 0n, startTimestampMs: 0 }]);
  };
  write();
  let looks = 0;
  await replayOutOfOrder({
    head,
    disk: systemDisk,
    logger: silentLogger,
    directory: log.directory,
    writer: () => {
      if (looks++ === look) queueMicrotask(write);
      return log.writer;
    },
    refs: new Map(),
    onCaughtUp: () => (isCaughtUp = true),
  });
  assert.ok(isCaughtUp);
  await log.close();
  return [head.outOfOrder.runs(ref).reduce((sum, { count }) => sum + count, 0), expected];
}

test("nothing that is written until the replay has caught up is missed", async (t) => {
  for (let look = 0; look < 12; look++) {
    const [found, expected] = await replayWith(t, look);
    assert.equal(found, expected, `written after look ${look}`);
  }
});
