import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock, systemDisk } from "../../base/index.ts";
import { staleMarkerBits } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import { combineHash, hashBytes } from "../head/text-hash.ts";
import { bitsOf, dump, temporaryDirectory } from "../test-support.ts";
import { Block, blockSizeBytes, verifyBlock } from "./block.ts";
import { createBlocks } from "./create.ts";
import { BlockNotices } from "./damage.ts";
import { deleteBlock, listBlockUlids, removeLeftovers, setBlockAside } from "./directory.ts";
import { encodeMeta, parseMeta } from "./meta.ts";
import { BlockQuerier } from "./querier.ts";
import { blockQueryable, dumpOf, type ModelSeries, testContext, writeModel } from "./test-support.ts";
import { decodeTombstones, encodeTombstones, Tombstones } from "./tombstones.ts";
import { IndexSymbols } from "./index-symbols.ts";
import { createUlid, isUlid, ulidTimeMs } from "./ulid.ts";

const startMs = 1_700_006_400_000;
const everything = { minTimestampMs: -1e15, maxTimestampMs: 1e15 };
const context = testContext();

function series(labels: Record<string, string>, count: number, stepMs = 15_000): ModelSeries {
  return {
    labels: Labels.from(labels),
    samples: Array.from({ length: count }, (_, i) => [startMs + i * stepMs, bitsOf(i * 1.5)] as const),
  };
}

/** As the head computes it. */
function shardOf(labels: Labels, count: number): number {
  const { pairs } = labels.without("__name__", "__type__", "__unit__");
  const hashes = pairs.map((part) => hashBytes(Buffer.from(part), 0, Buffer.byteLength(part)));
  return hashes.reduce(combineHash, 0) % count;
}

function at(index: number): number {
  return startMs + index * 15_000;
}

async function withDirectory(run: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = temporaryDirectory();
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const text = fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" });
const bits = fc.oneof(
  fc.double().map(bitsOf),
  fc.constantFrom(staleMarkerBits, 0x7ff8000000000001n, 0x7ff8000000001234n, bitsOf(-0), bitsOf(Infinity)),
);
/** Random series: labels each once, times ascending. */
const model = fc
  .uniqueArray(
    fc.record({
      labels: fc.dictionary(text, text, { minKeys: 1, maxKeys: 4 }).map((object) => Labels.from(object)),
      deltas: fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000_000 }), bits), {
        minLength: 1,
        maxLength: 400,
      }),
    }),
    { selector: ({ labels }) => labels.key(), minLength: 1, maxLength: 40 },
  )
  .map((all): ModelSeries[] =>
    all.map(({ labels, deltas }) => {
      let timeMs = startMs;
      return { labels, samples: deltas.map(([deltaMs, value]) => [(timeMs += deltaMs), value] as const) };
    }),
  );

test("what is written to a block is read back, whatever it is", () =>
  withDirectory((directory) => {
    fc.assert(
      fc.property(model, (all) => {
        const meta = writeModel(context, directory, all);
        const block = Block.open(context, `${directory}/${meta.ulid}`);
        verifyBlock(block);
        assert.deepEqual(dump(context.kernel, blockQueryable(block), [], -1e15, 1e15), dumpOf(all));
        assert.equal(
          meta.stats.numSamples,
          all.reduce((sum, { samples }) => sum + samples.length, 0),
        );
        block.release();
      }),
      { numRuns: 60 },
    );
  }));

test("select finds what each matcher means, in a cache that holds next to nothing", () =>
  withDirectory((directory) => {
    const tiny = testContext(1);
    const all = Array.from({ length: 300 }, (_, i) =>
      series(
        {
          __name__: `m${i % 3}`,
          id: `${i}`,
          ...(i % 2 && { odd: "yes" }),
          ...(i % 5 === 0 && { five: `${i % 7}` }),
        },
        1,
      ),
    );
    const block = Block.open(tiny, `${directory}/${writeModel(tiny, directory, all).ulid}`);
    const lists: Matcher[][] = [
      [new Matcher("=", "__name__", "m1")],
      [new Matcher("=", "__name__", "nope")],
      [new Matcher("=", "nope", "")],
      [new Matcher("!=", "odd", "")],
      [new Matcher("=", "odd", "")],
      [new Matcher("=~", "id", "1.*"), new Matcher("!=", "odd", "yes")],
      [new Matcher("=~", "id", "12|13|400"), new Matcher("=~", "five", ".*")],
      [new Matcher("!~", "id", "[0-4].*"), new Matcher("=", "__name__", "m0")],
      [new Matcher("=", "__name__", "m2"), new Matcher("=~", "id", ".*5"), new Matcher("!=", "id", "155")],
      [new Matcher("=~", "five", "[0-3]|")],
      [new Matcher("!=", "nope", "x")],
      [],
    ];
    for (const matchers of lists) {
      const matching = all.filter(({ labels }) =>
        matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
      );
      const querier = new BlockQuerier(block, new BlockNotices(assert.fail));
      const set = querier.select(matchers, everything);
      assert.deepEqual(
        Array.from({ length: set.length }, (_, i) => set.labels(i).key()),
        matching
          .map(({ labels }) => labels)
          .sort((a, b) => a.compare(b))
          .map((labels) => labels.key()),
        matchers.join(" "),
      );
      assert.ok(querier.seriesCountMax(matchers) >= set.length);
      assert.deepEqual(
        querier.labelNames(matchers, everything),
        [...new Set(matching.flatMap(({ labels }) => [...labels].map(([name]) => name)))].sort(),
      );
      assert.deepEqual(
        querier.labelValues("five", matchers, everything),
        [...new Set(matching.map(({ labels }) => labels.get("five")))].filter((value) => value !== "").sort(),
      );
      assert.equal(
        querier.select(matchers, { ...everything, limit: 3 }).length,
        Math.min(3, matching.length),
      );
      querier.close();
    }
    block.release();
  }));

test("shards are those of the head's hash, and together are all", () =>
  withDirectory((directory) => {
    const all = Array.from({ length: 100 }, (_, i) => series({ __name__: "m", id: `é${i}` }, 1));
    const block = Block.open(context, `${directory}/${writeModel(context, directory, all).ulid}`);
    for (let index = 0; index < 3; index++)
      assert.deepEqual(
        dump(context.kernel, blockQueryable(block), [], -1e15, 1e15, { index, count: 3 }),
        dumpOf(all.filter(({ labels }) => shardOf(labels, 3) === index)),
      );
    block.release();
  }));

test("reads are cut to the range, without stale markers when asked, and say when columns are too small", () =>
  withDirectory((directory) => {
    const one = series({ __name__: "m" }, 500);
    const samples = one.samples.map(
      ([t, value], i) => [t, i % 100 === 50 ? staleMarkerBits : value] as const,
    );
    const block = Block.open(
      context,
      `${directory}/${writeModel(context, directory, [{ ...one, samples }]).ulid}`,
    );
    const querier = new BlockQuerier(block, new BlockNotices(assert.fail));
    const { scratch, views } = context.kernel;
    for (const [fromIndex, toIndex] of [
      [0, 499],
      [119, 120],
      [120, 239],
      [3, 3],
      [130, 450],
      [499, 600],
    ] as const) {
      const from = startMs + fromIndex * 15_000;
      const to = startMs + toIndex * 15_000;
      const set = querier.select([], { minTimestampMs: from, maxTimestampMs: to });
      assert.equal(set.length, 1);
      const capacity = set.sampleCountMax(0, from, to);
      const timestamps = scratch.allocate(8 * capacity);
      const values = scratch.allocate(8 * capacity);
      for (const dropStale of [false, true]) {
        const count = set.read(0, from, to, dropStale, { timestamps, values, capacity });
        const expected = samples.filter(
          ([t, value]) => t >= from && t <= to && !(dropStale && value === staleMarkerBits),
        );
        assert.deepEqual(
          Array.from({ length: count }, (_, i) => [views.f64[timestamps / 8 + i], views.u64[values / 8 + i]]),
          expected.map(([t, value]) => [t, value]),
        );
      }
      const columns = { timestamps, values, capacity: 100 };
      if (capacity > 200)
        assert.throws(
          () => set.read(0, from, to, false, columns),
          /columns hold 100 samples, \d+ are needed/,
        );
    }
    assert.equal(querier.select([], { minTimestampMs: startMs - 9, maxTimestampMs: startMs - 1 }).length, 0);
    querier.close();
    block.release();
  }));

test("tombstones hide samples, chunks and series", () =>
  withDirectory((directory) => {
    const all = [series({ __name__: "a" }, 400), series({ __name__: "b" }, 400)];
    const meta = writeModel(context, directory, all);
    const path = `${directory}/${meta.ulid}`;
    let block = Block.open(context, path);
    const [a, b] = block.index.allPostings();
    block.release();
    const tombstones = new Tombstones();
    tombstones.add(a!, { minTimestampMs: at(10), maxTimestampMs: at(20) });
    tombstones.add(a!, { minTimestampMs: at(15), maxTimestampMs: at(300) });
    tombstones.add(b!, { minTimestampMs: at(0), maxTimestampMs: at(399) });
    systemDisk.writeFileAtomic(`${path}/tombstones`, encodeTombstones(context.kernel, tombstones));
    block = Block.open(context, path);
    assert.equal(block.tombstones.count, 2);
    const left = { ...all[0]!, samples: all[0]!.samples.filter(([t]) => t < at(10) || t > at(300)) };
    assert.deepEqual(dump(context.kernel, blockQueryable(block), [], -1e15, 1e15), dumpOf([left]));
    block.release();
  }));

test("tombstones are read back as they were written", () => {
  const interval = fc.tuple(fc.integer({ min: -1e12, max: 1e12 }), fc.nat(1e6));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), interval), { maxLength: 60 }), (all) => {
      const tombstones = new Tombstones();
      for (const [ref, [minTimestampMs, lengthMs]] of all)
        tombstones.add(ref, { minTimestampMs, maxTimestampMs: minTimestampMs + lengthMs });
      const bytes = Buffer.from(encodeTombstones(context.kernel, tombstones));
      const again = decodeTombstones(context.kernel, "tombstones", bytes);
      assert.deepEqual(again.refs, tombstones.refs);
      for (const ref of again.refs) assert.deepEqual(again.of(ref), tombstones.of(ref));
      for (const [ref, [minTimestampMs, lengthMs]] of all)
        assert.ok(
          again
            .of(ref)!
            .some(
              (kept) =>
                kept.minTimestampMs <= minTimestampMs && kept.maxTimestampMs >= minTimestampMs + lengthMs,
            ),
        );
    }),
    { numRuns: 100 },
  );
});

test("chunks go on in further segments when one is full", () =>
  withDirectory(async (directory) => {
    const { BlockWriter } = await import("./block-writer.ts");
    const ulid = createUlid(startMs);
    const { kernel, disk } = context;
    const target = { kernel, disk, dataDirectory: directory, ulid, segmentBytesMax: 2000 };
    const writer = new BlockWriter(target, IndexSymbols.of(["a", "b"]));
    const timestamps = kernel.scratch.allocate(8 * 3000);
    const values = kernel.scratch.allocate(8 * 3000);
    for (let i = 0; i < 3000; i++) {
      kernel.views.f64[timestamps / 8 + i] = i;
      kernel.views.f64[values / 8 + i] = Math.sqrt(i);
    }
    writer.addSamples({ timestamps, values, count: 3000 });
    writer.endSeries(writer.symbols.symbolsOf(["a", "b"]));
    writer.finish(0, 3000, { level: 1, sources: [ulid] });
    const block = Block.open(context, `${directory}/${ulid}`);
    assert.ok(block.segments.count > 10);
    verifyBlock(block);
    const [samples] = [...dump(kernel, blockQueryable(block), [], 0, 3000).values()];
    assert.equal(samples!.length, 3000);
    assert.ok(samples!.every(([t, value], i) => t === i && value === bitsOf(Math.sqrt(i))));
    assert.ok(blockSizeBytes(disk, `${directory}/${ulid}`) > 20_000);
    block.release();
  }));

test("blocks from a stream of samples in any order, one for each range", () =>
  withDirectory((directory) => {
    const all = [series({ __name__: "a" }, 1000), series({ __name__: "b", x: "y" }, 700)];
    const samples = all.flatMap(({ labels, samples }) =>
      samples.map(([timestampMs], i) => ({ labels, timestampMs, value: i * 1.5 })),
    );
    const shuffled = samples.toSorted((a, b) => (a.timestampMs % 7) - (b.timestampMs % 7));
    const { kernel, disk } = context;
    const metas = createBlocks(
      { kernel, disk, clock: systemClock, dataDirectory: directory },
      () => shuffled,
    );
    assert.equal(metas.length, 3);
    assert.deepEqual(listBlockUlids(disk, directory), metas.map(({ ulid }) => ulid).sort());
    let start = startMs;
    for (const { ulid, minTime, maxTime } of metas) {
      assert.equal(minTime, start);
      start += 7_200_000;
      const block = Block.open(context, `${directory}/${ulid}`);
      const part = all.map((one) => ({
        ...one,
        samples: one.samples.filter(([t]) => t >= minTime && t < maxTime),
      }));
      assert.deepEqual(
        dump(kernel, blockQueryable(block), [], 0, 1e15),
        dumpOf(part.filter((one) => one.samples.length > 0)),
      );
      block.release();
    }
  }));

test("leftovers are removed, damaged blocks set aside, deleted blocks readable to who has them open", () =>
  withDirectory((directory) => {
    const { disk, kernel } = context;
    const first = writeModel(context, directory, [series({ a: "b" }, 3)]).ulid;
    const second = writeModel(context, directory, [series({ a: "b" }, 3)]).ulid;
    disk.makeDirectory(`${directory}/${createUlid(1)}.tmp-for-creation/chunks`);
    disk.makeDirectory(`${directory}/${createUlid(2)}.tmp-for-deletion`);
    disk.makeDirectory(`${directory}/mine.tmp-for-deletion`);
    assert.equal(removeLeftovers(disk, directory), 2);
    setBlockAside(disk, directory, first);
    assert.deepEqual(listBlockUlids(disk, directory), [second]);
    const block = Block.open(context, `${directory}/${second}`);
    deleteBlock(disk, directory, second);
    assert.equal(dump(kernel, blockQueryable(block)).size, 1);
    block.release();
    assert.deepEqual(disk.list(directory).sort(), ["set-aside", "mine.tmp-for-deletion"].sort());
  }));

test("meta.json keeps what it does not know", () => {
  const ulid = createUlid(startMs);
  const text = `{"ulid":"${ulid}","minTime":1,"maxTime":2,"version":1,"thanos":{"labels":{"a":"b"}},"compaction":{"level":2,"x":1}}`;
  const meta = parseMeta("meta.json", text);
  assert.deepEqual(JSON.parse(encodeMeta(meta)), {
    ...JSON.parse(text),
    stats: {},
    compaction: { level: 2, x: 1 },
  });
  const broken = ["", "[]", "{}", text.replace(ulid, "x"), text.replace('"version":1', '"version":2')];
  broken.push(text.replace('"minTime":1', '"minTime":"1"'), text.replace('"level":2', '"sources":[1]'));
  for (const text of broken)
    assert.throws(() => parseMeta("meta.json", text), { name: "BlockDamagedError" }, text);
});

test("ULIDs sort by time and tell it", () => {
  const ulids = [0, 1, 1_700_000_000_000, 2 ** 48 - 1].map((timeMs) => createUlid(timeMs));
  assert.deepEqual(ulids.toSorted(), ulids);
  assert.deepEqual(ulids.map(ulidTimeMs), [0, 1, 1_700_000_000_000, 2 ** 48 - 1]);
  assert.ok(ulids.every(isUlid));
  for (const text of ["", "wal", `${ulids[0]!}x`, `8${ulids[0]!.slice(1)}`, ulids[3]!.toLowerCase()])
    assert.ok(!isUlid(text));
  assert.equal(
    createUlid(
      1_469_918_176_385,
      Uint8Array.from([0xd6, 0x47, 0x5c, 0x1c, 0x6e, 0x5e, 0x63, 0x8d, 0x9a, 0x2b]),
    ).slice(0, 10),
    "01ARYZ6S41",
  );
});
