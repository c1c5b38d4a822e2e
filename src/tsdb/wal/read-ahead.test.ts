import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimulatedClock, systemDisk } from "../../base/index.ts";
import { createKernel, type Kernel } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import { Head } from "../head/head.ts";
import { createHeadQueryable } from "../head/querier.ts";
import { baseTimeMs, directoryOf, type Dump, dump, kernelBytes } from "../test-support.ts";
import { encodeFloatRecord } from "./float-record.ts";
import { SegmentReadAhead } from "./read-ahead.ts";
import type { ReplayResult } from "./record-replay.ts";
import { replayWal } from "./replay.ts";
import { segmentName } from "./segment.ts";
import { encodeSeriesRecords } from "./series-record.ts";
import { WalWriter } from "./writer.ts";

const series = 500;
const scrapes = 120;
const segmentBytes = 128 * 1024;

/** Writes a log of several segments. */
async function writeLog(directory: string): Promise<void> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const head = new Head(kernel);
  const clock = new SimulatedClock();
  const logged = { compression: "snappy", syncIntervalMs: 0, logger: silentLogger } as const;
  const writer = new WalWriter({ ...logged, directory, kernel, disk: systemDisk, clock, segmentBytes });
  const refs = Array.from({ length: series }, (_, id) =>
    head.getOrCreate(Labels.from({ __name__: `m_${id % 7}`, id: `${id}` })),
  );
  const buffer = kernel.createByteBuffer(1024 * 1024);
  encodeSeriesRecords(kernel, refs, buffer, (record) => writer.add(record));
  for (let scrape = 0; scrape < scrapes; scrape++) {
    const entries = refs.map((ref) => ({
      ref,
      timestampMs: baseTimeMs + scrape * 15_000 + (ref % 5),
      startTimestampMs: 0,
      bits: (BigInt(ref) * 0x9e3779b97f4a7c15n * BigInt(scrape + 1)) & 0x7fefffffffffffffn,
    }));
    writer.add(encodeFloatRecord(entries));
    writer.flush();
  }
  await writer.close();
}

interface Replayed {
  readonly result: ReplayResult;
  readonly samples: Dump;
  readonly kernel: Kernel;
}

async function replay(directory: string, readAheadBytesMin: number): Promise<Replayed> {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const head = new Head(kernel);
  const result = await replayWal({
    head,
    disk: systemDisk,
    logger: silentLogger,
    directory,
    chunkRangeMs: 7_200_000,
    samplesPerChunk: 120,
    minValidTimeMs: -Infinity,
    isCancelled: () => false,
    readAheadBytesMin,
  });
  return { result, samples: dump(kernel, createHeadQueryable(kernel), [], 0), kernel };
}

async function setUp(t: TestContext): Promise<string> {
  const directory = directoryOf(t);
  await writeLog(join(directory, "wal"));
  return directory;
}

test("a log that a second thread reads is the log that one thread reads, damage included", async (t) => {
  const directory = await setUp(t);
  const wal = join(directory, "wal");
  const names = readdirSync(wal).filter((name) => /^\d+$/.test(name));
  assert.ok(names.length >= 3);
  const middle = join(wal, names[1]!);
  const bytes = readFileSync(middle);
  bytes.fill(0x5a, 40_000, 40_100);
  writeFileSync(middle, bytes);
  const last = join(wal, names.at(-1)!);
  truncateSync(last, readFileSync(last).length - 5);
  const copy = join(directory, "copy");
  cpSync(wal, copy, { recursive: true });

  const alone = await replay(wal, Infinity);
  const ahead = await replay(copy, 0);
  assert.deepEqual(ahead.samples, alone.samples);
  assert.equal(ahead.result.series, series);
  assert.equal(ahead.result.samples, alone.result.samples);
  assert.ok(ahead.result.samples > 0.8 * series * scrapes);
  const placeOf = ({ path, ...rest }: { path: string }): object => ({
    ...rest,
    name: path.split("/").at(-1),
  });
  assert.ok(alone.result.damages.length > 0);
  assert.deepEqual(ahead.result.damages.map(placeOf), alone.result.damages.map(placeOf));
  assert.equal(alone.result.tornTails.length, 1);
  assert.deepEqual(ahead.result.tornTails.map(placeOf), alone.result.tornTails.map(placeOf));
  for (const name of names) assert.deepEqual(readFileSync(join(copy, name)), readFileSync(join(wal, name)));
});

test("the thread gives back what it took, also when it is stopped early", async (t) => {
  const directory = await setUp(t);
  const kernel = createKernel({ limitBytes: kernelBytes });
  const { usedBytes } = kernel.usage();
  const segments = Array.from({ length: 50 }, (_, index) => ({
    index,
    path: join(directory, "wal", segmentName(index % 3)),
    sizeBytes: segmentBytes,
  }));
  const ahead = new SegmentReadAhead(kernel, segments, false);
  ahead.order();
  const first = await ahead.next();
  assert.equal(first?.type, "records");
  await ahead.close();
  assert.equal(kernel.usage().usedBytes, usedBytes);
});

test("a segment that cannot be read is an error", async () => {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const segments = [{ index: 0, path: "/nowhere/00000000", sizeBytes: 0 }];
  const ahead = new SegmentReadAhead(kernel, segments, false);
  ahead.order();
  await assert.rejects(() => ahead.next(), /ENOENT/);
  await ahead.close();
});
