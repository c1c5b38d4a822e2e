import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { layout } from "./index.ts";
import { testKernel } from "./testing.ts";

/** Where the two threads leave word for each other. */
const doneIndex = layout.control.headWords >>> 2;
const copiedIndex = doneIndex + 1;

for (const [name, encoding] of [
  ["XOR", layout.chunkEncodingXor],
  ["XOR2", layout.chunkEncodingXor2],
] as const)
  test(`chunks of ${name} that grow and are closed while they are copied are had whole, as they were`, async () => {
    const kernel = testKernel();
    kernel.floatEncoding = encoding;
    const { u32 } = kernel.views;
    const refs = 3;
    const roundsMax = 5_000_000;
    const copiedMin = 100_000;
    for (let ref = 1; ref <= refs; ref++) kernel.series.create(ref, kernel.arena.allocate(16));
    const source = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.face).then(({ attachKernel, blockChunk, BlockRunCopy }) => {
      const kernel = attachKernel(workerData.handle);
      const { u32, f64, u8 } = kernel.views;
      const ts = kernel.scratch.allocate(8 * 1000);
      const vs = kernel.scratch.allocate(8 * 1000);
      const noFiles = { ptr: 0, count: 0 };
      const copy = new BlockRunCopy(kernel);
      const all = Uint32Array.from({ length: workerData.refs }, (_, i) => i + 1);
      copy.setSeries(all, () => false);
      copy.setRoom(8, 1 << 20);
      let wrong = "";
      const check = (run, series, first, count) => {
        let untilMs = -Infinity;
        for (let i = first; i < first + count; i++) {
          const chunk = run.chunksPtr + i * blockChunk.bytes;
          const [minMs, maxMs, ref] = f64.subarray(chunk / 8, chunk / 8 + 3);
          const samples = u32[(chunk + blockChunk.samples) >>> 2];
          const dataBytes = u32[(chunk + blockChunk.dataBytes) >>> 2];
          if (minMs <= untilMs) wrong = "chunks overlap at " + minMs;
          const data = copy.data.byteOffset + ref - 8 + (dataBytes < 128 ? 2 : 3);
          if (u8[data] * 256 + u8[data + 1] !== samples) wrong = "the data says another count";
          kernel.decodeChunk(u8[data - 1], data, dataBytes, samples, ts, vs, 1000);
          if (f64[ts / 8] !== minMs || f64[ts / 8 + samples - 1] !== maxMs)
            wrong = "a chunk of " + samples + " samples ends at " + f64[ts / 8 + samples - 1] + " instead of " + maxMs;
          // One sample each second, whose number is its value.
          for (let k = 0; k < samples; k++)
            if (f64[ts / 8 + k] !== minMs + 1000 * k || f64[vs / 8 + k] !== minMs / 1000 + k) wrong = "sample " + k + " of " + samples;
          untilMs = maxMs;
        }
        return untilMs;
      };
      parentPort.postMessage("ready");
      while (Atomics.load(u32, workerData.doneIndex) === 0 && wrong === "") {
        kernel.epoch.enter();
        const snapshot = kernel.isolation.snapshot();
        for (let attempt = 0; attempt < 20; attempt++) {
          const untilMs = snapshot.isCurrent() ? undefined : (series) => snapshot.untilMs(all[series]);
          copy.copy(-Infinity, Infinity, noFiles, snapshot.place, untilMs);
          if (copy.done === all.length) break;
        }
        const run = copy.run(() => [1, 2]);
        try {
          let ends = new Set();
          for (let series = 0, first = 0; series < run.count; series++) {
            const count = u32[(run.seriesPtr >>> 2) + 4 * series + 1];
            ends.add(check(run, series, first, count));
            first += count;
            Atomics.add(u32, workerData.copiedIndex, count);
          }
          if (ends.size > 1 && wrong === "") wrong = "a commit was seen in part: " + [...ends];
        } catch (error) {
          wrong = error.stack;
        }
        kernel.epoch.leave();
      }
      copy.close();
      parentPort.postMessage(wrong);
    });`;
    const face = new URL("./index.ts", import.meta.url).href;
    const handle = kernel.handle(1);
    const worker = new Worker(source, {
      eval: true,
      workerData: { face, handle, refs, doneIndex, copiedIndex },
    });
    const wrong = await new Promise<string>((resolve, reject) => {
      worker.on("message", (message: string) => (message === "ready" ? write() : resolve(message)));
      worker.once("error", reject);
    });
    assert.equal(wrong, "");
    assert.ok(u32[copiedIndex]! >= copiedMin, `${u32[copiedIndex]} chunks were copied`);

    function write(): void {
      const batch = kernel.createSampleBatch(refs);
      const bounds = { minValidTimeMs: -Infinity, maxValidTimeMs: Infinity };
      // A busy machine may not let the reader run for a while.
      for (let round = 1; round < roundsMax && Atomics.load(u32, copiedIndex) < copiedMin; round++) {
        batch.clear();
        for (let ref = 1; ref <= refs; ref++) batch.push(ref, round * 1000, round);
        batch.check(bounds);
        batch.append({ samplesPerChunk: 120 });
        kernel.isolation.publish();
        if (round % 50 === 0) for (let ref = 1; ref <= refs; ref++) kernel.series.closeChunk(ref);
        // All series at a time, of which a reader that looks meanwhile may see some.
        if (round % 400 === 0)
          for (let ref = 1; ref <= refs; ref++) kernel.series.truncate(ref, (round - 200) * 1000);
        kernel.arena.reclaim();
      }
      Atomics.store(u32, doneIndex, 1);
    }
  });
