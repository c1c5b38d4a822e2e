import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { createHistogram, type Histogram, Labels, Matcher, parseHistogram } from "../../model/index.ts";
import type { StoredHistogram } from "../../storage/index.ts";
import { MaintenanceThread } from "../maintenance/maintenance-thread.ts";
import { openSamplesMax } from "./head.ts";
import { abandon, baseTimeMs, directoryOf, type Opened, openTest } from "../test-support.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function histogramOf(minute: number): Histogram {
  return parseHistogram(`schema:0 count:${minute + 3} sum:${minute} buckets:[${minute + 1} 2]`).histogram;
}

function open(directory: string, nowMs: number): Promise<Opened> {
  return openTest(directory, {
    nowMs,
    outOfOrderWindowMs: 3 * hourMs,
    keeper: (parts) => new MaintenanceThread({ ...parts, logger: silentLogger }),
  });
}

/** Appends histograms of minutes after `baseTimeMs` in one commit; returns how many were taken. */
function append({ tsdb }: Opened, minutes: readonly number[]): number {
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "h" }));
  for (const minute of minutes)
    appender.appendHistogram(ref, baseTimeMs + minute * minuteMs, histogramOf(minute), "integer");
  return appender.commit().appended;
}

function read({ tsdb }: Opened): readonly StoredHistogram[] {
  const range = { minTimestampMs: 0, maxTimestampMs: Number.MAX_SAFE_INTEGER };
  const querier = tsdb.queryable.querier(range.minTimestampMs, range.maxTimestampMs);
  const set = querier.select([], range, true);
  const found =
    set.length === 0 ? [] : set.readHistograms!(0, range.minTimestampMs, range.maxTimestampMs, false);
  querier.close();
  return found;
}

/** The minutes that a query finds; every histogram must be its minute's. */
function minutesOf(opened: Opened): number[] {
  return read(opened).map(({ timestampMs, histogram }) => {
    const minute = (timestampMs - baseTimeMs) / minuteMs;
    const { count, sum, positive } = histogram;
    const expected = histogramOf(minute);
    assert.deepEqual(
      [count, sum, [...positive.counts]],
      [expected.count, expected.sum, [...expected.positive.counts]],
    );
    return minute;
  });
}

test("native histograms come out of order, survive kill -9, and go to blocks", async (t) => {
  const directory = directoryOf(t);
  const nowMs = baseTimeMs + 6 * hourMs;
  const opened = await open(directory, nowMs);
  assert.equal(append(opened, [200, 210]), 2);
  assert.equal(append(opened, [205, 100, 150, 10]), 3);
  assert.equal(append(opened, [205]), 0);
  assert.deepEqual(minutesOf(opened), [100, 150, 200, 205, 210]);
  // What 210 said of the one before it, 200, does not hold for 205.
  assert.deepEqual(
    read(opened).map(({ histogram }) => histogram.counterReset),
    ["unknown", "unknown", "unknown", "unknown", "unknown"],
  );
  const text = opened.registry.expose("text");
  assert.ok(text.includes('prometheus_tsdb_head_out_of_order_samples_appended_total{type="histogram"} 3\n'));
  assert.ok(text.includes('prometheus_tsdb_too_old_samples_total{type="histogram"} 1\n'));
  await opened.tsdb.deleteSeries({
    selectors: [[new Matcher("=", "__name__", "h")]],
    minTimestampMs: baseTimeMs + 140 * minuteMs,
    maxTimestampMs: baseTimeMs + 160 * minuteMs,
  });
  assert.deepEqual(minutesOf(opened), [100, 200, 205, 210]);
  abandon(directory);
  const again = await open(directory, nowMs);
  assert.deepEqual(minutesOf(again), [100, 200, 205, 210]);
  await again.clock.advance(hourMs);
  assert.equal(append(again, [420, 300, 421]), 3);
  await again.clock.advance(2 * minuteMs);
  await again.tsdb.maintained;
  assert.ok(again.tsdb.blocks().length > 0);
  assert.deepEqual(minutesOf(again), [100, 200, 205, 210, 300, 420, 421]);
  await again.tsdb.close();
});

test("a chunk that is too long for a file stays in memory and log", async (t) => {
  const directory = directoryOf(t);
  const options = {
    nowMs: baseTimeMs + hourMs,
    outOfOrderWindowMs: 3 * hourMs,
    kernelBytes: 512 * 1024 * 1024,
  };
  const indices = Array.from({ length: 20_000 }, (_, i) => i);
  const ofMinute = (minute: number): Histogram => {
    const counts = indices.map((i) => minute + Math.sin(i * 77 + minute) ** 2);
    const count = counts.reduce((sum, value) => sum + value, 0);
    return createHistogram({ count, sum: minute, positive: { indices, counts } });
  };
  let opened = await openTest(directory, options);
  // One more than a list takes, and the newest.
  const late = Array.from({ length: openSamplesMax + 1 }, (_, minute) => minute);
  for (const minute of [59, ...late]) {
    const appender = opened.tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "h" }));
    appender.appendHistogram(ref, baseTimeMs + minute * minuteMs, ofMinute(minute), "float");
    assert.equal(appender.commit().appended, 1);
  }
  for (let start = 0; start < 3; start++) {
    const found = read(opened);
    assert.deepEqual(
      found.map(({ timestampMs }) => (timestampMs - baseTimeMs) / minuteMs),
      [...late, 59],
      `start ${start}`,
    );
    found.forEach(({ histogram }, i) =>
      assert.deepEqual(histogram.positive.counts, ofMinute([...late, 59][i]!).positive.counts),
    );
    await opened.tsdb.close();
    opened = await openTest(directory, options);
  }
  await opened.tsdb.close();
});
