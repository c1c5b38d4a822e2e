import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createLogger, systemClock } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { earlierQueriesEnded } from "../shared-blocks.ts";
import { baseTimeMs, directoryOf, openTest } from "../test-support.ts";
import { MaintenanceThread } from "./maintenance-thread.ts";
import type { StressReport } from "./stress-reader.ts";

const rangeMs = 7_200_000;
const ranges = [rangeMs, 3 * rangeMs, 9 * rangeMs];
const readers = 2;
const series = 40;
const hours = 60;
const samplesPerHour = 30;

test("no query on any thread misses a sample while head ranges become blocks and blocks become others", async (t) => {
  const directory = directoryOf(t);
  const { kernel, tsdb, clock } = await openTest(directory, { nowMs: baseTimeMs });
  for (let hour = 0; hour < hours; hour++) {
    const appender = tsdb.appender();
    for (let id = 0; id < series; id++) {
      const ref = appender.reference(Labels.from({ __name__: "m", id: `${id}` }));
      for (let i = 0; i < samplesPerHour; i++) appender.append(ref, clock.nowMs() + i * 120_000, hour + id);
    }
    await clock.advance(3_600_000);
    appender.commit();
  }
  const thread = new MaintenanceThread({ kernel, directory, logger: createLogger({ write: () => {} }) });
  const workers = Array.from({ length: readers }, () => {
    const workerData = {
      kernel: kernel.claimReader(),
      directory,
      series,
      samplesPerSeries: hours * samplesPerHour,
    };
    return new Worker(new URL("stress-reader.ts", import.meta.url), { workerData });
  });
  t.after(() => Promise.all([thread.close(), ...workers.map((worker) => worker.terminate())]));
  const failures = workers.map((worker) => once(worker, "message") as Promise<[StressReport]>);
  // The last range stays in the head.
  for (let cut = 0; cut < hours / 2 - 1; cut++) {
    const minTime = baseTimeMs + cut * rangeMs;
    await thread.cut(minTime, minTime + rangeMs);
    await earlierQueriesEnded(kernel, systemClock);
    await tsdb.truncate(minTime + rangeMs);
    if (cut % 2 === 1) assert.equal((await thread.compact(ranges)).failures, 0);
  }
  for (const worker of workers) worker.postMessage("stop");
  for (const [{ queries, faults }] of await Promise.all(failures)) {
    assert.deepEqual(faults.slice(0, 5), []);
    assert.ok(queries > 5, `${queries} queries`);
  }
  await tsdb.close();
});
