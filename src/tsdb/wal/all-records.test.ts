import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { systemDisk } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { ByteWriter } from "../block/bytes.ts";
import { writeHeadBlock } from "../block/head-block.ts";
import { createUlid } from "../block/ulid.ts";
import type { Tsdb } from "../index.ts";
import { baseTimeMs, directoryOf, kernelBytes, openTest, writeRecords } from "../test-support.ts";
import { encodeExemplars } from "./exemplar-record.ts";
import { encodeHistogramRecords } from "./histogram-record.ts";
import { encodeMetadata } from "./metadata-record.ts";
import { SegmentReader } from "./reader.ts";
import { recordType } from "./record.ts";
import { listCheckpoints, listSegments } from "./segment.ts";
import { encodeTombstoneRecord } from "./tombstone-record.ts";

const ref = 1;
const exponential = parseHistogram("schema:1 sum:5 count:3 buckets:[1 2]").histogram;
const custom = parseHistogram("schema:-53 custom_values:[1 2] sum:5 count:3 buckets:[1 2]").histogram;

/** The histogram of a record that holds one, behind its type, ref and time. */
function bodyOf(kind: "integer" | "float"): Uint8Array {
  const [record] = encodeHistogramRecords([
    { ref, timestampMs: 0, histogram: exponential, kind, startTimestampMs: 0 },
  ]);
  return record!.subarray(1 + 8 + 8 + 2);
}

function withStartTimestamp(type: number, timestampMs: number, value: Uint8Array): Uint8Array {
  return new ByteWriter().u8(type).varint(ref).varint(timestampMs).varint(baseTimeMs).bytes(value).view();
}

/** One record of every kind that there is, at times of their own. */
function everyRecord(): Uint8Array[] {
  let timestampMs = baseTimeMs;
  const next = (): number => (timestampMs += 1000);
  const histograms = (["integer", "float"] as const).flatMap((kind) =>
    [exponential, custom].map((histogram) => ({
      ref,
      timestampMs: next(),
      histogram,
      kind,
      startTimestampMs: 0,
    })),
  );
  const labels = Labels.from({ trace: "x" });
  const interval = { minTimestampMs: 1, maxTimestampMs: baseTimeMs };
  return [
    new ByteWriter().u8(recordType.series).u64(ref).uvarint(1).text("__name__").text("m").view(),
    encodeMetadata([{ ref, metadata: { type: "gauge", unit: "", help: "M." } }]),
    new ByteWriter().u8(recordType.samples).u64(ref).i64(next()).varint(0).varint(0).f64(1).view(),
    ...histograms.flatMap((entry) => encodeHistogramRecords([entry])),
    withStartTimestamp(recordType.samplesV2, next(), new ByteWriter().f64(2).view()),
    withStartTimestamp(recordType.histogramSamplesV2, next(), bodyOf("integer")),
    withStartTimestamp(recordType.floatHistogramSamplesV2, next(), bodyOf("float")),
    encodeExemplars([{ ref, exemplar: { labels, value: 1, timestampMs: next(), hasOwnTimestamp: true } }]),
    new ByteWriter().u8(recordType.mmapMarkers).u64(ref).u64(0).view(),
    encodeTombstoneRecord([{ ref, interval }]),
  ];
}

const allTypes = Object.values(recordType).sort((a, b) => a - b);

function typesIn(paths: readonly string[]): number[] {
  const kernel = createKernel({ limitBytes: kernelBytes });
  const types = new Set<number>();
  for (const path of paths) {
    const reader = new SegmentReader(kernel, systemDisk, path);
    for (let record = reader.next(); record; record = reader.next()) types.add(record[0]!);
    assert.deepEqual(reader.damages, []);
    reader.close();
  }
  return [...types].sort((a, b) => a - b);
}

test("records of every kind survive checkpoints, one after the other", async (t) => {
  const directory = directoryOf(t);
  const wal = `${directory}/wal`;
  await writeRecords(createKernel({ limitBytes: kernelBytes }), wal, everyRecord());
  assert.deepEqual(typesIn(listSegments(systemDisk, wal).map(({ path }) => path)), allTypes);

  const nowMs = baseTimeMs + 60_000;
  const { tsdb } = await openTest(directory, { nowMs, exemplarsMax: 10, keepsMetadata: true });
  const { damages, samples, skippedRecords } = tsdb.replayResult!;
  // Two floats and six histograms.
  assert.deepEqual({ damages, samples }, { damages: [], samples: 8 });
  assert.deepEqual([...skippedRecords.keys()], [recordType.mmapMarkers]);
  let seen = 0;
  for (let round = 0; seen < 3; round++) {
    assert.ok(round < 20);
    const appender = tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "other" })), nowMs + round, round);
    appender.commit();
    await tsdb.truncate(baseTimeMs);
    const checkpoint = listCheckpoints(systemDisk, wal).at(-1);
    if (checkpoint === undefined) continue;
    seen++;
    assert.deepEqual(typesIn(listSegments(systemDisk, checkpoint.path).map(({ path }) => path)), allTypes);
  }
  await tsdb.close();
});

test("histograms of the log keep their start timestamps, in memory and in blocks", async (t) => {
  const directory = directoryOf(t);
  const starts = [baseTimeMs, baseTimeMs, 0, baseTimeMs + 2500, baseTimeMs + 2500];
  const entries = starts.map((startTimestampMs, i) => ({
    ref,
    timestampMs: baseTimeMs + 1000 * (i + 1),
    histogram: exponential,
    kind: i < 3 ? ("integer" as const) : ("float" as const),
    startTimestampMs,
  }));
  await writeRecords(createKernel({ limitBytes: kernelBytes }), `${directory}/wal`, [
    new ByteWriter().u8(recordType.series).u64(ref).uvarint(1).text("__name__").text("m").view(),
    ...encodeHistogramRecords(entries),
  ]);
  const maxTimestampMs = baseTimeMs + 60_000;
  const startsOf = ({ queryable }: Tsdb): number[] => {
    const querier = queryable.querier(0, maxTimestampMs);
    const set = querier.select([], { minTimestampMs: 0, maxTimestampMs }, true);
    const read = set.readHistograms!(0, 0, maxTimestampMs, false).map((sample) => sample.startTimestampMs);
    querier.close();
    return read;
  };
  const { tsdb, kernel } = await openTest(directory, { nowMs: baseTimeMs });
  assert.deepEqual(startsOf(tsdb), starts);
  const target = { kernel, disk: systemDisk, dataDirectory: directory, ulid: createUlid(1) };
  writeHeadBlock(tsdb.queryable, target, baseTimeMs, maxTimestampMs);
  await tsdb.close();
  rmSync(`${directory}/wal`, { recursive: true });
  const blocks = await openTest(directory, { nowMs: baseTimeMs });
  assert.deepEqual(startsOf(blocks.tsdb), starts);
  await blocks.tsdb.close();
});
