import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import * as fc from "fast-check";
import { layout, sampleStatus, staleMarkerBits } from "./index.ts";
import { encodeChunkTwin, SeriesTwin } from "./series.twin.ts";
import { type Sample, bitsOf, getColumns, testKernel } from "./testing.ts";
import type { StartedSample } from "./xor2.twin.ts";

const { chunk } = layout;
const everything = { minValidTimeMs: -Infinity, maxValidTimeMs: Infinity };

const valueBits = fc.oneof(
  fc.integer({ min: 0, max: 1000 }).map(bitsOf),
  fc.double().map(bitsOf),
  fc.constant(staleMarkerBits),
);
const walk = fc
  .tuple(
    fc.constantFrom(0, 7_100_000, 1_700_000_000_000),
    fc.constantFrom(1000, 15_000, 60_000, 900_000),
    fc.array(fc.tuple(fc.integer({ min: -1, max: 12 }), valueBits), {
      minLength: 1,
      maxLength: 700,
      size: "max",
    }),
  )
  .map(([start, intervalMs, steps]) => {
    let t = start;
    // Mostly a regular interval; sometimes the same time again, or a step back.
    return steps.map(([jump, bits]): StartedSample => {
      t += jump > 1 ? intervalMs : jump * intervalMs;
      return { t, bits, start: 0 };
    });
  });
/** Since when samples count, from some on; and in which encoding new chunks are, from some on. */
const starts = fc.array(fc.tuple(fc.nat({ max: 700 }), fc.constantFrom(0, 1000, 5000)), { maxLength: 3 });
const encodings = fc.array(
  fc.tuple(fc.nat({ max: 400 }), fc.constantFrom(layout.chunkEncodingXor, layout.chunkEncodingXor2)),
  { maxLength: 3 },
);

function withoutStarts(samples: readonly StartedSample[]): Sample[] {
  return samples.map(({ t, bits }) => ({ t, bits }));
}

test("appended samples come back, in upstream's chunks", () => {
  const kernel = testKernel();
  const batch = kernel.createSampleBatch(1000);
  const tsOut = kernel.scratch.allocate(8 * 1000);
  const vsOut = kernel.scratch.allocate(8 * 1000);
  const startsOut = kernel.scratch.allocate(8 * 1000);
  const labels = kernel.arena.allocate(16);
  let ref = 1;
  // The queue of series with closed chunks gets its memory.
  kernel.series.create(ref, labels);
  batch.push(ref, 0, 0);
  batch.append();
  kernel.series.closeChunk(ref);
  fc.assert(
    fc.property(
      walk,
      fc.constantFrom(120, 8, 30),
      fc.integer({ min: 1, max: 100 }),
      fc.nat({ max: 100 }),
      fc.nat({ max: 100 }),
      starts,
      encodings,
      (plain, samplesPerChunk, batchSize, fromPercent, toPercent, startsFrom, encodingsFrom) => {
        const samples = plain.map((sample, i) => ({
          ...sample,
          start: startsFrom.findLast(([from]) => i >= from)?.[1] ?? 0,
        }));
        ref++;
        kernel.series.create(ref, labels);
        const twin = new SeriesTwin(7_200_000, samplesPerChunk);
        const used = kernel.arena.usage().usedBytes;
        for (let i = 0; i < samples.length; i += batchSize) {
          batch.clear();
          const encoding = encodingsFrom.findLast(([from]) => i >= from)?.[1] ?? layout.chunkEncodingXor;
          kernel.floatEncoding = twin.encoding = encoding;
          const part = samples.slice(i, i + batchSize);
          const expected = part.map((sample) => twin.append(sample));
          if (part.some(({ start }) => start !== 0)) {
            const length = { chunkRangeMs: 7_200_000, samplesPerChunk };
            const append = ({ t, bits, start }: StartedSample): number =>
              kernel.series.appendStarted(ref, t, bits, start, length);
            assert.deepEqual(part.map(append), expected);
            continue;
          }
          for (const sample of part) batch.pushBits(ref, sample.t, sample.bits);
          assert.equal(batch.append({ samplesPerChunk }), expected.filter((status) => status === 0).length);
          assert.deepEqual([...batch.status.subarray(0, part.length)], expected);
        }
        kernel.arena.reclaim();

        const chunkPtrs = kernel.series.chunkPtrs(ref).toReversed();
        assert.equal(chunkPtrs.length, twin.chunks.length);
        chunkPtrs.forEach((ptr, index) => {
          const expected = encodeChunkTwin(twin.chunks[index]!);
          const open = index === chunkPtrs.length - 1;
          assert.equal(kernel.views.u8[ptr + chunk.flags], open ? 0 : layout.chunkFlagClosed);
          assert.equal(kernel.views.u8[ptr + chunk.encoding], twin.chunks[index]!.encoding);
          assert.equal(kernel.views.u16[(ptr + chunk.count) >>> 1], twin.chunks[index]!.samples.length);
          const data = ptr + chunk.headerBytes;
          if (open) {
            assert.deepEqual(
              kernel.views.u8.slice(data + 2, data + expected.length),
              Uint8Array.from(expected.subarray(2)),
            );
            return;
          }
          const bytes = kernel.views.u32[(ptr + chunk.dataBytes) >>> 2]!;
          assert.deepEqual(kernel.views.u8.slice(data, data + bytes), Uint8Array.from(expected));
        });

        const stored = twin.chunks.flatMap((each) => each.samples);
        const span = stored.at(-1)!.t - stored[0]!.t;
        const from = stored[0]!.t + Math.floor((span * fromPercent) / 100);
        const to = stored[0]!.t + Math.floor((span * toPercent) / 100);
        const within = stored.filter(({ t }) => t >= from && t <= to);
        for (const dropStale of [false, true]) {
          const expected = dropStale ? within.filter(({ bits }) => bits !== staleMarkerBits) : within;
          const count = kernel.decodeSeries(ref, from, to, dropStale, tsOut, vsOut, 1000);
          assert.deepEqual(getColumns(kernel, tsOut, vsOut, count), withoutStarts(expected));
        }
        const withStarts = kernel.decodeSeries(
          ref,
          from,
          to,
          false,
          tsOut,
          vsOut,
          1000,
          undefined,
          startsOut,
        );
        assert.deepEqual(
          [...kernel.views.f64.subarray(startsOut / 8, startsOut / 8 + withStarts)],
          within.map(({ start }) => start),
        );
        const bound = kernel.series.sampleCount(ref, from, to);
        assert.ok(bound >= within.length && bound <= stored.length);
        if (bound > 0)
          assert.equal(kernel.decodeSeries(ref, from, to, false, tsOut, vsOut, bound - 1), -bound);

        kernel.series.truncate(ref, to);
        const kept = twin.chunks
          .filter((each) => each.samples.at(-1)!.t >= to)
          .flatMap((each) => each.samples);
        const count = kernel.decodeSeries(ref, -Infinity, Infinity, false, tsOut, vsOut, 1000);
        assert.deepEqual(getColumns(kernel, tsOut, vsOut, count), withoutStarts(kept));

        kernel.series.release(ref);
        kernel.arena.reclaim();
        assert.equal(kernel.arena.usage().usedBytes, used, "memory leaked");
        assert.equal(kernel.series.labelsPtr(ref), 0);
      },
    ),
    { numRuns: 150 },
  );
});

test("a batch is checked against the newest samples and the bounds", () => {
  const kernel = testKernel();
  const batch = kernel.createSampleBatch(16);
  kernel.series.create(1, kernel.arena.allocate(16));
  kernel.series.create(20_000, kernel.arena.allocate(16));
  batch.push(1, 1000, 5);
  assert.equal(batch.append(), 1);
  batch.clear();
  batch.push(1, 1001, 5);
  batch.push(1, 999, 5);
  batch.push(1, 1000, 6);
  batch.push(1, 1000, 5);
  batch.push(20_000, 499, 5);
  batch.push(20_000, 2001, 5);
  batch.push(20_000, 2000, 5);
  batch.push(2, 1000, 5);
  batch.push(0, 1000, 5);
  batch.push(0xffff_ffff, 1000, 5);
  batch.push(20_000, NaN, 5);
  assert.equal(batch.check({ minValidTimeMs: 500, maxValidTimeMs: 2000 }), 2);
  const { ok, outOfOrder, duplicate, repeated, outOfBounds, tooFarInFuture, unknownSeries } = sampleStatus;
  assert.deepEqual(
    [...batch.status.subarray(0, batch.count)],
    [
      ok,
      outOfOrder,
      duplicate,
      repeated,
      outOfBounds,
      tooFarInFuture,
      ok,
      unknownSeries,
      unknownSeries,
      unknownSeries,
      tooFarInFuture,
    ],
  );
  assert.equal(batch.append(), 2);
  assert.equal(kernel.series.count, 2);
  assert.equal(kernel.series.highestRef, 20_000);
});

test("when memory is full, appending stops cleanly and resumes after something is freed", () => {
  const kernel = testKernel();
  const batch = kernel.createSampleBatch(4000);
  const labels = kernel.arena.allocate(16);
  for (let ref = 1; ref <= 4000; ref++) kernel.series.create(ref, labels);
  const tsOut = kernel.scratch.allocate(8 * 500);
  const vsOut = kernel.scratch.allocate(8 * 500);
  let t = 0;
  let appended = 4000;
  let total = 0;
  while (appended === 4000) {
    t += 1000;
    batch.clear();
    for (let ref = 1; ref <= 4000; ref++) batch.push(ref, t, Math.sin(ref * t));
    assert.equal(batch.check(everything), 4000);
    appended = batch.append();
    total += appended;
    kernel.arena.reclaim();
  }
  const statuses = new Set(batch.status.subarray(0, 4000));
  assert.deepEqual(statuses, new Set([sampleStatus.ok, sampleStatus.memoryFull]));
  assert.ok(total > 1_000_000, `only ${total} samples fit`);

  kernel.arena.reclaim();
  for (let ref = 1; ref <= 4000; ref++) kernel.series.truncate(ref, t - 60_000);
  kernel.arena.reclaim();
  batch.clear();
  for (let ref = 1; ref <= 4000; ref++) batch.push(ref, t + 1000, ref);
  assert.equal(batch.append(), 4000);
  for (const ref of [1, 4000]) {
    const count = kernel.decodeSeries(ref, -Infinity, Infinity, false, tsOut, vsOut, 500);
    const samples = getColumns(kernel, tsOut, vsOut, count);
    for (const sample of samples.slice(0, -1))
      assert.equal(sample.bits, bitsOf(Math.sin(ref * sample.t)), `series ${ref} at ${sample.t}`);
  }
});

test("series that grow in step, at rates of their own, leave little room unused in the arena's slabs", () => {
  const kernel = testKernel(256 * 1024 * 1024);
  const seriesCount = 30_000;
  const seriesPerBatch = 1000;
  for (let ref = 1; ref <= seriesCount; ref++) {
    const labels = kernel.arena.allocate(56);
    kernel.views.u32.fill(0, labels / 4, labels / 4 + 2);
    kernel.series.create(ref, labels);
  }
  const batch = kernel.createSampleBatch(seriesPerBatch);
  for (let round = 1; round < 120; round++) {
    for (let ref = 1; ref <= seriesCount; ref++) {
      const rate = (ref * 7) % 23;
      batch.push(ref, round * 15_000, rate === 0 ? 1 : Math.floor(round * rate * 213.7) / 10 ** (ref % 4));
      if (batch.count < seriesPerBatch) continue;
      assert.equal(batch.append(), seriesPerBatch);
      batch.clear();
      kernel.arena.reclaim();
    }
    const { usedBytes, reservedBytes } = kernel.arena.usage();
    // Until a chunk's rate is known, its block is a guess.
    if (round < 16) continue;
    const unused = (reservedBytes - usedBytes) / reservedBytes;
    assert.ok(unused < 0.1, `${(100 * unused).toFixed(1)} % unused after ${round} samples`);
  }
});

test("a damaged head chunk is an error of that series alone", () => {
  const kernel = testKernel();
  kernel.series.create(1, kernel.arena.allocate(16));
  const batch = kernel.createSampleBatch(300);
  for (let i = 0; i < 300; i++) batch.push(1, i * 1000, i);
  batch.append();
  const [newest] = kernel.series.chunkPtrs(1);
  const data = newest! + chunk.headerBytes;
  kernel.views.u8.fill(0xff, data, data + 50);
  const out = kernel.scratch.allocate(16 * 400);
  assert.throws(
    () => kernel.decodeSeries(1, 0, 1e9, false, out, out + 8 * 300, 300),
    /head chunk of series 1 is damaged/,
  );
});

test("samples records are upstream's, byte for byte, and come back", () => {
  const kernel = testKernel();
  const batch = kernel.createSampleBatch(300);
  const out = kernel.scratch.allocate(300 * 28 + 17);
  const row = fc.record({
    ref: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    t: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
    bits: valueBits,
    status: fc.constantFrom(0, 0, 0, 1, 3, 7),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 200, size: "max" }), fc.nat(), (rows, cut) => {
      batch.clear();
      for (const { ref, t, bits } of rows) batch.pushBits(ref, t, bits);
      rows.forEach(({ status }, index) => (batch.status[index] = status));
      const stored = rows.filter(({ status }) => status === 0);
      const expected = recordTwin(stored);
      const bytes = batch.encodeRecord(out, 300 * 28 + 17);
      assert.deepEqual(Buffer.from(kernel.views.u8.slice(out, out + bytes)), expected);
      if (stored.length === 0) return;
      assert.equal(batch.encodeRecord(out, 10), 0);
      assert.equal(batch.decodeRecord(out, bytes), stored.length);
      const decoded = stored.map((_, i) => ({
        ref: batch.refs[i],
        t: batch.timestamps[i],
        bits: batch.valueBits[i],
      }));
      assert.deepEqual(
        decoded,
        stored.map(({ ref, t, bits }) => ({ ref, t, bits })),
      );
      // A record that is cut short is refused, or ends cleanly between two samples.
      const shorter = cut % bytes;
      try {
        assert.ok(batch.decodeRecord(out, shorter) < stored.length);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
    { numRuns: 300 },
  );
  kernel.views.u8[out] = 9;
  assert.throws(() => batch.decodeRecord(out, 50), /type other than 2/);
});

function recordTwin(rows: readonly { ref: number; t: number; bits: bigint }[]): Buffer {
  const [first] = rows;
  if (first === undefined) return Buffer.alloc(0);
  const header = Buffer.alloc(17);
  header[0] = 2;
  header.writeBigUInt64BE(BigInt(first.ref), 1);
  header.writeBigInt64BE(BigInt(first.t), 9);
  const parts: Buffer[] = [header];
  for (const { ref, t, bits } of rows) {
    parts.push(varint(BigInt(ref) - BigInt(first.ref)), varint(BigInt(t) - BigInt(first.t)));
    const value = Buffer.alloc(8);
    value.writeBigUInt64BE(bits);
    parts.push(value);
  }
  return Buffer.concat(parts);
}

function varint(value: bigint): Buffer {
  let rest = value < 0n ? -2n * value - 1n : 2n * value;
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

for (const encoding of [layout.chunkEncodingXor, layout.chunkEncodingXor2] as const)
  test(`readers decode whole and correct series while the writer appends, grows, closes and truncates, encoding ${encoding}`, async () => {
    const kernel = testKernel();
    kernel.floatEncoding = encoding;
    const refs = 50;
    const roundsMin = 3000;
    const roundsMax = 300_000;
    const readsMin = 500;
    const retiredBytesMax = 16 * 1024 * 1024;
    const done = layout.control.headWords >>> 2;
    const readsSoFar = done + 1;
    const length = { chunkRangeMs: 7_200_000, samplesPerChunk: 20 };
    for (let ref = 1; ref <= refs; ref++) kernel.series.create(ref, kernel.arena.allocate(16));
    const source = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.face).then(({ attachKernel, layout }) => {
      const kernel = attachKernel(workerData.handle);
      const { f64 } = kernel.views;
      const done = layout.control.headWords >>> 2;
      const capacity = 4000;
      const ts = kernel.scratch.allocate(8 * capacity);
      const vs = kernel.scratch.allocate(8 * capacity);
      let reads = 0;
      let longest = 0;
      let wrong = "";
      parentPort.postMessage("ready");
      while (Atomics.load(kernel.views.u32, done) === 0 && wrong === "") {
        const ref = 1 + (reads++ % workerData.refs);
        kernel.epoch.enter();
        const n = kernel.decodeSeries(ref, -Infinity, Infinity, false, ts, vs, capacity);
        kernel.epoch.leave();
        Atomics.store(kernel.views.u32, done + 1, reads);
        longest = Math.max(longest, n);
        for (let i = 0; i < n; i++) {
          const t = f64[ts / 8 + i];
          if (f64[vs / 8 + i] !== Math.sqrt(t * ref) || (i > 0 && t !== f64[ts / 8 + i - 1] + 1000)) {
            wrong = "series " + ref + ", sample " + i + " of " + n + ": t = " + t;
            break;
          }
        }
      }
      parentPort.postMessage({ reads, longest, wrong });
    });`;
    const face = new URL("./index.ts", import.meta.url).href;
    const worker = new Worker(source, { eval: true, workerData: { face, handle: kernel.handle(1), refs } });
    const messages = new Promise<{ reads: number; longest: number; wrong: string }>((resolve, reject) => {
      worker.on("message", (message) => {
        if (message !== "ready") return resolve(message);
        try {
          write();
        } catch (error) {
          reject(error as Error);
          Atomics.store(kernel.views.u32, done, 1);
        }
      });
      worker.once("error", reject);
    });

    function write(): void {
      const batch = kernel.createSampleBatch(refs);
      // A busy machine may not let the reader run for a while.
      const { u32 } = kernel.views;
      const isEnough = (round: number): boolean =>
        round > roundsMax || (round > roundsMin && Atomics.load(u32, readsSoFar) >= readsMin);
      for (let round = 1; !isEnough(round); round++) {
        batch.clear();
        let appended = 0;
        for (let ref = 1; ref <= refs; ref++) {
          const t = round * 1000;
          const value = Math.sqrt(t * ref);
          // Some say since when they count.
          if (encoding === layout.chunkEncodingXor || ref % 2 === 0) batch.push(ref, t, value);
          else if (
            kernel.series.appendStarted(ref, t, bitsOf(value), t - (round % 7), length) === sampleStatus.ok
          )
            appended++;
        }
        assert.equal(batch.append(length) + appended, refs);
        if (round % 50 === 0) kernel.series.closeChunk(1 + (round % refs));
        if (round % 10 === 0) {
          for (let ref = 1; ref <= refs; ref++) kernel.series.truncate(ref, (round - 500) * 1000);
          reclaim();
        }
      }
      Atomics.store(u32, done, 1);
    }

    /** Waits for a reader that a busy machine has stopped, since it holds back all that is retired meanwhile. */
    function reclaim(): void {
      kernel.arena.reclaim();
      const word = new Int32Array(new SharedArrayBuffer(4));
      for (let waits = 0; kernel.arena.usage().retiredBytes > retiredBytesMax; waits++) {
        assert.ok(waits < 20_000, "the reader goes on");
        Atomics.wait(word, 0, 0, 1);
        kernel.arena.reclaim();
      }
    }

    const { reads, longest, wrong } = await messages;
    assert.equal(wrong, "");
    assert.ok(reads >= readsMin && longest > 0, `${reads} reads`);
    kernel.arena.reclaim();
    assert.equal(kernel.arena.usage().retiredBytes, 0);
  });
