import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { systemDisk } from "../base/index.ts";
import { layout } from "../kernel/index.ts";
import { type Histogram, Labels, parseHistogram, staleHistogram, withCounterReset } from "../model/index.ts";
import { customHistograms, exponentialHistograms } from "../model/histogram/testing.ts";
import type { AppendResult, HistogramKind } from "../storage/index.ts";
import { writeHeadBlock } from "./block/head-block.ts";
import { HistogramChunk } from "./chunk/histogram-chunk.ts";
import { ChunkBlock } from "./head/chunk-block.ts";
import { createUlid } from "./block/ulid.ts";
import { abandon, baseTimeMs, openEarly, openTest, type Opened, directoryOf } from "./test-support.ts";

const chunkRangeMs = 7_200_000;
const h = (text: string): Histogram => parseHistogram(text).histogram;

/** All samples, by series, each as a text without empty buckets; histograms come back with more of those, and without hints. */
function texts({ tsdb: { queryable }, kernel }: Opened): Map<string, string[]> {
  const result = new Map<string, string[]>();
  const range = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
  const querier = queryable.querier(range.minTimestampMs, range.maxTimestampMs);
  const mark = kernel.scratch.mark();
  try {
    const set = querier.select([], range, true);
    for (let series = 0; series < set.length; series++) {
      const capacity = set.sampleCountMax(series, 0, range.maxTimestampMs);
      const timestamps = kernel.scratch.allocate(8 * capacity + 64);
      const values = kernel.scratch.allocate(8 * capacity + 64);
      const count = set.read(series, 0, range.maxTimestampMs, false, { timestamps, values, capacity });
      const floats = Array.from({ length: count }, (_, i): [number, string] => [
        kernel.views.f64[timestamps / 8 + i]!,
        floatText(kernel.views.f64[values / 8 + i]!),
      ]);
      const histograms = set.readHistograms!(series, 0, range.maxTimestampMs, false);
      const all = [
        ...floats,
        ...histograms.map((sample): [number, string] => [
          sample.timestampMs,
          histogramText(sample.histogram, sample.kind),
        ]),
      ].sort(([a], [b]) => a - b);
      const name = set.labels(series).get("__name__");
      result.set(
        name,
        all.map(([timestampMs, text]) => `${timestampMs} ${text}`),
      );
    }
  } finally {
    kernel.scratch.release(mark);
    querier.close();
  }
  return result;
}

function floatText(value: number): string {
  return Number.isNaN(value) ? "stale" : `${value}`;
}

function histogramText(histogram: Histogram, kind: HistogramKind): string {
  if (histogram.isStale) return "stale";
  const { schema, count, sum, zeroCount, zeroThreshold, positive, negative, customBounds } = histogram;
  const buckets = [positive, negative].map(({ indices, counts }) =>
    indices.flatMap((index, i) => (counts[i] === 0 ? [] : [[index, counts[i]]])),
  );
  return `${kind} ${JSON.stringify({ schema, count, sum, zeroCount, zeroThreshold, buckets, customBounds })}`;
}

const value = fc.oneof(
  fc.record({ kind: fc.constant("number" as const), number: fc.integer() }),
  fc.constant({ kind: "stale" as const }),
  fc.record({
    kind: fc.constantFrom("integer" as const, "float" as const),
    histogram: fc.oneof(exponentialHistograms, customHistograms),
    /** Appended so often with growing counts, as a counter would be. */
    times: fc.integer({ min: 1, max: 40 }),
  }),
);
const commits = fc.array(fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), value), { maxLength: 8 }), {
  maxLength: 12,
});

test("floats, histograms and markers in turn: read from memory, after a restart, and from a block", async (t) => {
  const directory = directoryOf(t);
  let round = 0;
  await fc.assert(
    fc.asyncProperty(commits, async (all) => {
      const data = `${directory}/${round++}`;
      const opened = await openTest(data, { futureMaxMs: Infinity });
      const expected = new Map<string, string[]>();
      let timestampMs = baseTimeMs;
      for (const commit of all) {
        const appender = opened.tsdb.appender();
        let queued = 0;
        for (const [name, one] of commit) {
          const ref = appender.reference(Labels.from({ __name__: name }));
          const samples = expected.get(name) ?? [];
          expected.set(name, samples);
          const next = (): number => (queued++, (timestampMs += 15_000));
          if (one.kind === "number") {
            appender.append(ref, next(), one.number);
            samples.push(`${timestampMs} ${one.number}`);
          } else if (one.kind === "stale") {
            appender.appendStale(ref, next());
            samples.push(`${timestampMs} stale`);
          } else {
            for (let i = 1; i <= one.times; i++) {
              const histogram = times(one.histogram, i);
              appender.appendHistogram(ref, next(), histogram, one.kind);
              samples.push(`${timestampMs} ${histogramText(histogram, one.kind)}`);
            }
          }
        }
        assert.deepEqual(appender.commit(), { ...counted, appended: queued });
      }
      for (const [name, samples] of expected) if (samples.length === 0) expected.delete(name);
      const sorted = new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
      assert.deepEqual(texts(opened), sorted);
      assert.ok(chunkRanges(opened).every(([minMs, maxMs]) => rangeOf(minMs) === rangeOf(maxMs)));
      abandon(data);
      const again = await openTest(data, { futureMaxMs: Infinity });
      assert.deepEqual(texts(again), sorted, "after a restart");
      const target = { kernel: again.kernel, disk: systemDisk, dataDirectory: data, ulid: createUlid(1) };
      const meta = writeHeadBlock(again.tsdb.queryable, target, baseTimeMs, timestampMs + 1);
      await again.tsdb.close();
      assert.equal(meta?.stats.numSeries ?? 0, sorted.size);
      rmSync(`${data}/wal`, { recursive: true });
      const blocks = await openTest(data);
      assert.deepEqual(texts(blocks), sorted, "from the block");
      await blocks.tsdb.close();
    }),
    { numRuns: 25 },
  );
});

const counted: AppendResult = {
  appended: 0,
  outOfOrder: 0,
  duplicate: 0,
  outOfBounds: 0,
  tooOld: 0,
  tooFarInFuture: 0,
  memoryFull: 0,
};

function times(histogram: Histogram, factor: number): Histogram {
  const multiplied = ({ indices, counts }: Histogram["positive"]) => ({
    indices,
    counts: counts.map((count) => factor * count),
  });
  return {
    ...histogram,
    count: factor * histogram.count,
    zeroCount: factor * histogram.zeroCount,
    positive: multiplied(histogram.positive),
    negative: multiplied(histogram.negative),
  };
}

const rangeOf = (timestampMs: number): number => Math.floor(timestampMs / chunkRangeMs);

/** The times of all chunks. */
function chunkRanges({ kernel }: Opened): [minMs: number, maxMs: number][] {
  const { series, views } = kernel;
  const ranges: [number, number][] = [];
  for (let ref = 1; ref <= series.highestRef; ref++)
    for (const ptr of series.chunkPtrs(ref))
      ranges.push([
        Number(views.i64[(ptr + layout.chunk.minTimestampMs) / 8]),
        Number(views.i64[(ptr + layout.chunk.maxTimestampMs) / 8]),
      ]);
  return ranges;
}

test("chunks of histograms end at resets, and new buckets do not end them", async (t) => {
  const opened = await openTest(directoryOf(t), { futureMaxMs: Infinity });
  const appender = opened.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "a" }));
  let timestampMs = baseTimeMs;
  const add = (text: string, hint?: "gauge" | "reset"): void => {
    const histogram = h(text);
    appender.appendHistogram(
      ref,
      (timestampMs += 1000),
      hint ? withCounterReset(histogram, hint) : histogram,
      "integer",
    );
    appender.commit();
  };
  const chunks = (): number => opened.kernel.series.chunkPtrs(ref).length;
  add("count:3 sum:1 buckets:[1 2]");
  add("count:6 sum:1 buckets:[1 2 0 3]");
  add("count:9 sum:1 offset:-2 buckets:[2 0 1 3 0 3]");
  assert.equal(chunks(), 1);
  add("count:2 sum:1 buckets:[1 1]");
  assert.equal(chunks(), 2, "less than before");
  add("count:3 sum:1 buckets:[1 2]", "reset");
  assert.equal(chunks(), 3, "a reset that is announced");
  add("count:4 sum:1 schema:1 buckets:[1 3]");
  assert.equal(chunks(), 4, "another schema");
  add("count:4 sum:1 schema:1 buckets:[1 3]", "gauge");
  assert.equal(chunks(), 5, "a gauge");
  add("count:1 sum:1 schema:1 buckets:[1]", "gauge");
  assert.equal(chunks(), 5, "gauges go down");
  const querier = opened.tsdb.queryable.querier(0, timestampMs);
  const set = querier.select([], { minTimestampMs: 0, maxTimestampMs: timestampMs }, true);
  assert.deepEqual(
    set.readHistograms!(0, 0, timestampMs, false).map(({ histogram }) => histogram.counterReset),
    ["unknown", "not_reset", "not_reset", "unknown", "unknown", "unknown", "gauge", "gauge"],
  );
  querier.close();
  await opened.tsdb.close();
});

test("a chunk of histograms aims at a kilobyte and has ten samples at least", async (t) => {
  const opened = await openTest(directoryOf(t), { futureMaxMs: Infinity });
  const appender = opened.tsdb.appender();
  const [small, large] = ["small", "large"].map((name) =>
    appender.reference(Labels.from({ __name__: name })),
  );
  const counts = Array.from({ length: 400 }, (_, i) => i + 1);
  const wide = h(`count:${counts.reduce((a, b) => a + b)} sum:1 buckets:[${counts.join(" ")}]`);
  for (let i = 1; i <= 60; i++) {
    appender.appendHistogram(
      small!,
      baseTimeMs + 15_000 * i,
      times(h("count:3 sum:1 buckets:[1 2]"), i),
      "integer",
    );
    appender.appendHistogram(large!, baseTimeMs + 15_000 * i, times(wide, i * i * i), "float");
  }
  appender.commit();
  const { series, views } = opened.kernel;
  const sizes = (ref: number): number[] =>
    series.chunkPtrs(ref).map((ptr) => views.u16[(ptr + layout.chunk.count) >>> 1]!);
  assert.deepEqual(sizes(small!), [60]);
  assert.deepEqual(sizes(large!), [10, 10, 10, 10, 10, 10]);
  await opened.tsdb.close();
});

test("each refused histogram is counted by its reason", async (t) => {
  const { tsdb, registry } = await openTest(directoryOf(t));
  const appender = tsdb.appender();
  const [a, b] = ["a", "b"].map((name) => appender.reference(Labels.from({ __name__: name })));
  const one = h("count:1 sum:1 buckets:[1]");
  const two = h("count:2 sum:1 buckets:[2]");
  appender.appendHistogram(a!, baseTimeMs, one, "integer");
  appender.append(b!, baseTimeMs, 1);
  appender.commit();
  appender.appendHistogram(a!, baseTimeMs, one, "integer");
  assert.deepEqual(appender.commit(), counted, "the same again is no error, and not stored");
  appender.appendHistogram(a!, baseTimeMs, two, "integer");
  appender.appendHistogram(a!, baseTimeMs, one, "float");
  appender.appendHistogram(a!, baseTimeMs - 1, one, "integer");
  appender.appendHistogram(a!, baseTimeMs - chunkRangeMs, one, "integer");
  appender.appendHistogram(a!, baseTimeMs + 3_600_000, one, "integer");
  appender.appendHistogram(b!, baseTimeMs, one, "integer");
  appender.append(a!, baseTimeMs, 0);
  assert.deepEqual(appender.commit(), {
    ...counted,
    duplicate: 4,
    outOfOrder: 1,
    outOfBounds: 1,
    tooFarInFuture: 1,
  });
  const text = registry.expose();
  for (const line of [
    'prometheus_tsdb_head_samples_appended_total{type="float"} 1',
    'prometheus_tsdb_head_samples_appended_total{type="histogram"} 1',
    'prometheus_tsdb_out_of_order_samples_total{type="float"} 0',
    'prometheus_tsdb_out_of_order_samples_total{type="histogram"} 1',
    'prometheus_tsdb_out_of_bound_samples_total{type="histogram"} 2',
    'narthex_tsdb_duplicate_samples_total{type="float"} 1',
    'narthex_tsdb_duplicate_samples_total{type="histogram"} 3',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  await tsdb.close();
});

test("series whose newest sample is a histogram are counted, and its buckets", async (t) => {
  const directory = directoryOf(t);
  const opened = await openTest(directory);
  const append = (name: string, seconds: number, sample: Histogram | number): void => {
    const appender = opened.tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: name }));
    const timestampMs = baseTimeMs - 60_000 + seconds * 1000;
    if (typeof sample === "number") appender.append(ref, timestampMs, sample);
    else appender.appendHistogram(ref, timestampMs, sample, "integer");
    appender.commit();
  };
  const counted = (): (string | undefined)[] =>
    ["series", "buckets"].map(
      (what) =>
        new RegExp(`^prometheus_tsdb_head_native_histogram_${what} (.*)$`, "m").exec(
          opened.registry.expose(),
        )?.[1],
    );
  assert.deepEqual(counted(), ["0", "0"]);
  append("a", 0, h("count:3 sum:6 buckets:[1 2]"));
  append("b", 0, h("count:6 sum:6 buckets:[1 2] n_buckets:[3]"));
  append("c", 0, 1);
  assert.deepEqual(counted(), ["2", "5"]);
  append("a", 1, h("count:7 sum:6 buckets:[1 2 4]"));
  assert.deepEqual(counted(), ["2", "6"]);
  append("b", 1, 5);
  assert.deepEqual(counted(), ["1", "3"]);
  await opened.tsdb.close();
});

test("an unsound histogram is refused with the reason, and nothing of it is queued", async (t) => {
  const { tsdb } = await openTest(directoryOf(t));
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "a" }));
  const refuses = (histogram: Histogram, kind: HistogramKind, message: RegExp): void =>
    assert.throws(() => appender.appendHistogram(ref, baseTimeMs, histogram, kind), {
      code: "bad_data",
      message,
    });
  refuses(
    h("count:2 sum:1 buckets:[1]"),
    "integer",
    /1 observations found in buckets, but the Count field is 2/,
  );
  refuses(h("count:-1 sum:1"), "float", /observation count is negative/);
  refuses({ ...h("count:1 sum:1"), schema: 9 }, "float", /invalid schema/);
  appender.appendHistogram(ref, baseTimeMs, staleHistogram, "integer");
  assert.deepEqual(appender.commit(), { ...counted, appended: 1 });
  await tsdb.close();
});

test("truncation and a checkpoint keep the histograms that are left", async (t) => {
  const directory = directoryOf(t);
  const opened = await openTest(directory, { futureMaxMs: Infinity });
  const append = (index: number): void => {
    const appender = opened.tsdb.appender();
    for (const name of ["a", "b"]) {
      const ref = appender.reference(Labels.from({ __name__: name }));
      const histogram = times(h("count:3 sum:1 buckets:[1 2]"), index);
      appender.appendHistogram(
        ref,
        baseTimeMs + index * 600_000,
        histogram,
        name === "a" ? "integer" : "float",
      );
    }
    appender.commit();
  };
  for (let i = 1; i < 20; i++) append(i);
  // Each truncation begins a segment, and the lower two thirds go into a checkpoint.
  for (let i = 1; i <= 4; i++) {
    await opened.tsdb.truncate(baseTimeMs + (i === 4 ? chunkRangeMs : 0));
    append(19 + i);
  }
  const left = texts(opened);
  assert.ok(left.get("a")!.length > 8 && left.get("a")!.length < 23, `${left.get("a")!.length} samples`);
  assert.ok(systemDisk.list(`${directory}/wal`).some((name) => name.startsWith("checkpoint.")));
  abandon(directory);
  const again = openEarly(directory, { futureMaxMs: Infinity, minValidTimeMs: baseTimeMs + chunkRangeMs });
  await again.tsdb.ready;
  assert.deepEqual(texts(again), left);
  await again.tsdb.close();
});

test("a counter begins with a zero when it began to count, once, and where that is in order", async (t) => {
  const opened = await openTest(directoryOf(t), { zeroesStarts: true, futureMaxMs: Infinity });
  const { tsdb } = opened;
  const at = (index: number): number => baseTimeMs + 1000 * index;
  const add = (index: number, startIndex: number): AppendResult => {
    const appender = tsdb.appender();
    const ref = (name: string): number => appender.reference(Labels.from({ __name__: name }));
    appender.append(ref("c"), at(index), index, at(startIndex));
    appender.appendHistogram(
      ref("h"),
      at(index),
      h(`count:${index} sum:1 buckets:[${index}]`),
      "integer",
      at(startIndex),
    );
    appender.append(ref("unknown"), at(index), index);
    return appender.commit();
  };
  assert.deepEqual(add(10, 5), { ...counted, appended: 5 });
  assert.deepEqual(add(20, 5), { ...counted, appended: 3 });
  assert.deepEqual(add(30, 20), { ...counted, appended: 3 }, "not in place of a sample");
  assert.deepEqual(add(40, 35), { ...counted, appended: 5 }, "a new start");
  assert.deepEqual(add(50, 60), { ...counted, appended: 3 }, "not in the future");
  assert.deepEqual(add(60, -4000), { ...counted, appended: 3 }, "not before what is taken");
  const times = (name: string): string[] =>
    texts(opened)
      .get(name)!
      .map((text) => text.split(" ")[0]!);
  assert.deepEqual(
    times("c"),
    [5, 10, 20, 30, 35, 40, 50, 60].map((index) => `${at(index)}`),
  );
  assert.deepEqual(times("h"), times("c"));
  assert.deepEqual(times("unknown").length, 6);
  await tsdb.close();
});

test("a block that held the histograms of a series may hold its floats later", async (t) => {
  const { tsdb, kernel } = await openTest(directoryOf(t));
  const ref = tsdb.appender().reference(Labels.from({ __name__: "m" }));
  const chunk = new HistogramChunk(2);
  chunk.append(baseTimeMs, h("count:3 sum:1 buckets:[1 2]"));
  const block = ChunkBlock.open(kernel, ref, chunk, { timestampMs: baseTimeMs, bits: 0n })!;
  assert.equal(block.isOpen, true);
  // As if it had been freed, and a chunk of floats had been opened in the same place.
  kernel.views.u8[kernel.series.chunkPtrs(ref)[0]! + layout.chunk.encoding] = layout.chunkEncodingXor;
  assert.equal(block.isOpen, false);
  await tsdb.close();
});

test("closed chunks of histograms leave the memory for files, and are read from there, also after a restart", async (t) => {
  const directory = directoryOf(t);
  const opened = await openTest(directory, { futureMaxMs: Infinity });
  const appender = opened.tsdb.appender();
  for (let i = 1; i <= 60; i++)
    for (const kind of ["integer", "float"] as const) {
      const ref = appender.reference(Labels.from({ __name__: kind }));
      // Each tenth is a reset, which begins a chunk.
      const histogram = times(h("count:3 sum:1 buckets:[1 2]"), 1 + (i % 10));
      appender.appendHistogram(ref, baseTimeMs + 1000 * i, histogram, kind);
    }
  appender.commit();
  const before = texts(opened);
  await opened.tsdb.close();
  assert.ok(systemDisk.list(`${directory}/chunks_head`).length > 0);
  const again = await openTest(directory, { futureMaxMs: Infinity });
  const { series, views } = again.kernel;
  const inFiles = [1, 2].map(
    (ref) =>
      series
        .chunkPtrs(ref)
        .filter((ptr) => (views.u8[ptr + layout.chunk.flags]! & layout.chunkFlagInFile) !== 0).length,
  );
  assert.deepEqual(inFiles, [6, 6]);
  assert.deepEqual(texts(again), before);
  await again.tsdb.close();
});
