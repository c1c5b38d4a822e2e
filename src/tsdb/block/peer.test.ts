import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../base/index.ts";
import { Labels } from "../../model/index.ts";
import { MergeQuerier, type Queryable } from "../../storage/index.ts";
import {
  ask,
  askAll,
  dumpWithPromtool,
  promtool,
  skipWithoutPrometheus,
  withPrometheus,
} from "../peer-support.ts";
import { dump, temporaryDirectory } from "../test-support.ts";
import { Block, verifyBlock } from "./block.ts";
import { compactBlocks } from "./compact.ts";
import { createBlocks, type LabelledSample } from "./create.ts";
import { BlockNotices } from "./damage.ts";
import { deleteBlock, listBlockUlids } from "./directory.ts";
import { BlockQuerier } from "./querier.ts";
import { testContext } from "./test-support.ts";
import { encodeTombstones, Tombstones } from "./tombstones.ts";
import { createUlid } from "./ulid.ts";

const context = testContext();
const { kernel, disk } = context;
const hourMs = 3_600_000;

/** A day and a half of a few odd series. */
function* samples(): Generator<LabelledSample> {
  const endMs = Math.floor(Date.now() / hourMs) * hourMs - 24 * hourMs;
  for (let id = 0; id < 20; id++) {
    const labels = Labels.from({
      __name__: `m${id % 3}_total`,
      id: `${id}`,
      text: id % 4 === 0 ? 'é\n"\\' : "plain",
    });
    for (let i = 0; i < 36 * 60; i++) {
      if (id % 5 === 0 && i % 700 > 350) continue;
      const value =
        id === 7 && i % 9 === 0 ? NaN : id === 8 && i % 5 === 0 ? -Infinity : Math.sqrt(i) * id + (i % 3);
      yield { labels, timestampMs: endMs - (36 * 60 - i) * 60_000 + (id % 2) * 17, value };
    }
  }
}

function openAll(directory: string): Block[] {
  return listBlockUlids(disk, directory)
    .map((ulid) => Block.open(context, `${directory}/${ulid}`))
    .sort((a, b) => a.meta.minTime - b.meta.minTime);
}

function queryable(blocks: readonly Block[]): Queryable {
  const notices = new BlockNotices((error) => assert.fail(error));
  return {
    querier: () =>
      new MergeQuerier(
        kernel,
        blocks.map((block) => new BlockQuerier(block, notices)),
      ),
  };
}

function dataDirectory(t: TestContext): string {
  const parent = temporaryDirectory();
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  mkdirSync(`${parent}/data/wal`, { recursive: true });
  return `${parent}/data`;
}

test(
  "blocks that promtool made are read with the same samples, and taken over by a compaction",
  { skip: skipWithoutPrometheus },
  (t) => {
    const data = dataDirectory(t);
    const lines: string[] = [];
    for (const { labels, timestampMs, value } of samples()) {
      const [name, ...rest] = [...labels].map(([name, value]) =>
        name === "__name__" ? value : `${name}=${JSON.stringify(value)}`,
      );
      const text = Number.isNaN(value) ? "NaN" : value === -Infinity ? "-Inf" : String(value);
      lines.push(`${name}{${rest.join(",")}} ${text} ${(timestampMs / 1000).toFixed(3)}`);
    }
    writeFileSync(`${data}.txt`, `${lines.join("\n")}\n# EOF\n`);
    promtool("tsdb", "create-blocks-from", "openmetrics", `${data}.txt`, data);
    const theirs = dumpWithPromtool(data);
    assert.equal(theirs.size, 20);
    const blocks = openAll(data);
    assert.ok(blocks.length >= 18);
    for (const block of blocks) verifyBlock(block);
    assert.deepEqual(dump(kernel, queryable(blocks)), theirs);

    const ulid = createUlid(Date.now());
    compactBlocks(blocks, { kernel, disk, dataDirectory: data, ulid });
    for (const block of blocks) {
      block.release();
      deleteBlock(disk, data, block.meta.ulid);
    }
    assert.deepEqual(dumpWithPromtool(data), theirs);
  },
);

test(
  "promtool and Prometheus read what we wrote: the same lists, samples and answers",
  { skip: skipWithoutPrometheus, timeout: 60_000 },
  async (t) => {
    const data = dataDirectory(t);
    const metas = createBlocks({ kernel, disk, clock: systemClock, dataDirectory: data }, samples);
    const blocks = openAll(data);
    const ours = dump(kernel, queryable(blocks));
    assert.deepEqual(dumpWithPromtool(data), ours);

    const list = promtool("tsdb", "list", data);
    for (const { ulid, stats } of metas)
      assert.match(
        list,
        new RegExp(`${ulid} .* ${stats.numSamples} +${stats.numChunks} +${stats.numSeries} `),
      );
    const analysis = promtool("tsdb", "analyze", data);
    assert.match(analysis, /Series: 20\nLabel names: 3\n/);

    // Half of it compacted, some of it deleted: still the same to both.
    const half = blocks.slice(0, blocks.length / 2);
    const ulid = createUlid(Date.now());
    compactBlocks(half, { kernel, disk, dataDirectory: data, ulid });
    for (const { meta } of half) deleteBlock(disk, data, meta.ulid);
    for (const block of blocks) block.release();
    const compacted = Block.open(context, `${data}/${ulid}`);
    const tombstones = new Tombstones();
    const { minTime } = compacted.meta;
    for (const ref of compacted.index.postings("id", "3"))
      tombstones.add(ref, { minTimestampMs: minTime, maxTimestampMs: minTime + 5 * hourMs });
    compacted.release();
    disk.writeFileAtomic(`${data}/${ulid}/tombstones`, encodeTombstones(kernel, tombstones));
    const after = openAll(data);
    const left = dump(kernel, queryable(after));
    assert.ok(
      left.get('{__name__="m0_total", id="3", text="plain"}')!.length <
        ours.get('{__name__="m0_total", id="3", text="plain"}')!.length,
    );
    assert.deepEqual(dumpWithPromtool(data), left);
    for (const block of after) block.release();

    await withPrometheus(data, async (port) => {
      assert.deepEqual(await askAll(port), left);
      const names = await ask(port, "label/id/values");
      assert.deepEqual(names, [...Array(20).keys()].map(String).sort());
    });
  },
);
