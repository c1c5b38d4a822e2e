import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { staleMarkerBits } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { MergeQuerier, type Queryable } from "../../storage/index.ts";
import { bitsOf, type Dump, dump, temporaryDirectory } from "../test-support.ts";
import { Block, verifyBlock } from "./block.ts";
import { compactBlocks, runCompaction } from "./compact.ts";
import { BlockNotices } from "./damage.ts";
import { writeHeadBlock } from "./head-block.ts";
import { readMeta } from "./meta.ts";
import { BlockQuerier } from "./querier.ts";
import { blockQueryable, dumpOf, type ModelSeries, testContext, writeModel } from "./test-support.ts";
import { encodeTombstones, type Interval, Tombstones } from "./tombstones.ts";
import { createUlid } from "./ulid.ts";

const context = testContext();
const { kernel, disk } = context;
const startMs = 1_700_006_400_000;
let created = 0;

interface Source {
  readonly series: readonly ModelSeries[];
  /** By series: deleted times. */
  readonly deleted: readonly (Interval | undefined)[];
}

/** Blocks of few distinct series and times, so that they overlap in all ways. */
const source = fc
  .uniqueArray(
    fc.record({
      id: fc.nat(12),
      startIndex: fc.nat(500),
      gaps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 300 }),
      deleted: fc.option(fc.tuple(fc.nat(900), fc.nat(300)), { freq: 3, nil: undefined }),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
  )
  .chain((all) =>
    fc.nat(3).map((salt): Source => {
      const series = all.map(({ id, startIndex, gaps }) => {
        let index = startIndex;
        const samples = gaps.map((gap) => {
          index += gap;
          const value = index % 17 === 0 ? staleMarkerBits : bitsOf(index * id + salt / 10);
          return [startMs + index * 1000, value] as const;
        });
        return { labels: Labels.from({ __name__: `m${id % 3}`, id: `${id}` }), samples };
      });
      const deleted = all.map(
        ({ deleted: range }) =>
          range && {
            minTimestampMs: startMs + range[0] * 1000,
            maxTimestampMs: startMs + (range[0] + range[1]) * 1000,
          },
      );
      return { series, deleted };
    }),
  );

function openSource(directory: string, { series, deleted }: Source): Block {
  const { ulid } = writeModel(context, directory, series);
  const path = `${directory}/${ulid}`;
  const block = Block.open(context, path);
  const refs = block.index.allPostings();
  block.release();
  const tombstones = new Tombstones();
  const order = [...series.keys()].sort((a, b) => series[a]!.labels.compare(series[b]!.labels));
  order.forEach((index, place) => {
    const interval = deleted[index];
    if (interval) tombstones.add(refs[place]!, interval);
  });
  disk.writeFileAtomic(`${path}/tombstones`, encodeTombstones(kernel, tombstones));
  return Block.open(context, path);
}

/** What is left of all sources, the first of them deciding where they disagree. */
function mergeModel(sources: readonly Source[]): Dump {
  const merged = new Map<string, { labels: Labels; samples: Map<number, bigint> }>();
  for (const { series, deleted } of sources) {
    series.forEach(({ labels, samples }, index) => {
      const key = labels.toString();
      const interval = deleted[index];
      for (const [timestampMs, bits] of samples) {
        if (interval && timestampMs >= interval.minTimestampMs && timestampMs <= interval.maxTimestampMs)
          continue;
        if (!merged.has(key)) merged.set(key, { labels, samples: new Map() });
        const known = merged.get(key)!.samples;
        if (!known.has(timestampMs)) known.set(timestampMs, bits);
      }
    });
  }
  return dumpOf(
    [...merged.values()].map(({ labels, samples }) => ({
      labels,
      samples: [...samples].sort(([a], [b]) => a - b),
    })),
  );
}

function inTimeOrder(
  blocks: readonly Block[],
  sources: readonly Source[],
): { blocks: Block[]; sources: Source[] } {
  const order = [...blocks.keys()].sort(
    (a, b) =>
      blocks[a]!.meta.minTime - blocks[b]!.meta.minTime ||
      (blocks[a]!.meta.ulid < blocks[b]!.meta.ulid ? -1 : 1),
  );
  return { blocks: order.map((i) => blocks[i]!), sources: order.map((i) => sources[i]!) };
}

/** Without the series of which all samples are deleted, some in one chunk and some in another. */
function nonEmpty(all: Dump): Dump {
  return new Map([...all].filter(([, samples]) => samples.length > 0));
}

/** Blocks merged as they are read. */
function mergedQueryable(blocks: readonly Block[]): Queryable {
  const notices = new BlockNotices((error) => assert.fail(error));
  return {
    querier: () =>
      new MergeQuerier(
        kernel,
        blocks.map((block) => new BlockQuerier(block, notices)),
      ),
  };
}

test("a compaction of overlapping blocks with tombstones equals the merged model, and so does reading them together", () => {
  const directory = temporaryDirectory();
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 4 }), (unordered) => {
      const { blocks, sources } = inTimeOrder(
        unordered.map((one) => openSource(directory, one)),
        unordered,
      );
      const expected = mergeModel(sources);
      assert.deepEqual(nonEmpty(dump(kernel, mergedQueryable(blocks), [], 0, 1e15)), expected);
      const ulid = createUlid(created++);
      const meta = compactBlocks(blocks, { kernel, disk, dataDirectory: directory, ulid });
      if (expected.size === 0) assert.equal(meta, undefined);
      else {
        const block = Block.open(context, `${directory}/${ulid}`);
        verifyBlock(block);
        assert.deepEqual(dump(kernel, blockQueryable(block), [], 0, 1e15), expected);
        assert.equal(
          meta!.stats.numSamples,
          [...expected.values()].reduce((sum, { length }) => sum + length, 0),
        );
        assert.equal(meta!.compaction.parents!.length, blocks.length);
        block.release();
      }
      for (const block of blocks) block.release();
      for (const name of disk.list(directory)) disk.remove(`${directory}/${name}`);
    }),
    { numRuns: 80 },
  );
  rmSync(directory, { recursive: true });
});

test("chunks that stand alone are taken over byte by byte, also where two blocks are copies", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const series = (from: number): ModelSeries[] => [
    {
      labels: Labels.from({ a: "b" }),
      samples: Array.from({ length: 50 }, (_, i) => [from + i, bitsOf(i)] as const),
    },
  ];
  const metas = [0, 100, 100].map((from) => writeModel(context, directory, series(from), [from, from + 100]));
  const blocks = metas.map(({ ulid }) => Block.open(context, `${directory}/${ulid}`));
  const meta = compactBlocks(blocks, { kernel, disk, dataDirectory: directory, ulid: createUlid(7) })!;
  assert.deepEqual(
    [meta.stats.numChunks, meta.stats.numSamples, meta.minTime, meta.maxTime],
    [2, 100, 0, 200],
  );
  assert.deepEqual([meta.compaction.level, meta.compaction.sources.length], [2, 3]);
  for (const block of blocks) block.release();
});

test("a plan is carried out; parents of nothing are marked deletable, and those that fail as failed", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const series = [{ labels: Labels.from({ a: "b" }), samples: [[5, bitsOf(1)] as const] }];
  const meta = writeModel(context, directory, series, [0, 10]);
  const path = `${directory}/${meta.ulid}`;
  const done = runCompaction(context, directory, [meta], createUlid(9))!;
  assert.deepEqual(done.compaction.parents, [{ ulid: meta.ulid, minTime: 0, maxTime: 10 }]);
  const tombstones = new Tombstones();
  const block = Block.open(context, path);
  tombstones.add(block.index.allPostings()[0]!, { minTimestampMs: 0, maxTimestampMs: 9 });
  block.release();
  disk.writeFileAtomic(`${path}/tombstones`, encodeTombstones(kernel, tombstones));
  assert.equal(runCompaction(context, directory, [meta], createUlid(10)), undefined);
  assert.equal(readMeta(disk, path).compaction.deletable, true);
  const failing = {
    ...context,
    disk: {
      ...disk,
      rename: (from: string, to: string) => {
        if (from.endsWith(".tmp-for-creation")) throw new Error("EIO");
        disk.rename(from, to);
      },
    },
  };
  disk.remove(`${path}/tombstones`);
  assert.throws(() => runCompaction(failing, directory, [meta], createUlid(11)), /EIO/);
  assert.equal(readMeta(disk, path).compaction.failed, undefined, "the disk's fault, not the block's");
  const chunks = Buffer.from(disk.readFile(`${path}/chunks/000001`));
  chunks[12]! ^= 1;
  disk.writeFileAtomic(`${path}/chunks/000001`, chunks);
  assert.throws(() => runCompaction(context, directory, [meta], createUlid(12)), {
    name: "BlockDamagedError",
  });
  assert.equal(readMeta(disk, path).compaction.failed, true);
  assert.ok(disk.list(directory).every((name) => !name.includes("tmp")));
});

test("any single failing call of the disk leaves no half block behind", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const series = [{ labels: Labels.from({ a: "b" }), samples: [[5, bitsOf(1)] as const] }];
  const block = Block.open(context, `${directory}/${writeModel(context, directory, series, [0, 10]).ulid}`);
  const before = disk.list(directory);
  let isComplete = false;
  let failures = 0;
  for (let failing = 0; !isComplete; failing++) {
    let calls = 0;
    const check = (): void => {
      if (calls++ === failing) throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    };
    const faulty = {
      ...disk,
      open: (path: string, flags: string) => (check(), disk.open(path, flags)),
      write: (fd: number, bytes: Uint8Array, position?: number) => (check(), disk.write(fd, bytes, position)),
      syncNow: (fd: number) => (check(), disk.syncNow(fd)),
      rename: (from: string, to: string) => (check(), disk.rename(from, to)),
    };
    const target = { kernel, disk: faulty, dataDirectory: directory, ulid: createUlid(20) };
    try {
      compactBlocks([block], target);
      isComplete = true;
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
      assert.deepEqual(disk.list(directory), before);
      failures++;
    }
  }
  assert.ok(failures > 10);
  block.release();
});

test("a block of what a queryable has: its range only, and nothing when there is nothing", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const series = [0, 1].map((id) => ({
    labels: Labels.from({ a: `${id}` }),
    samples: Array.from({ length: 300 }, (_, i) => [i * 10 + id, bitsOf(i)] as const),
  }));
  const source = Block.open(context, `${directory}/${writeModel(context, directory, series).ulid}`);
  const target = { kernel, disk, dataDirectory: directory, ulid: createUlid(30) };
  const meta = writeHeadBlock(blockQueryable(source), target, 1000, 2001, ["from-stale-series"])!;
  assert.deepEqual([meta.minTime, meta.maxTime, meta.compaction.hints], [1000, 2001, ["from-stale-series"]]);
  const block = Block.open(context, `${directory}/${meta.ulid}`);
  const inRange = series.map(({ labels, samples }) => ({
    labels,
    samples: samples.filter(([t]) => t >= 1000 && t < 2001),
  }));
  assert.deepEqual(dump(kernel, blockQueryable(block)), dumpOf(inRange));
  assert.equal(
    writeHeadBlock(blockQueryable(source), { ...target, ulid: createUlid(31) }, 9000, 9999),
    undefined,
  );
  assert.equal(disk.list(directory).length, 2);
  block.release();
  source.release();
});

test("merged label names, values, counts, limits and shards", (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const one = (id: number, extra: Record<string, string>): ModelSeries => ({
    labels: Labels.from({ __name__: "m", id: `${id}`, ...extra }),
    samples: [[startMs + id, bitsOf(id)]],
  });
  const parts = [
    [one(1, {}), one(2, { x: "é" }), one(3, {})],
    [one(2, { x: "é" }), one(4, { y: "z" })],
    [one(10, {})],
  ];
  const blocks = parts.map((part) =>
    Block.open(context, `${directory}/${writeModel(context, directory, part).ulid}`),
  );
  const querier = mergedQueryable(blocks).querier(0, 1e15);
  const hints = { minTimestampMs: 0, maxTimestampMs: 1e15 };
  assert.deepEqual(querier.labelNames([], hints), ["__name__", "id", "x", "y"]);
  assert.deepEqual(querier.labelValues("id", [], hints), ["1", "10", "2", "3", "4"]);
  assert.deepEqual(querier.labelValues("id", [], { ...hints, limit: 2 }), ["1", "10"]);
  assert.equal(querier.seriesCountMax([new Matcher("=", "__name__", "m")]), 6);
  const set = querier.select([], hints, true);
  assert.deepEqual(
    Array.from({ length: set.length }, (_, i) => set.labels(i).get("id")),
    ["1", "10", "2", "3", "4"],
  );
  const symbol = set.symbols.find("é")!;
  assert.equal(set.symbols.text(symbol), "é");
  assert.ok(set.labelSymbols(2).includes(symbol));
  assert.equal(set.symbols.find("nothing"), undefined);
  assert.equal(querier.select([], { ...hints, limit: 2 }, true).length, 2);
  const shards = [0, 1].flatMap((index) => {
    const shard = querier.select([], { ...hints, shard: { index, count: 2 } }, false);
    return Array.from({ length: shard.length }, (_, i) => shard.labels(i).get("id"));
  });
  assert.deepEqual(shards.sort(), ["1", "10", "2", "3", "4"]);
  // What one child has alone is passed through.
  assert.equal(querier.select([new Matcher("=", "id", "10")], hints, true).length, 1);
  assert.equal(querier.select([new Matcher("=", "id", "99")], hints, true).length, 0);
  querier.close();
  for (const block of blocks) block.release();
});
