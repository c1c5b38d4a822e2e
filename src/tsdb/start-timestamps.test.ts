import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { systemDisk } from "../base/index.ts";
import { layout, staleMarkerBits } from "../kernel/index.ts";
import { Labels, parseHistogram } from "../model/index.ts";
import { Block } from "./block/block.ts";
import { compactBlocks } from "./block/compact.ts";
import { writeHeadBlock } from "./block/head-block.ts";
import { testContext } from "./block/test-support.ts";
import { createUlid } from "./block/ulid.ts";
import { abandon, baseTimeMs, openTest, type Opened, directoryOf } from "./test-support.ts";

const options = { storesStarts: true, futureMaxMs: Infinity };
const everything = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
const histogram = parseHistogram("count:3 sum:1 buckets:[1 2]").histogram;

/** All samples, by series: time, value and since when it counts. */
function texts({ tsdb: { queryable }, kernel }: Opened): Map<string, string[]> {
  const result = new Map<string, string[]>();
  const { minTimestampMs, maxTimestampMs } = everything;
  const querier = queryable.querier(minTimestampMs, maxTimestampMs);
  const mark = kernel.scratch.mark();
  try {
    const set = querier.select([], everything, true);
    for (let series = 0; series < set.length; series++) {
      const capacity = set.sampleCountMax(series, minTimestampMs, maxTimestampMs);
      const timestamps = kernel.scratch.allocate(8 * capacity + 64);
      const values = kernel.scratch.allocate(8 * capacity + 64);
      const columns = { timestamps, values, capacity };
      const count = set.read(series, minTimestampMs, maxTimestampMs, false, columns);
      const starts = set.readStarts!(series, minTimestampMs, maxTimestampMs);
      const { f64 } = kernel.views;
      const samples = Array.from({ length: count }, (_, i): [number, string] => {
        const timestampMs = f64[timestamps / 8 + i]!;
        const value = f64[values / 8 + i]!;
        return [timestampMs, `${Number.isNaN(value) ? "stale" : value} ${starts.get(timestampMs) ?? 0}`];
      });
      for (const sample of set.readHistograms!(series, minTimestampMs, maxTimestampMs, false)) {
        const text = sample.histogram.isStale ? "stale" : sample.kind;
        samples.push([sample.timestampMs, `${text} ${sample.startTimestampMs}`]);
      }
      samples.sort(([a], [b]) => a - b);
      result.set(
        set.labels(series).get("__name__"),
        samples.map(([timestampMs, text]) => `${timestampMs} ${text}`),
      );
    }
  } finally {
    kernel.scratch.release(mark);
    querier.close();
  }
  return result;
}

const sample = fc.record({
  name: fc.constantFrom("a", "b"),
  kind: fc.constantFrom("float", "float", "float", "stale", "histogram"),
  value: fc.integer(),
  /** Before the sample, where it is known. */
  startMs: fc.oneof(fc.constant(undefined), fc.constantFrom(0, 1, 15_000, 100_000)),
  /** So often in a row, as a target would give it. */
  times: fc.integer({ min: 1, max: 80 }),
});
const commits = fc.array(fc.array(sample, { maxLength: 5 }), { maxLength: 8 });

test("samples with and without start timestamps: in memory, after a crash, from files, and from a block", async (t) => {
  const directory = directoryOf(t);
  let round = 0;
  await fc.assert(
    fc.asyncProperty(commits, async (all) => {
      const data = `${directory}/${round++}`;
      const opened = await openTest(data, options);
      const expected = new Map<string, string[]>();
      let timestampMs = baseTimeMs;
      for (const commit of all) {
        const appender = opened.tsdb.appender();
        let queued = 0;
        for (const { name, kind, value, startMs, times } of commit) {
          const ref = appender.reference(Labels.from({ __name__: name }));
          const samples = expected.get(name) ?? [];
          expected.set(name, samples);
          for (let i = 0; i < times; i++) {
            queued++;
            timestampMs += 15_000;
            const start = startMs === undefined || kind === "stale" ? 0 : timestampMs - startMs;
            if (kind === "stale") appender.appendStale(ref, timestampMs);
            else if (kind === "float") appender.append(ref, timestampMs, value + i, start);
            else appender.appendHistogram(ref, timestampMs, histogram, "integer", start);
            const text = kind === "float" ? `${value + i}` : kind === "stale" ? "stale" : "integer";
            samples.push(`${timestampMs} ${text} ${start}`);
            if (kind === "stale") break;
          }
        }
        assert.equal(appender.commit().appended, queued);
      }
      const sorted = new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
      assert.deepEqual(texts(opened), sorted);
      abandon(data);
      const replayed = await openTest(data, options);
      assert.deepEqual(texts(replayed), sorted, "from the log");
      await replayed.tsdb.close();
      const again = await openTest(data, options);
      assert.deepEqual(texts(again), sorted, "from files");
      const target = { kernel: again.kernel, disk: systemDisk, dataDirectory: data, ulid: createUlid(1) };
      const meta = writeHeadBlock(again.tsdb.queryable, target, baseTimeMs, timestampMs + 1);
      await again.tsdb.close();
      assert.equal(meta?.stats.numSeries ?? 0, sorted.size);
      rmSync(`${data}/wal`, { recursive: true });
      rmSync(`${data}/chunks_head`, { recursive: true, force: true });
      const blocks = await openTest(data);
      assert.deepEqual(texts(blocks), sorted, "from the block");
      await blocks.tsdb.close();
    }),
    { numRuns: 20 },
  );
});

test("without the option starts are left out, and chunks are those of plain floats", async (t) => {
  const opened = await openTest(directoryOf(t), { futureMaxMs: Infinity });
  const appender = opened.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "a" }));
  appender.append(ref, baseTimeMs, 1, baseTimeMs - 1);
  appender.commit();
  assert.deepEqual(texts(opened), new Map([["a", [`${baseTimeMs} 1 0`]]]));
  assert.deepEqual(encodings(opened), [layout.chunkEncodingXor]);
  await opened.tsdb.close();
});

test("XOR2 chunks hold as many samples as XOR chunks", async (t) => {
  const opened = await openTest(directoryOf(t), options);
  const appender = opened.tsdb.appender();
  const refs = ["a", "b"].map((name) => appender.reference(Labels.from({ __name__: name })));
  for (let i = 0; i < 1000; i++)
    refs.forEach((ref, kind) =>
      appender.append(ref, baseTimeMs + 15_000 * i, i, kind === 0 ? 0 : baseTimeMs - 1),
    );
  appender.commit();
  const { series, views } = opened.kernel;
  const ranges = (ref: number): bigint[] =>
    series.chunkPtrs(ref).map((ptr) => views.i64[(ptr + layout.chunk.minTimestampMs) / 8]!);
  assert.ok(ranges(refs[0]!).length > 5);
  assert.deepEqual(ranges(refs[1]!), ranges(refs[0]!));
  assert.ok(encodings(opened).includes(layout.chunkEncodingXor2));
  await opened.tsdb.close();
});

test("a sample that is told again is no second one, and another at its time is refused", async (t) => {
  const opened = await openTest(directoryOf(t), options);
  const add = (value: number, timestampMs = baseTimeMs): number[] => {
    const appender = opened.tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "a" }));
    appender.append(ref, timestampMs, value, baseTimeMs - 1000);
    const { appended, duplicate, outOfOrder } = appender.commit();
    return [appended, duplicate, outOfOrder];
  };
  assert.deepEqual(add(1), [1, 0, 0]);
  assert.deepEqual(add(1), [0, 0, 0]);
  assert.deepEqual(add(2), [0, 1, 0]);
  assert.deepEqual(add(2, baseTimeMs - 1), [0, 0, 1]);
  assert.deepEqual(add(2, baseTimeMs + 1), [1, 0, 0]);
  await opened.tsdb.close();
});

test("what comes out of order keeps its start", async (t) => {
  const opened = await openTest(directoryOf(t), { ...options, outOfOrderWindowMs: 60_000 });
  const appender = opened.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "a" }));
  appender.append(ref, baseTimeMs, 1, baseTimeMs - 60_000);
  appender.append(ref, baseTimeMs - 1000, 2, baseTimeMs - 60_000);
  appender.append(ref, baseTimeMs - 2000, 3);
  assert.equal(appender.commit().appended, 3);
  assert.deepEqual(texts(opened).get("a"), [
    `${baseTimeMs - 2000} 3 0`,
    `${baseTimeMs - 1000} 2 ${baseTimeMs - 60_000}`,
    `${baseTimeMs} 1 ${baseTimeMs - 60_000}`,
  ]);
  await opened.tsdb.close();
});

test("a series whose XOR2 chunk ends with the marker is stale, one that goes on after a marker is not", async (t) => {
  const opened = await openTest(directoryOf(t), options);
  const appender = opened.tsdb.appender();
  const [a, b, c] = ["a", "b", "c"].map((name) => appender.reference(Labels.from({ __name__: name })));
  for (const ref of [a!, b!, c!]) {
    appender.append(ref, baseTimeMs, 1, ref === a ? baseTimeMs - 1 : 0);
    appender.appendStale(ref, baseTimeMs + 1);
  }
  appender.append(b!, baseTimeMs + 2, 1, baseTimeMs);
  appender.appendHistogram(c!, baseTimeMs + 2, histogram, "integer");
  appender.commit();
  const { series, views } = opened.kernel;
  const lastBits = (ref: number): bigint => views.u64[(series.slot(ref) + layout.slot.lastValueBits) / 8]!;
  const isStale = [a!, b!, c!].map((ref) => lastBits(ref) === staleMarkerBits);
  assert.deepEqual(isStale, [true, false, false]);
  await opened.tsdb.close();
});

test("blocks that overlap are merged with their starts", async (t) => {
  const data = directoryOf(t);
  const opened = await openTest(data, options);
  const appender = opened.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "a" }));
  const at = (i: number): number => baseTimeMs + 15_000 * i;
  for (let i = 0; i < 300; i++) appender.append(ref, at(i), i, i % 7 === 0 ? 0 : at(i - 1));
  appender.commit();
  const expected = texts(opened);
  const context = testContext();
  const blocks = [
    [0, 200],
    [90, 300],
  ].map(([from, to], i) => {
    const target = { kernel: opened.kernel, disk: systemDisk, dataDirectory: data, ulid: createUlid(i + 1) };
    writeHeadBlock(opened.tsdb.queryable, target, at(from!), at(to!));
    return Block.open(context, `${data}/${target.ulid}`);
  });
  await opened.tsdb.close();
  const ulid = createUlid(3);
  compactBlocks(blocks, { kernel: context.kernel, disk: systemDisk, dataDirectory: data, ulid });
  for (const block of blocks) {
    block.release();
    rmSync(block.directory, { recursive: true });
  }
  for (const name of ["wal", "chunks_head"]) rmSync(`${data}/${name}`, { recursive: true, force: true });
  const merged = await openTest(data);
  assert.deepEqual(texts(merged), expected);
  await merged.tsdb.close();
});

/** Of all chunks in memory. */
function encodings({ kernel: { series, views } }: Opened): number[] {
  const found: number[] = [];
  for (let ref = 1; ref <= series.highestRef; ref++)
    for (const ptr of series.chunkPtrs(ref)) found.push(views.u8[ptr + layout.chunk.encoding]!);
  return found;
}
