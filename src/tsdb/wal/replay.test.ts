import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { createKernel } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import {
  baseTimeMs,
  bitsOf,
  type Dump,
  dump,
  kernelBytes,
  openTest,
  temporaryDirectory,
  writeRecords,
} from "../test-support.ts";
import { encodeExemplars } from "./exemplar-record.ts";
import { encodeMetadata } from "./metadata-record.ts";
import { recordType } from "./record.ts";

const kernel = createKernel({ limitBytes: kernelBytes });

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return bytes;
}

function uvarint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

function varint(value: bigint): Buffer {
  return uvarint(value >= 0n ? value << 1n : (-value << 1n) - 1n);
}

function text(value: string): Buffer {
  return Buffer.concat([uvarint(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);
}

function seriesRecord(...series: [ref: bigint, pairs: string[]][]): Buffer {
  const parts = series.map(([ref, pairs]) =>
    Buffer.concat([uint64(ref), uvarint(BigInt(pairs.length / 2)), ...pairs.map(text)]),
  );
  return Buffer.concat([Buffer.of(recordType.series), ...parts]);
}

function samplesRecord(...samples: [ref: bigint, timestampMs: number, value: number][]): Buffer {
  const [firstRef, firstMs] = samples[0]!;
  const parts = samples.map(([ref, timestampMs, value]) =>
    Buffer.concat([varint(ref - firstRef), varint(BigInt(timestampMs - firstMs)), uint64(bitsOf(value))]),
  );
  return Buffer.concat([Buffer.of(recordType.samples), uint64(firstRef), uint64(BigInt(firstMs)), ...parts]);
}

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = temporaryDirectory();
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("refs of every size, scattered or in any order, lead to their series, also after the next restarts", async () => {
  const refs = [
    7n,
    1n,
    5_000_000_000n,
    2n ** 31n + 5n,
    2n ** 32n - 1n,
    67_108_862n,
    67_108_863n,
    67_108_871n,
    300_000n,
  ];
  for (let page = 1n; page < 200n; page++) refs.push(page * 16_384n + 3n);
  await withDirectory(async (directory) => {
    const expected: Dump = new Map();
    const series = refs.map((ref): [bigint, string[]] => [ref, ["__name__", "m", "ref", `${ref}`]]);
    const first = refs.map((ref): [bigint, number, number] => [ref, baseTimeMs, Number(ref % 1000n)]);
    const second = refs.map((ref): [bigint, number, number] => [ref, baseTimeMs + 1, -1]);
    for (const ref of [...refs].sort((a, b) => (`${a}` < `${b}` ? -1 : 1)))
      expected.set(`{__name__="m", ref="${ref}"}`, [
        [baseTimeMs, bitsOf(Number(ref % 1000n))],
        [baseTimeMs + 1, bitsOf(-1)],
      ]);
    await writeRecords(kernel, `${directory}/wal`, [
      seriesRecord(...series),
      samplesRecord(...first),
      samplesRecord(...second),
    ]);
    mkdirSync(`${directory}/chunks_head`);
    const opened = await openTest(directory);
    assert.deepEqual(dump(opened.kernel, opened.tsdb.queryable), expected);
    assert.equal(opened.tsdb.replayResult!.unknownRefs.samples, 0);
    assert.ok(
      existsSync(`${directory}/set-aside/00000000`) && existsSync(`${directory}/set-aside/chunks_head`),
    );
    const appender = opened.tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "new" })), baseTimeMs, 5);
    appender.commit();
    await opened.tsdb.close();
    expected.set('{__name__="new"}', [[baseTimeMs, bitsOf(5)]]);
    for (let restart = 0; restart < 2; restart++) {
      const again = await openTest(directory);
      assert.equal(again.tsdb.replayResult!.isRenumbered, false);
      assert.deepEqual(dump(again.kernel, again.tsdb.queryable), expected);
      await again.tsdb.close();
    }
  });
});

test("a series that the log names twice is one, and neither of its refs is given to another", async () => {
  await withDirectory(async (directory) => {
    const pairs = ["__name__", "m"];
    await writeRecords(kernel, `${directory}/wal`, [
      seriesRecord([3n, pairs]),
      samplesRecord([3n, baseTimeMs, 1]),
      seriesRecord([9n, pairs], [4n, ["__name__", "other"]]),
      samplesRecord([9n, baseTimeMs + 1, 2], [4n, baseTimeMs, 7], [77n, baseTimeMs, 7]),
    ]);
    const { tsdb, kernel: memory } = await openTest(directory);
    assert.deepEqual(dump(memory, tsdb.queryable).get('{__name__="m"}'), [
      [baseTimeMs, bitsOf(1)],
      [baseTimeMs + 1, bitsOf(2)],
    ]);
    assert.equal(tsdb.replayResult!.unknownRefs.samples, 1);
    assert.equal(tsdb.replayResult!.isRenumbered, false);
    assert.ok(tsdb.appender().reference(Labels.from({ __name__: "third" })) > 9);
    // The second name must outlive its segment.
    for (let i = 0; i < 5; i++) {
      const appender = tsdb.appender();
      appender.append(appender.reference(Labels.from({ __name__: "third" })), baseTimeMs + i, i);
      appender.commit();
      await tsdb.truncate(baseTimeMs);
    }
    const before = dump(memory, tsdb.queryable);
    await tsdb.close();
    const again = await openTest(directory);
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable), before);
    await again.tsdb.close();
  });
});

test("records of other kinds are left out, counted, and survive checkpoints; malformed ones cost themselves", async () => {
  await withDirectory(async (directory) => {
    await writeRecords(kernel, `${directory}/wal`, [
      Buffer.of(97, 1, 2, 3),
      Buffer.of(98, 1),
      Buffer.of(99),
      Buffer.of(98, 2),
      seriesRecord([1n, ["__name__", "m"]]),
      samplesRecord([1n, baseTimeMs, 1]).subarray(0, 20),
      Buffer.concat([seriesRecord([2n, ["__name__", "n"]]), Buffer.of(0, 0, 0)]),
      samplesRecord([1n, baseTimeMs, 1], [2n, baseTimeMs, 1]),
      seriesRecord([3n, ["b", "1", "__name__", "unsorted"]]),
      seriesRecord([4n, ["a", "1", "a", "2"]]),
      samplesRecord([3n, baseTimeMs, 1]),
    ]);
    const { tsdb, kernel: memory } = await openTest(directory);
    assert.deepEqual(
      [...dump(memory, tsdb.queryable).keys()],
      ['{__name__="m"}', '{__name__="n"}', '{__name__="unsorted", b="1"}'],
    );
    assert.deepEqual(
      [...tsdb.replayResult!.skippedRecords],
      [
        [97, 1],
        [98, 2],
        [99, 1],
      ],
    );
    assert.equal(tsdb.replayResult!.damages.length, 3);
    for (let i = 0; i < 5; i++) {
      const appender = tsdb.appender();
      appender.append(appender.reference(Labels.from({ __name__: "m" })), baseTimeMs + 1 + i, i);
      appender.commit();
      await tsdb.truncate(baseTimeMs);
    }
    await tsdb.close();
    const again = await openTest(directory);
    assert.equal(again.tsdb.replayResult!.skippedRecords.get(98), 2);
    await again.tsdb.close();
  });
});

test("random records neither crash nor hang the replay", async () => {
  const record = fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 14 }), fc.uint8Array({ maxLength: 300 }))
      .map(([type, body]) => Uint8Array.from([type, ...body])),
    fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
      const bytes = Uint8Array.from(
        seriesRecord([1n, ["__name__", "m", "x", "y".repeat(50)]], [2n, ["a", "b"]]),
      );
      bytes[1 + (at % (bytes.length - 1))] = byte;
      return bytes;
    }),
    fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
      const bytes = Uint8Array.from(
        samplesRecord([1n, baseTimeMs, 1], [2n, baseTimeMs + 1, 2], [1n, baseTimeMs + 5, 3]),
      );
      bytes[1 + (at % (bytes.length - 1))] = byte;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 30 }), (records) =>
      withDirectory(async (directory) => {
        await writeRecords(kernel, `${directory}/wal`, records);
        const { tsdb, kernel: memory } = await openTest(directory);
        const before = dump(memory, tsdb.queryable, [], Number.MIN_SAFE_INTEGER);
        await tsdb.close();
        const again = await openTest(directory);
        assert.deepEqual(dump(again.kernel, again.tsdb.queryable, [], Number.MIN_SAFE_INTEGER), before);
        await again.tsdb.close();
      }),
    ),
    { numRuns: 40 },
  );
});

test("damaged segments are set aside when a checkpoint replaces them", async () => {
  await withDirectory(async (directory) => {
    const opened = await openTest(directory, { walCompression: "none" });
    const step = async (i: number): Promise<void> => {
      const appender = opened.tsdb.appender();
      appender.append(appender.reference(Labels.from({ __name__: `m${i}` })), baseTimeMs + i, i);
      appender.commit();
      await opened.tsdb.truncate(baseTimeMs);
    };
    await step(0);
    const path = `${directory}/wal/00000000`;
    const bytes = readFileSync(path);
    bytes[20]! ^= 1;
    writeFileSync(path, bytes);
    for (let i = 1; i < 5; i++) await step(i);
    assert.deepEqual(readdirSync(`${directory}/set-aside`), ["00000000"]);
    assert.deepEqual(readFileSync(`${directory}/set-aside/00000000`), bytes);
    await opened.tsdb.close();
  });
});

test("when series are numbered afresh, their exemplars and metadata go with them", async () => {
  await withDirectory(async (directory) => {
    const refs = [5_000_000_000, 2 ** 40 + 7];
    const exemplar = (ref: number) => ({
      ref,
      exemplar: {
        labels: Labels.from({ trace: `${ref}` }),
        value: 1,
        timestampMs: baseTimeMs,
        hasOwnTimestamp: true,
      },
    });
    const metadata = (ref: number) => ({
      ref,
      metadata: { type: "gauge", help: `of ${ref}`, unit: "" } as const,
    });
    await writeRecords(kernel, `${directory}/wal`, [
      seriesRecord(
        ...refs.map((ref): [bigint, string[]] => [BigInt(ref), ["__name__", "m", "ref", `${ref}`]]),
      ),
      encodeMetadata([...refs, 3].map(metadata)),
      samplesRecord(...refs.map((ref): [bigint, number, number] => [BigInt(ref), baseTimeMs, 1])),
      encodeExemplars([...refs, 3].map(exemplar)),
    ]);
    const options = { exemplarsMax: 10, keepsMetadata: true };
    for (const isRenumbered of [true, false]) {
      const { tsdb } = await openTest(directory, options);
      assert.equal(tsdb.replayResult!.isRenumbered, isRenumbered);
      const found = tsdb.exemplars.selectExemplars(0, Infinity, [[new Matcher("=", "__name__", "m")]]);
      for (const { labels, exemplars } of found)
        assert.deepEqual(
          exemplars.map((one) => one.labels.get("trace")),
          [labels.get("ref")],
        );
      assert.equal(found.length, 2);
      const unknown = isRenumbered ? 1 : 0;
      assert.equal(tsdb.replayResult!.unknownRefs.exemplars, unknown);
      assert.equal(tsdb.replayResult!.unknownRefs.metadata, unknown);
      await tsdb.close();
    }
  });
});
