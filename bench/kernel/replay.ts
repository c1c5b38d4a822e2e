// What a replay asks of the kernel: records decompressed, samples put in the order of their series, places of chunks in files put in order. Run: node bench/kernel/replay.ts
import { snappyCompress } from "hysnappy";
import { createKernel, fileChunk, orderTableBytes } from "../../src/kernel/index.ts";
import { measure } from "./measure.ts";

const kernel = createKernel({ limitBytes: 512 * 1024 * 1024 });
const { f64, u8 } = kernel.views;

const text = Buffer.from(
  Array.from({ length: 20_000 }, (_, i) => `job=node,instance=host-${i >> 6},id=${i};`).join(""),
);
const block = snappyCompress(text);
const blockPtr = kernel.scratch.allocate(block.length + 16);
const textPtr = kernel.scratch.allocate(text.length + 16);
u8.set(block, blockPtr);
measure("uncompressSnappy, per byte", text.length, () => {
  kernel.exports.uncompressSnappy(blockPtr, block.length, textPtr, text.length);
});

const series = 100_000;
const perSeries = 8;
const batch = kernel.createSampleBatch(series * perSeries);
const ordered = kernel.createSampleBatch(series * perSeries);
for (let i = 0; i < perSeries; i++) for (let ref = 1; ref <= series; ref++) batch.push(ref, i, ref);
const positions = { ptr: kernel.scratch.allocate(8 * series), count: 2 * series };
measure("orderBySeries", batch.count, () => void batch.orderBySeries(ordered, positions));

const chunks = 50_000;
const entriesPtr = kernel.scratch.allocate(chunks * fileChunk.bytes);
const orderPtr = kernel.scratch.allocate(orderTableBytes(chunks));
for (let i = 0; i < chunks; i++)
  f64[(entriesPtr + i * fileChunk.bytes) / 8] = 2 ** 27 + ((i * 7919) % chunks) * 300;
measure("orderByPlace", chunks, () => void kernel.headChunks.orderByPlace(entriesPtr, chunks, orderPtr));
