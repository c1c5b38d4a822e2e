import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createHistogram, type Histogram, Labels } from "../model/index.ts";
import type { ReaderReport } from "./concurrent-reader.ts";
import { baseTimeMs, openTest, temporaryDirectory } from "./test-support.ts";

const durationMs = 2500;
const durationMsMax = 30_000;
const queriesMin = 10;
const roundsMin = 200;
const stepMs = 10_000;

/** Wins buckets for a while, and is reset then. */
function histogramAt(round: number): Histogram {
  const indices = Array.from({ length: (round % 20) + 1 }, (_, i) => 2 * i);
  const counts = indices.map(() => round + 1);
  const count = indices.length * (round + 1);
  return createHistogram({ count, sum: round, positive: { indices, counts } });
}

test("reader threads see whole series while the writer appends, creates and removes", async () => {
  const directory = temporaryDirectory();
  const { tsdb, kernel, clock } = await openTest(directory);
  const queries = new Int32Array(new SharedArrayBuffer(4 * 3));
  const isEnough = (): boolean => [1, 2].every((slot) => Atomics.load(queries, slot) > queriesMin);
  const workers = [1, 2].map(
    (slot) =>
      new Worker(new URL("concurrent-reader.ts", import.meta.url), {
        workerData: { handle: kernel.handle(slot), queries },
      }),
  );
  try {
    await Promise.all(workers.map((worker) => once(worker, "online")));
    const startMs = performance.now();
    const elapsedMs = (): number => performance.now() - startMs;
    // A busy machine needs longer.
    const isDone = (round: number): boolean =>
      elapsedMs() >= durationMs && ((round >= roundsMin && isEnough()) || elapsedMs() >= durationMsMax);
    for (let round = 0; !isDone(round); round++) {
      const appender = tsdb.appender();
      const add = (labels: Record<string, string>): void => {
        const timestampMs = clock.nowMs();
        appender.append(appender.reference(Labels.from(labels)), timestampMs, timestampMs % 1_000_003);
      };
      for (let k = 0; k < 50; k++) add({ __name__: "lasting", k: `${k}` });
      for (let k = 0; k < 2; k++) {
        const ref = appender.reference(Labels.from({ __name__: "native", k: `${k}` }));
        appender.appendHistogram(ref, clock.nowMs(), histogramAt(round), k % 2 === 0 ? "integer" : "float");
      }
      const generation = Math.floor(round / 20);
      for (let k = 0; k < 50; k++)
        add({ __name__: "passing", k: `${k}`, pod: `pod-${generation}-${k}`, [`g${generation}`]: "1" });
      appender.commit();
      await clock.advance(stepMs);
      if (round % 50 === 49) await tsdb.truncate(clock.nowMs() - 30 * stepMs);
    }
    const reports = await Promise.all(
      workers.map(async (worker) => {
        worker.postMessage("stop");
        const [report] = (await once(worker, "message")) as [ReaderReport];
        return report;
      }),
    );
    for (const { queries, samples, faults } of reports) {
      assert.deepEqual(faults, []);
      assert.ok(queries > queriesMin && samples > 1000, `${queries} queries, ${samples} samples`);
    }
    const rounds = (clock.nowMs() - baseTimeMs) / stepMs;
    assert.ok(rounds >= roundsMin, `${rounds} rounds`);
    assert.ok(tsdb.stats().numSeries < 50 + rounds * 2.5, "series were removed");
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    await tsdb.close();
    rmSync(directory, { recursive: true });
  }
});
