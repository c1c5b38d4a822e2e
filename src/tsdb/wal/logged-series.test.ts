import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Labels } from "../../model/index.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  dump,
  openEarly,
  openTest,
  temporaryDirectory,
} from "../test-support.ts";
import { compressRecord, peekRecordType } from "./compression.ts";

const samplesPerChunk = 8;
const stepMs = 1000;
const scrapes = 30;
const labels = Array.from({ length: 500 }, (_, k) => Labels.from({ __name__: "m", k: `${k}` }));

const logs = (["none", "snappy", "zstd"] as const).flatMap((walCompression) => [
  { walCompression, readAheadBytesMin: Infinity },
  { walCompression, readAheadBytesMin: 0 },
]);

for (const { walCompression, readAheadBytesMin } of logs) {
  const way = readAheadBytesMin === 0 ? "by another thread" : "at once";
  test(`who appends before the samples of a log are read uses the series it names: ${walCompression}, ${way}`, async (t) => {
    const directory = temporaryDirectory();
    t.after(() => rmSync(directory, { recursive: true }));
    const first = await openTest(directory, { samplesPerChunk, walCompression });
    const appender = first.tsdb.appender();
    const refs = labels.map((series) => appender.reference(series));
    for (let scrape = 0; scrape < scrapes; scrape++) {
      for (const ref of refs) appender.append(ref, first.clock.nowMs(), scrape);
      appender.commit();
      await first.clock.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    abandon(directory);

    const nowMs = baseTimeMs + scrapes * stepMs;
    const { tsdb, kernel } = openEarly(directory, {
      samplesPerChunk,
      walCompression,
      readAheadBytesMin,
      nowMs,
    });
    t.after(() => tsdb.close());
    if (readAheadBytesMin === 0) assert.equal(tsdb.isAppendable, false);
    await tsdb.appendable;
    const early = tsdb.appender();
    // In another order than they had, so that new ones would be told apart.
    for (const series of labels.toReversed()) early.append(early.reference(series), nowMs, scrapes);
    early.commit();
    await tsdb.ready;

    const later = tsdb.appender();
    assert.deepEqual(
      labels.map((series) => later.reference(series)),
      refs,
    );
    assert.equal(tsdb.replayResult?.series, labels.length);
    // Full chunks were taken from their files, and not read from the log again.
    assert.ok(
      tsdb.replayResult.samples <= labels.length * (samplesPerChunk + 2),
      `${tsdb.replayResult.samples}`,
    );
    const expected = Array.from(
      { length: scrapes + 1 },
      (_, scrape) => [baseTimeMs + scrape * stepMs, bitsOf(scrape)] as const,
    );
    const found = dump(kernel, tsdb.queryable);
    assert.equal(found.size, labels.length);
    for (const samples of found.values()) assert.deepEqual(samples, expected);
  });
}

test("the type of a record is told without decompressing it, or not at all", () => {
  for (const bytes of [1, 2, 59, 60, 61, 62, 300, 70_000])
    for (const type of [1, 2, 11]) {
      const texts = [Buffer.alloc(bytes, type), randomBytes(bytes), Buffer.from("abcdefgh".repeat(bytes))];
      for (const record of texts) {
        record[0] = type;
        for (const compression of ["none", "snappy", "zstd"] as const) {
          const { data, bits } = compressRecord(record, compression);
          const told = peekRecordType(data, bits);
          if (told !== undefined || compression !== "zstd") assert.equal(told, type);
        }
      }
    }
  for (let round = 0; round < 1000; round++) peekRecordType(randomBytes(round % 12), 8);
});
