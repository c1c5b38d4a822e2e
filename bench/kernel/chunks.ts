// Chunks: append, decode, a head series, a WAL record. Run: node bench/kernel/chunks.ts
import { chunkBytesMax, createKernel, layout, runSeries, storedTableBytes } from "../../src/kernel/index.ts";
import { measure } from "./measure.ts";

const kernel = createKernel({ limitBytes: 512 * 1024 * 1024 });
const { f64 } = kernel.views;
const seriesCount = 1000;
const perSeries = 120;

const shapes: Record<string, (series: number, i: number) => number> = {
  "counters by whole steps": (series, i) => 1000 + i * (1 + (series % 50)) + ((i * 7919) % 5),
  "unchanged gauges": (series) => series,
  "noisy gauges": (series, i) => Math.sin(series * 131 + i) * 100,
};

const encodings = { XOR: layout.chunkEncodingXor, XOR2: layout.chunkEncodingXor2 } as const;
const chunkCapacity = chunkBytesMax(perSeries);

for (const [name, shape] of Object.entries(shapes)) {
  const [tsPtr, vsPtr, tsOut, vsOut] = Array.from({ length: 4 }, () =>
    kernel.scratch.allocate(8 * perSeries),
  ) as [number, number, number, number];
  const columns = { tsPtr, vsPtr, count: perSeries };
  for (const [encodingName, encoding] of Object.entries(encodings)) {
    const chunks: { ptr: number; bytes: number }[] = [];
    for (let series = 0; series < seriesCount; series++) {
      for (let i = 0; i < perSeries; i++) {
        f64[tsPtr / 8 + i] = 1_700_000_000_000 + i * 15_000 + (i % 7 === 0 ? (series % 3) - 1 : 0);
        f64[vsPtr / 8 + i] = shape(series, i);
      }
      const ptr = kernel.scratch.allocate(chunkCapacity);
      chunks.push({ ptr, bytes: kernel.encodeChunk(encoding, columns, ptr, chunkCapacity) });
    }
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    console.log(
      `\n${name}, ${encodingName}: ${(bytes / seriesCount / perSeries).toFixed(2)} bytes per sample`,
    );
    measure("decodeChunk", seriesCount * perSeries, () => {
      for (const chunk of chunks)
        kernel.decodeChunk(encoding, chunk.ptr, chunk.bytes, perSeries, tsOut, vsOut, perSeries);
    });
    measureStored(encoding, chunks);
    measure("encodeChunk", seriesCount * perSeries, () => {
      for (let i = 0; i < seriesCount; i++)
        kernel.encodeChunk(encoding, columns, chunks[0]!.ptr, chunkCapacity);
    });
  }
}

/** The chunks as they follow one another in a block's file: checked and decoded by one call. */
function measureStored(encoding: number, chunks: readonly { ptr: number; bytes: number }[]): void {
  const mark = kernel.scratch.mark();
  const { u8 } = kernel.views;
  const ptr = kernel.scratch.allocate(chunks.reduce((sum, { bytes }) => sum + bytes + 10, 0));
  const tablePtr = kernel.scratch.allocate(storedTableBytes(chunks.length));
  const capacity = chunks.length * perSeries;
  const [timestamps, values] = [kernel.scratch.allocate(8 * capacity), kernel.scratch.allocate(8 * capacity)];
  let end = ptr;
  chunks.forEach((chunk, index) => {
    kernel.storedChunks.setPlace(tablePtr, index, end - ptr);
    for (let rest = chunk.bytes; ; rest >>>= 7) {
      u8[end++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80;
      if (rest < 0x80) break;
    }
    u8[end] = encoding;
    u8.copyWithin(end + 1, chunk.ptr, chunk.ptr + chunk.bytes);
    const crc = kernel.crc32c(end, 1 + chunk.bytes);
    end += 1 + chunk.bytes;
    for (const shift of [24, 16, 8, 0]) u8[end++] = crc >>> shift;
  });
  const table = { tablePtr, count: chunks.length };
  measure("decode stored chunks", capacity, () => {
    kernel.storedChunks.decode({ ptr, bytes: end - ptr }, table, { timestamps, values, capacity });
  });
  kernel.scratch.release(mark);
}

for (const [encodingName, encoding] of Object.entries(encodings)) {
  kernel.floatEncoding = encoding;
  measureHead(encodingName);
}

function measureHead(encodingName: string): void {
  console.log(`\nhead, 10,000 series, ${encodingName}`);
  const mark = kernel.scratch.mark();
  const batch = kernel.createSampleBatch(10_000);
  const recordPtr = kernel.scratch.allocate(10_000 * 28 + 32);
  const labels = kernel.arena.allocate(16);
  for (let ref = 1; ref <= 10_000; ref++) kernel.series.create(ref, labels);
  let now = 1_700_000_000_000;
  function fill(): void {
    now += 15_000;
    batch.clear();
    for (let ref = 1; ref <= 10_000; ref++)
      batch.push(ref, now, shapes["counters by whole steps"]!(ref, now / 15_000));
  }
  const bounds = { minValidTimeMs: 0, maxValidTimeMs: Infinity };
  measure("fill the batch from TypeScript", 10_000, fill, 300);
  measure("fill, check, append", 10_000, () => {
    fill();
    batch.check(bounds);
    batch.append();
    kernel.arena.reclaim();
    if (now % (15_000 * 256) === 0)
      for (let ref = 1; ref <= 10_000; ref++) kernel.series.truncate(ref, now - 3_600_000);
  });
  fill();
  measure("check", 10_000, () => void batch.check(bounds));
  measure("encodeRecord", 10_000, () => void batch.encodeRecord(recordPtr, batch.recordBytesMax));
  const recordBytes = batch.encodeRecord(recordPtr, batch.recordBytesMax);
  measure("decodeRecord", 10_000, () => void batch.decodeRecord(recordPtr, recordBytes));
  measure("crc32c of that record, per byte", recordBytes, () => void kernel.crc32c(recordPtr, recordBytes));
  const tsOut = kernel.scratch.allocate(8 * 10_000);
  const vsOut = kernel.scratch.allocate(8 * 10_000);
  const samples = kernel.decodeSeries(5000, now - 3_600_000, now, true, tsOut, vsOut, 10_000);
  measure(`decodeSeries, ${samples} samples each, per sample`, samples * 10_000, () => {
    for (let ref = 1; ref <= 10_000; ref++)
      kernel.decodeSeries(ref, now - 3_600_000, now, true, tsOut, vsOut, 10_000);
  });
  const run = {
    tablePtr: kernel.scratch.allocate(runSeries.bytes * 10_000),
    seriesMax: 10_000,
    timestamps: kernel.scratch.allocate(8 * 500_000),
    values: kernel.scratch.allocate(8 * 500_000),
    capacity: 500_000,
  };
  for (let i = 0; i < run.seriesMax; i++)
    kernel.views.u32[(run.tablePtr + i * runSeries.bytes) >>> 2] = i + 1;
  const inRun = Math.min(1000, Math.floor(run.capacity / (samples + 240)));
  const noFiles = { ptr: 0, count: 0 };
  measure(`decodeSeriesRun of ${inRun} series, per sample`, samples * inRun, () => {
    kernel.decodeSeriesRun(run, inRun, now - 3_600_000, now, true, noFiles);
  });
  const look = { startMs: now - 900_000, stepMs: 15_000, count: 60 };
  const rows = {
    valuesPtr: kernel.scratch.allocate(inRun * 60 * 8),
    presentPtr: kernel.scratch.allocate(inRun * 60),
  };
  measure("windowRun rate, 60 steps, per row", inRun, () =>
    kernel.windowRun("rate", run, inRun, look, 300_000, rows),
  );
  measure("selectInstantRun, 60 steps, per row", inRun, () =>
    kernel.selectInstantRun(run, inRun, look, 300_000, rows),
  );
  const refsPtr = kernel.scratch.allocate(12 * 10_000);
  for (let i = 0; i < 10_000; i++) kernel.views.u32[(refsPtr >>> 2) + i] = i + 1;
  measure("filterSeries by time, per series", 10_000, () => {
    const range = { minTimestampMs: now - 60_000, maxTimestampMs: now };
    kernel.series.filter(refsPtr, 10_000, undefined, range, refsPtr + 40_000, refsPtr + 80_000);
  });
  for (let ref = 1; ref <= 10_000; ref++) kernel.series.release(ref);
  batch.close();
  kernel.scratch.release(mark);
}
