import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockMeta } from "./meta.ts";
import { blockRangeMaxDefault, compactionRanges, newestCutMs, planCompaction } from "./plan.ts";
import { blocksBeyondSize, blocksBeyondTime, supersededBlocks } from "./retention.ts";

const ranges = [20, 60, 180, 540];

interface MetaOptions {
  tombstones?: number;
  series?: number;
  failed?: boolean;
  hints?: string[];
}

function meta(
  minTime: number,
  maxTime: number,
  { tombstones = 0, series = 10, failed = false, hints = [] }: MetaOptions = {},
): BlockMeta {
  return {
    ulid: `${minTime}-${maxTime}`,
    minTime,
    maxTime,
    stats: {
      numSamples: 1,
      numFloatSamples: 1,
      numHistogramSamples: 0,
      numSeries: series,
      numChunks: 1,
      numTombstones: tombstones,
    },
    compaction: { level: 1, sources: [], failed, hints },
    version: 1,
  };
}

function plan(...blocks: BlockMeta[]): string[] {
  return planCompaction(blocks, ranges).map(({ ulid }) => ulid);
}

test("ranges triple up to a tenth of the retention or 31 days", () => {
  const hourMs = 3_600_000;
  assert.deepEqual(compactionRanges(2, 60), [2, 6, 18, 54]);
  assert.deepEqual(compactionRanges(2, 1), [2]);
  assert.equal(blockRangeMaxDefault(15 * 24 * hourMs, 2 * hourMs), 36 * hourMs);
  assert.equal(blockRangeMaxDefault(0, 2 * hourMs), 31 * 24 * hourMs);
  assert.equal(blockRangeMaxDefault(hourMs, 2 * hourMs), 2 * hourMs);
});

test("blocks that fill a range go together, the newest stays alone", () => {
  assert.deepEqual(plan(), []);
  assert.deepEqual(plan(meta(0, 20)), []);
  assert.deepEqual(plan(meta(0, 20), meta(20, 40)), []);
  assert.deepEqual(plan(meta(0, 20), meta(20, 40), meta(40, 60)), [], "the newest is left out");
  const full = [meta(0, 20), meta(20, 40), meta(40, 60)];
  assert.deepEqual(plan(...full, meta(60, 80)), ["0-20", "20-40", "40-60"]);
  assert.deepEqual(plan(...full.toReversed(), meta(60, 80)), ["0-20", "20-40", "40-60"], "in any order");
  assert.deepEqual(plan(meta(0, 60), meta(60, 80)), []);
});

test("a range with gaps waits until a later block exists", () => {
  assert.deepEqual(plan(meta(0, 20), meta(20, 40), meta(60, 80)), []);
  assert.deepEqual(plan(meta(0, 20), meta(20, 40), meta(60, 80), meta(80, 100)), ["0-20", "20-40"]);
  assert.deepEqual(plan(meta(0, 20), meta(40, 60), meta(60, 80)), ["0-20", "40-60"], "both ends are there");
  assert.deepEqual(plan(meta(0, 60), meta(60, 120), meta(120, 180), meta(180, 200)), [
    "0-60",
    "60-120",
    "120-180",
  ]);
});

test("blocks across borders and failed ones are left alone", () => {
  assert.deepEqual(plan(meta(0, 20), meta(20, 40, { failed: true }), meta(40, 60), meta(60, 80)), []);
  assert.deepEqual(plan(meta(50, 70), meta(70, 90), meta(120, 140), meta(200, 220)), []);
  assert.deepEqual(plan(meta(-60, -40), meta(-40, -20), meta(-20, 0), meta(0, 20)), [
    "-60--40",
    "-40--20",
    "-20-0",
  ]);
});

test("overlapping blocks come first, of one class at a time", () => {
  assert.deepEqual(plan(meta(0, 20), meta(10, 30), meta(25, 40), meta(40, 60)), ["0-20", "10-30", "25-40"]);
  assert.deepEqual(plan(meta(0, 20), meta(20, 40), meta(20, 40)), ["20-40", "20-40"]);
  assert.deepEqual(plan(meta(0, 100), meta(10, 20), meta(30, 40), meta(100, 120)), [
    "0-100",
    "10-20",
    "30-40",
  ]);
  assert.deepEqual(plan(meta(0, 20), meta(0, 20, { hints: ["from-stale-series"] })), []);
});

test("blocks with many tombstones are rewritten", () => {
  assert.deepEqual(plan(meta(0, 540, { tombstones: 1, series: 10 }), meta(540, 560)), ["0-540"]);
  assert.deepEqual(plan(meta(0, 540, { tombstones: 1, series: 100 }), meta(540, 560)), []);
  assert.deepEqual(plan(meta(0, 20, { tombstones: 5 }), meta(540, 560)), [], "too narrow");
  assert.deepEqual(plan(meta(0, 20, { tombstones: 10 }), meta(540, 560)), ["0-20"], "deleted altogether");
});

test("the newest block that was cut from a head ends at a multiple of the range", () => {
  assert.equal(newestCutMs([], 20), -Infinity);
  const blocks = [meta(0, 20), meta(20, 60), meta(60, 75), meta(0, 80, { hints: ["from-out-of-order"] })];
  assert.equal(newestCutMs(blocks, 20), 60);
});

test("retention by time counts from the newest block, by size from the newest on", () => {
  const blocks = [meta(0, 20), meta(20, 40), meta(40, 60), meta(60, 80)];
  assert.deepEqual(blocksBeyondTime(blocks, 0), []);
  assert.deepEqual(blocksBeyondTime(blocks, 100), []);
  assert.deepEqual(blocksBeyondTime(blocks, 40), ["0-20", "20-40"]);
  assert.deepEqual(blocksBeyondTime([], 40), []);
  const sized = blocks.map((meta) => ({ meta, sizeBytes: 10 }));
  assert.deepEqual(blocksBeyondSize(sized, 0, 0), []);
  assert.deepEqual(blocksBeyondSize(sized, 5, 45), []);
  assert.deepEqual(blocksBeyondSize(sized, 6, 45), ["0-20"]);
  assert.deepEqual(blocksBeyondSize(sized, 0, 9), ["60-80", "40-60", "20-40", "0-20"]);
});

test("parents of what is there, and blocks of which nothing was left, are superseded", () => {
  const blocks = [meta(0, 20), meta(20, 40), meta(40, 60)];
  const merged = meta(0, 40);
  merged.compaction.parents = blocks.slice(0, 2);
  blocks[2]!.compaction.deletable = true;
  assert.deepEqual(supersededBlocks([...blocks, merged]), ["0-20", "20-40", "40-60"]);
});

test("what came out of order later than the head was cut is compacted apart from the rest", () => {
  const late = (minTime: number, maxTime: number): BlockMeta =>
    meta(minTime, maxTime, { hints: ["from-out-of-order"] });
  // Else the block of all three would say that the head was cut until 60.
  const cut = [meta(0, 20), meta(20, 40)];
  assert.deepEqual(plan(...cut, late(40, 60), late(60, 80)), []);
  assert.equal(newestCutMs([...cut, late(40, 60)], 20), 40);
  assert.deepEqual(plan(...cut, late(20, 40), late(40, 60)), ["20-40", "20-40"]);
  assert.deepEqual(plan(...cut, meta(40, 60), late(60, 80), meta(80, 100)), ["0-20", "20-40", "40-60"]);
  assert.deepEqual(plan(late(0, 20), late(20, 40), late(40, 60), late(60, 80)), ["0-20", "20-40", "40-60"]);
});
