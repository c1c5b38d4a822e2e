import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  fileChunk,
  headChunkPlaceOf,
  type HeadChunkRecord,
  type Kernel,
  layout,
  scanTableBytes,
  seriesFileDamaged,
  seriesNotLoaded,
  writeTableBytes,
} from "./index.ts";
import { getColumns, type Sample, testKernel } from "./testing.ts";
import { crc32cTwin, encodeHeadChunkTwin } from "./head-chunks.twin.ts";
import { encodeTwin } from "./xor.twin.ts";

const samplesPerChunk = 10;
const chunksMax = 128;

/** Appends `count` samples, one a second, and returns them. */
function append(kernel: Kernel, ref: number, count: number): Sample[] {
  const batch = kernel.createSampleBatch(count);
  const samples = Array.from({ length: count }, (_, i): Sample => ({ t: 1000 * i, bits: BigInt(i * i) }));
  for (const { t, bits } of samples) batch.pushBits(ref, t, bits);
  assert.equal(batch.append({ samplesPerChunk }), count);
  batch.close();
  return samples;
}

/** Writes what waits to a "file" in the shared memory; returns its bytes. */
function writeAll(kernel: Kernel, file: number, capacity = 65_536): Buffer {
  const out = kernel.scratch.allocate(capacity);
  const table = kernel.scratch.allocate(writeTableBytes(chunksMax));
  const parts: Buffer[] = [];
  for (let offset = 8; ;) {
    const { chunks, bytes } = kernel.headChunks.encodeClosed(out, capacity, table, chunksMax, {
      file,
      offset,
    });
    parts.push(Buffer.from(kernel.views.u8.slice(out, out + bytes)));
    kernel.headChunks.finish(table, true);
    if (chunks === 0) return Buffer.concat(parts);
    offset += bytes;
  }
}

/** Samples of each chunk of a series but the last, which is open. */
function closedChunks(kernel: Kernel, ref: number, samples: readonly Sample[]): Sample[][] {
  const counts = kernel.series
    .chunkPtrs(ref)
    .toReversed()
    .map((ptr) => kernel.views.u16[(ptr + layout.chunk.count) >>> 1]!);
  let at = 0;
  return counts.slice(0, -1).map((count) => samples.slice(at, (at += count)));
}

function scan(kernel: Kernel, bytes: Uint8Array, isEnd = true) {
  const ptr = kernel.scratch.allocate(bytes.length + 64);
  kernel.views.u8.set(bytes, ptr);
  const table = kernel.scratch.allocate(scanTableBytes(chunksMax));
  const scanned = kernel.headChunks.scan(ptr, bytes.length, isEnd, table, chunksMax);
  return { ...scanned, records: Array.from({ length: scanned.count }, (_, i) => scanned.recordAt(i)) };
}

function recordsOf(ref: number, chunks: readonly Sample[][]): Buffer[] {
  return chunks.map((samples) =>
    encodeHeadChunkTwin({
      ref,
      minTimestampMs: samples[0]!.t,
      maxTimestampMs: samples.at(-1)!.t,
      encoding: 1,
      data: encodeTwin(samples),
    }),
  );
}

test("closed chunks become upstream's records, and their heads stand for them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 200, max: 2000 }),
      (counts, capacity) => {
        const kernel = testKernel();
        const labels = kernel.arena.allocate(16);
        const expected: Buffer[] = [];
        const all = counts.map((count, i) => {
          kernel.series.create(i + 1, labels);
          const samples = append(kernel, i + 1, count);
          expected.push(...recordsOf(i + 1, closedChunks(kernel, i + 1, samples)));
          return samples;
        });
        const bytes = writeAll(kernel, 3, capacity);
        assert.deepEqual(bytes, Buffer.concat(expected));
        assert.equal(kernel.headChunks.seriesWaiting, 0);
        const { records, end } = scan(kernel, bytes);
        assert.equal(end, "end");
        assert.equal(records.length, expected.length);

        const data = kernel.scratch.allocate(bytes.length + 64);
        kernel.views.u8.set(bytes, data);
        const table = kernel.scratch.allocate(fileChunk.bytes * chunksMax);
        const columns = kernel.scratch.allocate(16 * 200);
        all.forEach((samples, i) => {
          const decode = (): number =>
            kernel.decodeSeries(i + 1, 0, Infinity, false, columns, columns + 8 * 100, 100, {
              ptr: table,
              count: listed,
            });
          let listed = 0;
          const inFiles = kernel.headChunks.listFileChunks(i + 1, 0, Infinity, table, chunksMax);
          if (inFiles > 0) assert.equal(decode(), seriesNotLoaded);
          listed = inFiles;
          if (inFiles > 0) assert.equal(decode(), seriesNotLoaded);
          load(kernel, table, listed, data - 8);
          assert.deepEqual(getColumns(kernel, columns, columns + 8 * 100, decode()), samples);
          for (let at = 0; at < listed; at++) {
            const head = kernel.views.u32[(table + at * fileChunk.bytes + fileChunk.chunk) >>> 2]!;
            const record = kernel.headChunks.dataOf(table + at * fileChunk.bytes)!;
            assert.equal(record[0]! * 256 + record[1]!, kernel.views.u16[(head + layout.chunk.count) >>> 1]);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

/** Tells each entry where its record is, when offset 0 of the file is at `fileStart`. */
function load({ views: { u32, f64 } }: Kernel, table: number, entries: number, fileStart: number): void {
  for (let entry = table; entry < table + entries * fileChunk.bytes; entry += fileChunk.bytes) {
    const place = f64[(entry + fileChunk.place) / 8]!;
    assert.equal(Math.floor(place / 2 ** 27), 3);
    u32[(entry + fileChunk.record) >>> 2] = fileStart + (place % 2 ** 27);
  }
}

test("what could not be written stays as it was", () => {
  const kernel = testKernel();
  kernel.series.create(1, kernel.arena.allocate(16));
  append(kernel, 1, 50);
  const before = kernel.series.chunkPtrs(1);
  const used = kernel.arena.usage().usedBytes;
  const out = kernel.scratch.allocate(65_536);
  const table = kernel.scratch.allocate(writeTableBytes(chunksMax));
  const place = { file: 1, offset: 8 };
  const { chunks } = kernel.headChunks.encodeClosed(out, 65_536, table, chunksMax, place);
  assert.ok(chunks > 2);
  kernel.headChunks.finish(table, false);
  assert.deepEqual(kernel.series.chunkPtrs(1), before);
  assert.equal(kernel.arena.usage().usedBytes, used);
  assert.equal(kernel.headChunks.seriesWaiting, 1);
  // A buffer that is too small says what it needs.
  const { neededBytes, chunks: none } = kernel.headChunks.encodeClosed(out, 20, table, chunksMax, place);
  kernel.headChunks.finish(table, true);
  assert.equal(none, 0);
  assert.ok(neededBytes > 20);
  assert.equal(kernel.headChunks.seriesWaiting, 1);
  // A series that goes takes its chunks along.
  kernel.series.release(1);
  assert.equal(writeAll(kernel, 1).length, 0);
  assert.equal(kernel.headChunks.seriesWaiting, 0);
});

test("heads from a file join a series without chunks; its last value is known when it comes again", () => {
  const kernel = testKernel();
  const record: HeadChunkRecord = {
    ref: 7,
    minTimestampMs: 1000,
    maxTimestampMs: 9000,
    offset: 0,
    bytes: 100,
    count: 9,
    encoding: 1,
  };
  const older = kernel.headChunks.createStub(0, record, 9, { file: 5, offset: 8 });
  const later = { ...record, minTimestampMs: 10_000, maxTimestampMs: 19_000 };
  const newest = kernel.headChunks.createStub(older, later, 9, { file: 2 ** 21 - 1, offset: 2 ** 27 - 100 });
  assert.equal(kernel.headChunks.attach(7, newest), false, "there is no such series");
  kernel.series.create(7, kernel.arena.allocate(16));
  assert.equal(kernel.headChunks.attach(7, newest), true);
  assert.equal(kernel.headChunks.attach(7, newest), false);
  assert.equal(kernel.series.chunkCount, 2);
  assert.equal(kernel.series.sampleCount(7, 0, 9000), 9);
  const table = kernel.scratch.allocate(fileChunk.bytes * 4);
  assert.equal(kernel.headChunks.listFileChunks(7, 0, Infinity, table, 4), 2);
  const { f64, u32 } = kernel.views;
  assert.equal(f64[table / 8], (2 ** 21 - 1) * 2 ** 27 + 2 ** 27 - 100);
  assert.equal(u32[(table + fileChunk.recordBytes) >>> 2], 128);
  assert.equal(f64[(table + fileChunk.bytes) / 8], 5 * 2 ** 27 + 8);
  const batch = kernel.createSampleBatch(4);
  batch.push(7, 18_000, 1);
  batch.push(7, 19_000, 2);
  batch.push(7, 19_000, 3);
  batch.push(7, 20_000, 4);
  assert.equal(batch.append(), 1);
  const { outOfOrder, repeated, duplicate, ok } = layout.sampleStatus;
  assert.deepEqual([...batch.status.subarray(0, 4)], [outOfOrder, repeated, duplicate, ok]);
  kernel.series.truncate(7, 15_000);
  assert.equal(kernel.series.chunkPtrs(7).length, 2);
});

test("scanned chunks go to their series as the twin says, until one cannot", () => {
  const data = encodeTwin([
    { t: 1, bits: 1n },
    { t: 2, bits: 2n },
  ]);
  const chunkArbitrary = fc.record({
    ref: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(5)),
    firstMs: fc.nat(3000),
    lengthMs: fc.nat(50),
    encoding: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.constant(7)),
  });
  const given = fc.array(chunkArbitrary, { maxLength: 30 });
  fc.assert(
    fc.property(given, fc.boolean(), fc.constantFrom(-Infinity, 800), (unsorted, isSorted, minTimeMs) => {
      const chunks = isSorted ? unsorted.toSorted((a, b) => a.firstMs - b.firstMs) : unsorted;
      const kernel = testKernel();
      for (let ref = 1; ref <= 4; ref++) kernel.series.create(ref, kernel.arena.allocate(16));
      const records = chunks.map(({ ref, firstMs, lengthMs, encoding }) =>
        encodeHeadChunkTwin({
          ref,
          minTimestampMs: firstMs,
          maxTimestampMs: firstMs + lengthMs,
          encoding,
          data,
        }),
      );
      const bytes = Buffer.concat(records);
      const ptr = kernel.scratch.allocate(bytes.length + 64);
      kernel.views.u8.set(bytes, ptr);
      const table = kernel.scratch.allocate(scanTableBytes(chunksMax));
      assert.equal(kernel.headChunks.scan(ptr, bytes.length, true, table, chunksMax).count, chunks.length);
      const options = { file: 3, start: 8, minTimeMs, countMasks: [0, 0xffff] };
      const found = kernel.headChunks.attachScanned(table, 0, options);

      const newest = new Map<number, number>();
      let stop = chunks.findIndex(({ ref, firstMs, lengthMs, encoding }) => {
        if (ref === 5 || encoding === 7) return true;
        if (firstMs + lengthMs < minTimeMs) return false;
        if ((newest.get(ref) ?? -1) >= firstMs) return true;
        newest.set(ref, firstMs + lengthMs);
        return false;
      });
      if (stop < 0) stop = chunks.length;
      assert.equal(found.next, stop);
      const taken = chunks.slice(0, stop);
      const kept = taken.filter(({ firstMs, lengthMs }) => firstMs + lengthMs >= minTimeMs);
      assert.equal(found.given, kept.length);
      assert.equal(kernel.series.chunkCount, kept.length);
      assert.equal(found.refMax, Math.max(0, ...taken.map(({ ref }) => ref)));
      assert.equal(found.newestMs, Math.max(...taken.map(({ firstMs, lengthMs }) => firstMs + lengthMs)));
      assert.equal(found.minTimestampMs, Math.min(...kept.map(({ firstMs }) => firstMs)));
      const next = chunks[stop];
      const isElsewhere = next !== undefined && (next.ref === 5 || next.encoding === 7);
      assert.equal(found.obstacle, next && (isElsewhere ? "elsewhere" : "notInOrder"));
      for (let ref = 1; ref <= 4; ref++) {
        const places = kernel.series
          .chunkPtrs(ref)
          .toReversed()
          .map((chunkPtr) => headChunkPlaceOf(kernel.views, chunkPtr).offset);
        const offsets = taken.map(
          (_, i) => 8 + records.slice(0, i).reduce((sum, { length }) => sum + length, 0),
        );
        const expected = offsets.filter((_, i) => taken[i]!.ref === ref && kept.includes(taken[i]!));
        assert.deepEqual(places, expected);
      }
    }),
  );
});

test("hostile bytes are neither taken for records nor read beyond", () => {
  const kernel = testKernel();
  const data = encodeTwin([
    { t: 1, bits: 1n },
    { t: 2, bits: 2n },
  ]);
  const record = encodeHeadChunkTwin({ ref: 9, minTimestampMs: 1, maxTimestampMs: 2, encoding: 1, data });
  const good = scan(kernel, Buffer.concat([record, record, Buffer.alloc(5)]));
  assert.equal(good.end, "end");
  assert.equal(good.bytes, 2 * record.length);
  assert.deepEqual(
    good.records.map(({ ref, minTimestampMs, maxTimestampMs, offset, count }) => [
      ref,
      minTimestampMs,
      maxTimestampMs,
      offset,
      count,
    ]),
    [
      [9, 1, 2, 0, 2],
      [9, 1, 2, record.length, 2],
    ],
  );
  fc.assert(
    fc.property(
      fc.nat({ max: record.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      fc.nat({ max: 60 }),
      fc.boolean(),
      (at, flip, cut, isEnd) => {
        const mark = kernel.scratch.mark();
        const damaged = Buffer.from(record);
        damaged[at]! ^= flip;
        const flipped = scan(kernel, Buffer.concat([record, damaged]), isEnd);
        assert.equal(flipped.records.length, 1);
        assert.notEqual(flipped.end, "end");
        const torn = scan(
          kernel,
          Buffer.concat([record, record]).subarray(0, 2 * record.length - 1 - cut),
          isEnd,
        );
        assert.ok(torn.records.length <= 1);
        const rest = Buffer.concat([record, record]).subarray(torn.bytes, 2 * record.length - 1 - cut);
        if (rest.some((byte) => byte !== 0)) assert.equal(torn.end, isEnd ? "short" : "more");
        kernel.scratch.release(mark);
      },
    ),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const mark = kernel.scratch.mark();
      assert.equal(scan(kernel, bytes).records.length, 0);
      kernel.scratch.release(mark);
    }),
  );
});

test("a record that is another chunk's, or damaged, is marked and left out", () => {
  const kernel = testKernel();
  kernel.series.create(1, kernel.arena.allocate(16));
  const samples = append(kernel, 1, 40);
  const chunks = closedChunks(kernel, 1, samples);
  const bytes = writeAll(kernel, 3);
  const data = kernel.scratch.allocate(bytes.length + 64);
  const table = kernel.scratch.allocate(fileChunk.bytes * chunksMax);
  const columns = kernel.scratch.allocate(16 * 100);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      kernel.views.u8.set(bytes, data);
      kernel.views.u8[data + at]! ^= flip;
      const count = kernel.headChunks.listFileChunks(1, 0, Infinity, table, chunksMax);
      load(kernel, table, count, data - 8);
      const decode = (): number =>
        kernel.decodeSeries(1, 0, Infinity, false, columns, columns + 400, 50, { ptr: table, count });
      const first = decode();
      // The series' ref is in the checksum only.
      assert.equal(first, seriesFileDamaged);
      const left = getColumns(kernel, columns, columns + 400, decode());
      const lost = chunks.filter((chunk) => !left.some(({ t }) => t === chunk[0]!.t));
      assert.equal(lost.length, 1);
      assert.deepEqual(
        left,
        samples.filter((sample) => !lost[0]!.includes(sample)),
      );
    }),
  );
});

test("the twin's checksum is CRC-32C", () => {
  assert.equal(crc32cTwin(Buffer.from("123456789")), 0xe3069283);
});
