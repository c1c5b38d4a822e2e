import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { type Histogram, Labels, Matcher, parseHistogram, staleHistogram } from "../../model/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import { type HistogramEncoding, histogramKind } from "../chunk/histogram-encoding.ts";
import { bitsOf, dump, temporaryDirectory } from "../test-support.ts";
import { Block } from "./block.ts";
import { BlockWriter } from "./block-writer.ts";
import { compactBlocks } from "./compact.ts";
import { BlockNotices } from "./damage.ts";
import { deleteFromBlock } from "./delete-series.ts";
import { IndexSymbols } from "./index-symbols.ts";
import { addInterleaved } from "./interleave.ts";
import { BlockQuerier } from "./querier.ts";
import { blockQueryable, testContext } from "./test-support.ts";
import { createUlid } from "./ulid.ts";

const context = testContext();
const { kernel, disk } = context;
const encodings: readonly HistogramEncoding[] = [2, 3, 5, 6];
const rangeMs = 7_200_000;
let created = 0;

/** A counter every second that is reset once, wins a bucket, and is stale at the end. */
function samplesOf(encoding: HistogramEncoding): StoredHistogram[] {
  return Array.from({ length: 300 }, (_, i) => {
    const count = i < 200 ? i : i - 200;
    const text = `schema:1 count:${2 * count + 3} sum:${i} buckets:[${count + 1} ${count + 2}${i % 200 > 150 ? " 5" : ""}]`;
    const histogram = i === 299 ? staleHistogram : parseHistogram(text).histogram;
    const startTimestampMs = encoding >= 5 ? 500 : 0;
    return { kind: histogramKind(encoding), timestampMs: 1000 * (i + 1), histogram, startTimestampMs };
  });
}

function openBlock(t: TestContext): { block: Block; directory: string } {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const ulid = createUlid(1_700_000_000_000 + created++);
  const pairsOf = (encoding: number): readonly string[] =>
    Labels.from({ __name__: "h", encoding: `${encoding}` }).pairs;
  const symbols = IndexSymbols.of(encodings.flatMap(pairsOf));
  const writer = new BlockWriter({ kernel, disk, dataDirectory: directory, ulid }, symbols);
  for (const encoding of encodings) {
    writer.addHistograms(samplesOf(encoding));
    writer.endSeries(symbols.symbolsOf(pairsOf(encoding)));
  }
  const meta = writer.finish(0, rangeMs, { level: 1, sources: [ulid] })!;
  assert.equal(meta.stats.numHistogramSamples, 1200);
  assert.ok(meta.stats.numChunks >= 4 * 3, "a reset begins a chunk, and so do 120 samples");
  const block = Block.open(context, `${directory}/${ulid}`);
  t.after(() => block.release());
  return { block, directory };
}

type Read = { timestampMs: number; histogram: Histogram }[];

function read(block: Block, minMs: number, maxMs: number, dropStale = false): Read[] {
  const querier = new BlockQuerier(block, new BlockNotices(assert.fail));
  try {
    const set = querier.select([], { minTimestampMs: minMs, maxTimestampMs: maxMs });
    return Array.from({ length: set.length }, (_, i) => [...set.readHistograms!(i, minMs, maxMs, dropStale)]);
  } finally {
    querier.close();
  }
}

function text({ timestampMs, histogram: { isStale, count, sum, positive } }: Read[number]): string {
  if (isStale) return `${timestampMs} stale`;
  const buckets = positive.indices.flatMap((index, i) =>
    positive.counts[i] ? [[index, positive.counts[i]]] : [],
  );
  return `${timestampMs} ${JSON.stringify({ count, sum, buckets })}`;
}

function expected(encoding: HistogramEncoding, keep: (timestampMs: number) => boolean): string[] {
  return samplesOf(encoding)
    .filter(({ timestampMs }) => keep(timestampMs))
    .map(text);
}

test("native histograms of a block are read, cut by time and staleness", (t) => {
  const { block } = openBlock(t);
  for (const [i, series] of read(block, 0, rangeMs).entries()) {
    assert.deepEqual(
      series.map(text),
      expected(encodings[i]!, () => true),
    );
    assert.equal(series[0]!.histogram.counterReset, "unknown");
    assert.equal(series[1]!.histogram.counterReset, "not_reset");
    assert.notEqual(series[200]!.histogram.counterReset, "not_reset");
  }
  const some = read(block, 100_000, 250_500);
  assert.deepEqual(
    some[0]!.map(text),
    expected(2, (time) => time >= 100_000 && time <= 250_500),
  );
  assert.ok(read(block, 0, rangeMs, true).every((series) => series.length === 299));
  assert.ok(
    [...dump(kernel, blockQueryable(block, new BlockNotices(assert.fail))).values()].every(
      (floats) => floats.length === 0,
    ),
  );
});

test("deleted histograms are not read, and a compaction leaves them out", (t) => {
  const { block, directory } = openBlock(t);
  const isLeft = (time: number): boolean => time < 30_000 || time > 210_000;
  const matchers = [new Matcher("!=", "encoding", "3")];
  assert.equal(deleteFromBlock(context, block.directory, matchers, 30_000, 210_000), 3);
  const deleted = Block.open(context, block.directory);
  t.after(() => deleted.release());
  const check = (victim: Block): void => {
    for (const [i, series] of read(victim, 0, rangeMs).entries()) {
      const encoding = encodings[i]!;
      assert.deepEqual(
        series.map(text),
        expected(encoding, (time) => encoding === 3 || isLeft(time)),
      );
      const behind = series.find(({ timestampMs }) => timestampMs > 210_000)!;
      if (encoding !== 3) assert.notEqual(behind.histogram.counterReset, "not_reset");
    }
  };
  check(deleted);
  const ulid = createUlid(1_700_000_001_000);
  const meta = compactBlocks([deleted], { kernel, disk, dataDirectory: directory, ulid })!;
  assert.equal(meta.stats.numHistogramSamples, 1200 - 3 * 181);
  const compacted = Block.open(context, `${directory}/${ulid}`);
  t.after(() => compacted.release());
  check(compacted);
});

test("copies of histograms in overlapping blocks become one", (t) => {
  const first = openBlock(t);
  const second = openBlock(t);
  deleteFromBlock(context, second.block.directory, [], 0, 5_000);
  const other = Block.open(context, second.block.directory);
  t.after(() => other.release());
  const ulid = createUlid(1_700_000_002_000);
  compactBlocks([first.block, other], { kernel, disk, dataDirectory: first.directory, ulid });
  const merged = Block.open(context, `${first.directory}/${ulid}`);
  t.after(() => merged.release());
  for (const [i, series] of read(merged, 0, rangeMs).entries())
    assert.deepEqual(
      series.map(text),
      expected(encodings[i]!, () => true),
    );
});

test("floats and histograms that overlap are merged in the order of their times; of two at one time the earlier source's stays", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const histogram = parseHistogram("count:3 sum:1 buckets:[1 2]").histogram;
  const write = (name: number, floatTimes: number[], histogramTimes: number[], value: number): Block => {
    const ulid = createUlid(1_700_000_003_000 + name);
    const symbols = IndexSymbols.of(["__name__", "m"]);
    const writer = new BlockWriter({ kernel, disk, dataDirectory: directory, ulid }, symbols);
    const { f64 } = kernel.views;
    const mark = kernel.scratch.mark();
    const timestamps = kernel.scratch.allocate(8 * floatTimes.length + 64);
    const values = kernel.scratch.allocate(8 * floatTimes.length + 64);
    floatTimes.forEach((timeMs, i) => {
      f64[timestamps / 8 + i] = timeMs;
      f64[values / 8 + i] = value;
    });
    const histograms = histogramTimes.map((timestampMs): StoredHistogram => {
      return { timestampMs, histogram, kind: "integer", startTimestampMs: 0 };
    });
    addInterleaved(writer, kernel.views, { timestamps, values, count: floatTimes.length }, histograms);
    kernel.scratch.release(mark);
    writer.endSeries(symbols.symbolsOf(["__name__", "m"]));
    writer.finish(0, rangeMs, { level: 1, sources: [ulid] });
    const block = Block.open(context, `${directory}/${ulid}`);
    t.after(() => block.release());
    return block;
  };
  const texts = (block: Block): string[] => {
    const floats = [...dump(kernel, blockQueryable(block, new BlockNotices(assert.fail))).values()].flat();
    const histograms = read(block, 0, rangeMs).flat();
    return [
      ...floats.map(([timeMs, bits]): [number, string] => [timeMs, bits === bitsOf(1) ? "1" : "2"]),
      ...histograms.map(({ timestampMs }): [number, string] => [timestampMs, "h"]),
    ]
      .sort(([a], [b]) => a - b)
      .map((sample) => sample.join(":"));
  };
  const first = write(0, [1, 2, 7, 8], [3, 4, 10], 1);
  assert.deepEqual(texts(first), ["1:1", "2:1", "3:h", "4:h", "7:1", "8:1", "10:h"]);
  const second = write(1, [3, 5, 10], [2, 6, 7, 11], 2);
  const ulid = createUlid(1_700_000_004_000);
  const meta = compactBlocks([first, second], { kernel, disk, dataDirectory: directory, ulid })!;
  assert.deepEqual([meta.stats.numFloatSamples, meta.stats.numHistogramSamples], [5, 5]);
  const merged = Block.open(context, `${directory}/${ulid}`);
  t.after(() => merged.release());
  assert.deepEqual(texts(merged), ["1:1", "2:1", "3:h", "4:h", "5:2", "6:h", "7:1", "8:1", "10:h", "11:h"]);
});
