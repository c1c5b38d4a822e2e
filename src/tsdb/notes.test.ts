/** What a commit holds beside samples, exemplars and metadata, on its way through the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemDisk } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels, Matcher, type MetricMetadata } from "../model/index.ts";
import type { Appender } from "../storage/index.ts";
import { baseTimeMs, directoryOf, kernelBytes, openEarly, type Opened, openTest } from "./test-support.ts";
import { decodeMetadata } from "./wal/metadata-record.ts";
import { SegmentReader } from "./wal/reader.ts";
import { recordType } from "./wal/record.ts";
import { listCheckpoints, listSegments } from "./wal/segment.ts";

const minuteMs = 60_000;
const options = { exemplarsMax: 100, keepsMetadata: true, retentionMs: 1e12 };

function note(appender: Appender, id: string, timestampMs: number, help: string): void {
  const ref = appender.reference(Labels.from({ __name__: "m", id }));
  appender.append(ref, timestampMs, 1);
  appender.appendMetadata(ref, { type: "counter", unit: "s", help });
  const labels = Labels.from({ trace: `${id}-${timestampMs - baseTimeMs}` });
  const fate = appender.appendExemplar(ref, { labels, value: 0.5, timestampMs, hasOwnTimestamp: false });
  assert.equal(fate, "queued");
}

function traces({ tsdb }: Opened): string[] {
  return tsdb.exemplars
    .selectExemplars(0, Infinity, [[new Matcher("=", "__name__", "m")]])
    .flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.get("trace")));
}

/** The records of a kind in the newest checkpoint and the segments after it. */
function records(directory: string, type: number): Uint8Array[] {
  const wal = `${directory}/wal`;
  const kernel = createKernel({ limitBytes: kernelBytes });
  const checkpoint = listCheckpoints(systemDisk, wal).at(-1);
  const segments = [
    ...(checkpoint ? listSegments(systemDisk, checkpoint.path) : []),
    ...listSegments(systemDisk, wal),
  ];
  const found: Uint8Array[] = [];
  for (const { path } of segments) {
    const reader = new SegmentReader(kernel, systemDisk, path);
    for (let record = reader.next(); record !== undefined; record = reader.next())
      if (record[0] === type) found.push(Uint8Array.from(record));
    reader.close();
  }
  return found;
}

function metadata(directory: string): MetricMetadata[] {
  return records(directory, recordType.metadata)
    .flatMap((record) => decodeMetadata(record))
    .map((entry) => entry.metadata);
}

test("exemplars and metadata outlive a restart, and are taken along by checkpoints", async (t) => {
  const directory = directoryOf(t);
  const first = await openTest(directory, options);
  for (let i = 0; i < 4; i++) {
    const appender = first.tsdb.appender();
    // What has not changed is not written again.
    note(appender, "a", first.clock.nowMs(), i < 2 ? "old" : "new");
    if (i === 0) note(appender, "gone", first.clock.nowMs(), "gone");
    appender.commit();
    await first.clock.advance(minuteMs);
  }
  const all = ["a-0", "a-60000", "a-120000", "a-180000", "gone-0"];
  assert.deepEqual(traces(first), all);
  const texts = (): string[] => metadata(directory).map(({ help }) => help);
  assert.deepEqual(texts(), ["old", "gone", "new"]);
  await first.tsdb.close();

  const nowMs = first.clock.nowMs();
  const second = await openTest(directory, { ...options, nowMs });
  assert.deepEqual(traces(second), all);
  for (let i = 0; i < 6; i++) {
    const appender = second.tsdb.appender();
    appender.append(appender.reference(Labels.from({ __name__: "m", id: "a" })), nowMs - 6 + i, i);
    appender.commit();
    await second.tsdb.truncate(baseTimeMs + 2 * minuteMs);
  }
  assert.deepEqual(texts(), ["new"]);
  const appender = second.tsdb.appender();
  note(appender, "a", nowMs, "new");
  appender.commit();
  assert.deepEqual(texts(), ["new"]);
  await second.tsdb.close();

  const third = await openTest(directory, { ...options, nowMs });
  assert.deepEqual(traces(third), ["a-120000", "a-180000", "a-240000"]);
  await third.tsdb.close();
});

test("what is committed during the replay comes with it, and nothing comes of what is rolled back", async (t) => {
  const directory = directoryOf(t);
  const first = await openTest(directory, options);
  const appender = first.tsdb.appender();
  note(appender, "a", baseTimeMs, "one");
  appender.commit();
  note(appender, "b", baseTimeMs, "two");
  appender.rollback();
  assert.deepEqual(traces(first), ["a-0"]);
  await first.tsdb.close();
  const second = openEarly(directory, options);
  const early = second.tsdb.appender();
  note(early, "c", baseTimeMs, "three");
  early.commit();
  await second.tsdb.ready;
  assert.deepEqual(traces(second), ["a-0", "c-0"]);
  await second.tsdb.close();
  assert.deepEqual(
    metadata(directory).map(({ help }) => help),
    ["one", "three"],
  );
});
