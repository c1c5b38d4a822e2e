import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { systemDisk } from "../base/index.ts";
import { layout } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { Block } from "./block/block.ts";
import { compactBlocks } from "./block/compact.ts";
import { writeHeadBlock } from "./block/head-block.ts";
import { testContext } from "./block/test-support.ts";
import { createUlid } from "./block/ulid.ts";
import { baseTimeMs, directoryOf, dump, type Opened, openTest } from "./test-support.ts";

const xor = layout.chunkEncodingXor;
const xor2 = layout.chunkEncodingXor2;
const options = { futureMaxMs: Infinity };
const at = (i: number): number => baseTimeMs + 15_000 * i + (i % 3);

/** Samples from..to of a counter, a gauge that ends now and then, and a constant. */
function append({ tsdb }: Opened, from: number, to: number): void {
  const appender = tsdb.appender();
  const refs = ["counter", "gauge", "one"].map((name) => appender.reference(Labels.from({ __name__: name })));
  for (let i = from; i < to; i++) {
    appender.append(refs[0]!, at(i), i * 7);
    if (i % 50 === 49) appender.appendStale(refs[1]!, at(i));
    else appender.append(refs[1]!, at(i), Math.sin(i));
    appender.append(refs[2]!, at(i), 1);
  }
  assert.equal(appender.commit().appended, 3 * (to - from));
}

/** Of a series' chunks in the head, the oldest first. */
function headEncodings({ kernel: { series, views } }: Opened, ref = 1): number[] {
  return series
    .chunkPtrs(ref)
    .map((ptr) => views.u8[ptr + layout.chunk.encoding]!)
    .toReversed();
}

/** Of all chunks in the blocks of a directory. */
function blockEncodings(data: string): number[] {
  const files = readdirSync(data, { recursive: true, encoding: "utf8" }).filter((path) =>
    /chunks\/\d+$/.test(path),
  );
  return files.flatMap((path) => {
    const bytes = readFileSync(`${data}/${path}`);
    const encodings: number[] = [];
    for (let offset = 8; offset < bytes.length;) {
      let length = 0;
      let shift = 0;
      for (let byte = 0x80; byte >= 0x80; shift += 7) length |= ((byte = bytes[offset++]!) & 0x7f) << shift;
      encodings.push(bytes[offset]!);
      offset += 1 + length + 4;
    }
    return encodings;
  });
}

function without(data: string, ...names: string[]): void {
  for (const name of names) rmSync(`${data}/${name}`, { recursive: true, force: true });
}

test("chunks are XOR2 when that is configured: in memory, after a restart, in files and in a block", async (t) => {
  const data = directoryOf(t);
  const configured = { ...options, floatEncoding: "xor2" } as const;
  const opened = await openTest(data, configured);
  append(opened, 0, 400);
  const expected = dump(opened.kernel, opened.tsdb.queryable);
  for (const ref of [1, 2, 3]) assert.deepEqual(new Set(headEncodings(opened, ref)), new Set([xor2]));
  await opened.tsdb.close();

  const again = await openTest(data, configured);
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected);
  assert.deepEqual(new Set(headEncodings(again)), new Set([xor2]));
  const target = { kernel: again.kernel, disk: systemDisk, dataDirectory: data, ulid: createUlid(1) };
  writeHeadBlock(again.tsdb.queryable, target, at(0), at(400));
  await again.tsdb.close();
  assert.deepEqual(new Set(blockEncodings(data)), new Set([xor2]));

  without(data, "wal", "chunks_head");
  const blocks = await openTest(data, options);
  assert.deepEqual(dump(blocks.kernel, blocks.tsdb.queryable), expected);
  await blocks.tsdb.close();
});

test("series of XOR2 chunks, and of both encodings, are read together, as those of XOR", async (t) => {
  const opened = await openTest(directoryOf(t), options);
  append(opened, 0, 150);
  opened.tsdb.setFloatEncoding("xor2");
  append(opened, 150, 400);
  assert.deepEqual(headEncodings(opened), [xor, xor, xor2, xor2]);
  const { kernel, tsdb } = opened;
  const [minMs, maxMs] = [at(0), at(400)];
  const querier = tsdb.queryable.querier(minMs, maxMs);
  const set = querier.select([], { minTimestampMs: minMs, maxTimestampMs: maxMs }, true);
  const capacity = 3000;
  const run = {
    tablePtr: kernel.scratch.allocate(16 * set.length),
    seriesMax: set.length,
    timestamps: kernel.scratch.allocate(8 * capacity),
    values: kernel.scratch.allocate(8 * capacity),
    capacity,
  };
  assert.equal(set.readRun!(0, minMs, maxMs, true, run), 3);
  querier.close();
  await tsdb.close();
});

test("an open chunk stays what it is when the configuration changes", async (t) => {
  const data = directoryOf(t);
  const opened = await openTest(data, options);
  append(opened, 0, 10);
  opened.tsdb.setFloatEncoding("xor2");
  append(opened, 10, 20);
  assert.deepEqual(headEncodings(opened), [xor]);
  append(opened, 20, 130);
  opened.tsdb.setFloatEncoding("xor");
  append(opened, 130, 140);
  assert.deepEqual(headEncodings(opened), [xor, xor2]);
  const expected = dump(opened.kernel, opened.tsdb.queryable);
  await opened.tsdb.close();
  const again = await openTest(data, options);
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected);
  await again.tsdb.close();
});

test("late samples are encoded as configured", async (t) => {
  const data = directoryOf(t);
  const late = { ...options, outOfOrderWindowMs: 3_600_000, floatEncoding: "xor2" } as const;
  const opened = await openTest(data, late);
  const add = (times: readonly number[]): void => {
    const appender = opened.tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "late" }));
    for (const i of times) appender.append(ref, at(i), i);
    assert.equal(appender.commit().appended, times.length);
  };
  add([200]);
  add(Array.from({ length: 100 }, (_, i) => 199 - i));
  const expected = dump(opened.kernel, opened.tsdb.queryable);
  assert.equal(expected.get('{__name__="late"}')!.length, 101);
  await opened.tsdb.close();
  const lateXor2 = 0x80 | xor2;
  const files = readdirSync(`${data}/chunks_head`).map((name) => readFileSync(`${data}/chunks_head/${name}`));
  // A record's encoding stands behind the series and its times.
  assert.ok(files.some((bytes) => bytes[8 + 24] === lateXor2));
  const again = await openTest(data, late);
  assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected);
  await again.tsdb.close();
});

test("a chunk that loses samples keeps its encoding, chunks that are merged get the configured one", async (t) => {
  const data = directoryOf(t);
  const opened = await openTest(data, { ...options, floatEncoding: "xor2" });
  append(opened, 0, 300);
  const context = testContext();
  const write = (from: number, to: number): Block => {
    const ulid = createUlid(from);
    const target = { kernel: opened.kernel, disk: systemDisk, dataDirectory: data, ulid };
    writeHeadBlock(opened.tsdb.queryable, target, at(from), at(to));
    return Block.open(context, `${data}/${ulid}`);
  };
  const merge = (blocks: readonly Block[]): Block => {
    const ulid = createUlid(1000);
    compactBlocks(blocks, { kernel: context.kernel, disk: systemDisk, dataDirectory: data, ulid });
    for (const block of blocks) {
      block.release();
      rmSync(block.directory, { recursive: true });
    }
    return Block.open(context, `${data}/${ulid}`);
  };
  const first = write(0, 200);
  first.tombstones.add(first.index.allPostings()[0]!, { minTimestampMs: at(50), maxTimestampMs: at(60) });
  const trimmed = merge([first]);
  assert.deepEqual(
    new Set(blockEncodings(data)),
    new Set([xor2]),
    "one block, of which samples were deleted",
  );
  const merged = merge([trimmed, write(100, 300)]);
  assert.deepEqual(new Set(blockEncodings(data)), new Set([xor, xor2]), "two that overlap");
  merged.release();
  await opened.tsdb.close();
});
