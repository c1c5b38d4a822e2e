import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Registry } from "@narthex/client";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { baseTimeMs, directoryOf, kernelBytes } from "../test-support.ts";
import { openTsdb } from "../tsdb.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";

const minuteMs = 60_000;
const chunkRangeMs = 20 * minuteMs;
const startMs = Math.ceil(baseTimeMs / (3 * chunkRangeMs)) * 3 * chunkRangeMs;

/** The widths of the blocks, in chunk ranges and in their order, after eight and a half ranges have passed. */
async function widths(t: TestContext, blockRangeMsMax?: number): Promise<number[]> {
  const directory = directoryOf(t);
  const kernel = createKernel({ limitBytes: kernelBytes });
  const clock = new SimulatedClock(startMs);
  const keeper = new MaintenanceThread({ kernel, directory, logger: silentLogger });
  const options = { chunkRangeMs, ...(blockRangeMsMax !== undefined && { blockRangeMsMax }) };
  const parts = { kernel, disk: systemDisk, clock, directory, logger: silentLogger, keeper };
  const tsdb = openTsdb({ ...parts, registry: new Registry(), options });
  await tsdb.ready;
  for (let minute = 0; minute < 170; minute++) {
    const appender = tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "m" })), clock.nowMs(), minute);
    appender.commit();
    await clock.advance(minuteMs);
    await tsdb.maintained;
  }
  const found = tsdb.blocks().map(({ minTime, maxTime }) => (maxTime - minTime) / chunkRangeMs);
  await tsdb.close();
  return found;
}

test("blocks are compacted to three times their width, or not at all if that is said", async (t) => {
  assert.deepEqual(await widths(t), [3, 3, 1]);
  assert.deepEqual(await widths(t, chunkRangeMs), [1, 1, 1, 1, 1, 1, 1]);
});
