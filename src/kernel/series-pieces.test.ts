import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { layout } from "./index.ts";
import { testKernel } from "./testing.ts";

/** Where the two threads leave word for each other. */
const doneIndex = layout.control.headWords >>> 2;
const foundIndex = doneIndex + 1;

test("chunks that are closed while pieces are read are had whole, or not at all", async () => {
  const kernel = testKernel();
  const { u32 } = kernel.views;
  const refs = 1;
  const roundsMax = 5_000_000;
  const foundMin = 300_000;
  for (let ref = 1; ref <= refs; ref++) kernel.series.create(ref, kernel.arena.allocate(16));
  const source = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.face).then(({ attachKernel }) => {
      const kernel = attachKernel(workerData.handle);
      const { u32, f64 } = kernel.views;
      const ts = kernel.scratch.allocate(8 * 1000);
      const vs = kernel.scratch.allocate(8 * 1000);
      const noFiles = { ptr: 0, count: 0 };
      let wrong = "";
      parentPort.postMessage("ready");
      for (let reads = 0; Atomics.load(u32, workerData.doneIndex) === 0 && wrong === ""; reads++) {
        kernel.epoch.enter();
        const pieces = kernel.seriesPieces(1 + (reads % workerData.refs), -Infinity, Infinity, Infinity, noFiles);
        let untilMs = -Infinity;
        for (const { minTimestampMs, maxTimestampMs, dataPtr, dataBytes, encoding } of pieces) {
          if (minTimestampMs <= untilMs) wrong = "pieces overlap at " + minTimestampMs;
          untilMs = maxTimestampMs;
          if (dataPtr === 0) continue;
          Atomics.add(u32, workerData.foundIndex, 1);
          try {
            const count = kernel.chunkSampleCount(dataPtr);
            kernel.decodeChunk(encoding, dataPtr, dataBytes, count, ts, vs, 1000);
            if (f64[ts / 8] !== minTimestampMs || f64[ts / 8 + count - 1] !== maxTimestampMs)
              wrong = "a chunk of " + count + " samples ends at " + f64[ts / 8 + count - 1] + " instead of " + maxTimestampMs;
          } catch (error) {
            wrong = error.message;
          }
        }
        if (pieces.length > 0 && untilMs !== Infinity && pieces.at(-1).dataPtr === 0) wrong = "an open chunk ends at " + untilMs;
        kernel.epoch.leave();
      }
      parentPort.postMessage(wrong);
    });`;
  const face = new URL("./index.ts", import.meta.url).href;
  const handle = kernel.handle(1);
  const worker = new Worker(source, {
    eval: true,
    workerData: { face, handle, refs, doneIndex, foundIndex },
  });
  const wrong = await new Promise<string>((resolve, reject) => {
    worker.on("message", (message: string) => (message === "ready" ? write() : resolve(message)));
    worker.once("error", reject);
  });
  assert.equal(wrong, "");
  assert.ok(u32[foundIndex]! >= foundMin, `${u32[foundIndex]} closed chunks were read`);

  function write(): void {
    const batch = kernel.createSampleBatch(refs);
    // A busy machine may not let the reader run for a while.
    for (let round = 1; round < roundsMax && Atomics.load(u32, foundIndex) < foundMin; round++) {
      batch.clear();
      for (let ref = 1; ref <= refs; ref++) batch.push(ref, round * 1000, round);
      batch.append({ samplesPerChunk: 120 });
      if (round % 2 === 0) for (let ref = 1; ref <= refs; ref++) kernel.series.closeChunk(ref);
      for (let ref = 1; ref <= refs; ref++) kernel.series.truncate(ref, (round - 2) * 1000);
      kernel.arena.reclaim();
    }
    Atomics.store(u32, doneIndex, 1);
  }
});
