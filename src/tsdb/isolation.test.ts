import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Labels, Matcher } from "../model/index.ts";
import type { Appender, Querier, Queryable } from "../storage/index.ts";
import { dump, openTest, temporaryDirectory } from "./test-support.ts";

const series = 600;
const stepMs = 1000;
const queriesMin = 15;
const durationMsMax = 30_000;

test("readers on other threads see each commit whole or not at all", async () => {
  const directory = temporaryDirectory();
  // Notes wait for readers, which may wait for a processor.
  const { tsdb, kernel, clock } = await openTest(directory, { kernelBytes: 1024 * 1024 * 1024 });
  const refs = Array.from({ length: series }, (_, i) =>
    tsdb.appender().reference(Labels.from({ __name__: "m", i: `${i}` })),
  );
  const counters = new Uint32Array(new SharedArrayBuffer(16));
  const workers = [1, 2].map((slot) => {
    const workerData = { kernel: kernel.handle(slot), series, counters };
    return new Worker(new URL("isolation-reader.ts", import.meta.url), { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, "online")));
    const deadlineMs = performance.now() + durationMsMax;
    // Until the test has shown something: halves would have been seen, and commits came while queries ran.
    const isEnough = (): boolean =>
      Atomics.load(counters, 0) > queriesMin &&
      Atomics.load(counters, 2) > 0 &&
      Atomics.load(counters, 3) > 10;
    for (let round = 1; !isEnough() && performance.now() < deadlineMs; round++) {
      await clock.advance(stepMs);
      const appender = tsdb.appender();
      for (const ref of refs) appender.append(ref, clock.nowMs(), round);
      appender.commit();
    }
    assert.equal(counters[1], 0, "halves were seen");
    assert.ok(isEnough(), counters.join(" "));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    await tsdb.close();
    rmSync(directory, { recursive: true });
  }
});

test("a querier sees what was committed when it was made, however much comes later", async () => {
  const directory = temporaryDirectory();
  const { tsdb, kernel, clock } = await openTest(directory, { batchSamples: 16 });
  try {
    const commit = (appender: Appender, from: number, to: number): void => {
      for (let i = from; i < to; i++)
        appender.append(appender.reference(Labels.from({ __name__: "m", i: `${i}` })), clock.nowMs(), i);
    };
    const first = tsdb.appender();
    commit(first, 0, 50);
    first.commit();
    const querier = tsdb.queryable.querier(0, Infinity);
    const frozen = only(querier);
    const before = dump(kernel, frozen);
    assert.equal(before.size, 50);
    // More notes than a block holds.
    for (let round = 0; round < 300; round++) {
      await clock.advance(stepMs);
      const appender = tsdb.appender();
      commit(appender, 0, 100);
      appender.commit();
    }
    const after = dump(kernel, frozen);
    assert.deepEqual(new Map([...after].filter(([, samples]) => samples.length > 0)), before);
    querier.close();
    const now = dump(kernel, tsdb.queryable, [new Matcher("=", "i", "7")]);
    assert.equal([...now.values()][0]!.length, 301);
  } finally {
    await tsdb.close();
    rmSync(directory, { recursive: true });
  }
});

test("what is committed in parts is seen at once", async () => {
  const directory = temporaryDirectory();
  const { tsdb, kernel, clock } = await openTest(directory);
  try {
    const appender = tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "a" })), clock.nowMs(), 1);
    appender.commitPart();
    const count = (): number => [...dump(kernel, tsdb.queryable).values()].flat().length;
    assert.equal(count(), 0);
    appender.append(appender.reference(Labels.from({ __name__: "b" })), clock.nowMs(), 1);
    assert.equal(count(), 0);
    appender.commit();
    assert.equal(count(), 2);
  } finally {
    await tsdb.close();
    rmSync(directory, { recursive: true });
  }
});

/** Leads every query to one querier, which the caller closes. */
function only(querier: Querier): Queryable {
  return {
    querier: () => ({
      select: (...given) => querier.select(...given),
      labelNames: (...given) => querier.labelNames(...given),
      labelValues: (...given) => querier.labelValues(...given),
      seriesCountMax: (...given) => querier.seriesCountMax(...given),
      close: () => {},
    }),
  };
}
