import assert from "node:assert/strict";
import { readdirSync, rmSync, truncateSync } from "node:fs";
import { test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { MaintenanceThread } from "../maintenance/maintenance-thread.ts";
import {
  abandon,
  baseTimeMs,
  directoryOf,
  dump,
  ForwardingDisk,
  type Opened,
  type OpenOptions,
  openTest,
} from "../test-support.ts";
import { isInFile, openEncoding, outOfOrderRuns } from "./chunks.ts";
import { openSamplesMax } from "./head.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const nowMs = baseTimeMs + 12 * hourMs;

function open(directory: string, options: OpenOptions = {}): Promise<Opened> {
  return openTest(directory, {
    nowMs,
    outOfOrderWindowMs: 10 * hourMs,
    keeper: (parts) => new MaintenanceThread({ ...parts, logger: silentLogger }),
    ...options,
  });
}

function append({ tsdb }: Opened, seconds: readonly number[]): number {
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m" }));
  for (const second of seconds) appender.append(ref, baseTimeMs + second * 1000, second);
  return appender.commit().appended;
}

/** Seconds after `baseTimeMs` that a query finds. */
function secondsOf({ kernel, tsdb }: Opened): number[] {
  return [...dump(kernel, tsdb.queryable).values()].flatMap((samples) =>
    samples.map(([timestampMs]) => (timestampMs - baseTimeMs) / 1000),
  );
}

/** How many samples are where, of the only series. */
function placesOf({ kernel }: Opened): { open: number; memory: number; files: number } {
  const places = { open: 0, memory: 0, files: 0 };
  for (const { ptr, encoding, count } of outOfOrderRuns(kernel.views, 1, -Infinity, Infinity)) {
    if (encoding === openEncoding) places.open += count;
    else places[isInFile(kernel.views, ptr) ? "files" : "memory"] += count;
  }
  return places;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The first is the newest of all; the others are late, and each commit mixes them. */
const newest = 40_000;
const late = upTo(500).map((i) => 10_000 + ((i * 179) % 500) * 10);
const all = [...late.toSorted((a, b) => a - b), newest];

async function appendLate(opened: Opened): Promise<void> {
  append(opened, [newest]);
  for (let at = 0, size = 1; at < late.length; at += size, size = (size % 71) + 7)
    assert.equal(append(opened, late.slice(at, at + size)), Math.min(size, late.length - at));
}

test("full lists leave the memory for files, and a start finds them there", async (t) => {
  const directory = directoryOf(t);
  let opened = await open(directory);
  await appendLate(opened);
  assert.deepEqual(secondsOf(opened), all);
  const files = late.length - (late.length % openSamplesMax);
  assert.deepEqual(placesOf(opened), { open: late.length - files, memory: 0, files });
  const text = opened.registry.expose("text");
  assert.ok(
    text.includes(`narthex_tsdb_out_of_order_chunks_mapped_total ${files / openSamplesMax}\n`),
    text.match(/.*out_of_order_chunks.*/g)?.join("\n"),
  );
  assert.match(text, /prometheus_tsdb_out_of_order_wbl_page_flushes_total [1-9]/);
  for (let start = 0; start < 3; start++) {
    if (start === 0) abandon(directory);
    else await opened.tsdb.close();
    opened = await open(directory);
    assert.deepEqual(secondsOf(opened), all);
    assert.deepEqual(placesOf(opened), { open: late.length - files, memory: 0, files });
  }
  append(opened, [11_111]);
  assert.equal(secondsOf(opened).length, all.length + 1);
  await opened.tsdb.close();
});

for (const [what, damage] of [
  ["gone", (directory: string) => rmSync(`${directory}/chunks_head`, { recursive: true })],
  [
    "torn",
    (directory: string) => {
      const name = readdirSync(`${directory}/chunks_head`).at(-1)!;
      truncateSync(`${directory}/chunks_head/${name}`, 700);
    },
  ],
] as const) {
  test(`when the files are ${what}, the log has all samples, and is written anew`, async (t) => {
    const directory = directoryOf(t);
    let opened = await open(directory);
    await appendLate(opened);
    abandon(directory);
    damage(directory);
    const expected = [...all];
    for (let start = 0; start < 3; start++) {
      opened = await open(directory);
      assert.deepEqual(secondsOf(opened), expected, `start ${start}`);
      // What was lost stays in memory until the list is full again, then all goes to files.
      const more = upTo(40).map((i) => 20_001 + 2 * (40 * start + i));
      assert.equal(append(opened, more), more.length);
      expected.push(...more);
      expected.sort((a, b) => a - b);
      assert.deepEqual(secondsOf(opened), expected);
      assert.equal(placesOf(opened).memory, 0);
      if (start === 0) abandon(directory);
      else await opened.tsdb.close();
    }
  });
}

test("a compaction empties the memory, and the files go when nothing else is in them", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs });
  const taken = new Set<number>();
  const put = (seconds: number[]): void => {
    assert.equal(append(opened, seconds), seconds.length);
    for (const each of seconds) taken.add(each);
  };
  for (let minute = 1; minute <= 600; minute++) {
    put([minute * 60]);
    if (minute > 10) put(upTo(5).map((i) => minute * 60 - 501 - i));
    await opened.clock.advance(minuteMs);
    await opened.tsdb.maintained;
  }
  assert.ok(opened.tsdb.blocks().length > 0);
  const expected = [...taken].sort((a, b) => a - b);
  assert.deepEqual(secondsOf(opened), expected);
  const { files, memory } = placesOf(opened);
  assert.equal(memory, 0);
  assert.ok(files < 5 * 240, `${files} late samples in files`);
  const names = readdirSync(`${directory}/chunks_head`);
  assert.ok(Number(names[0]) > 1, names.join(" "));
  abandon(directory);
  const again = await open(directory, { nowMs: opened.clock.nowMs() });
  assert.deepEqual(secondsOf(again), expected);
  assert.equal(placesOf(again).files, files);
  await again.tsdb.close();
});

test("what cannot be written stays in memory, and is moved with the next list", async (t) => {
  const directory = directoryOf(t);
  const disk = new (class extends ForwardingDisk {
    isFull = false;
    override open(path: string, flags: string): number {
      if (this.isFull && path.includes("/chunks_head/")) throw new Error("ENOSPC");
      return super.open(path, flags);
    }
  })();
  let opened = await open(directory, { disk });
  append(opened, [newest]);
  disk.isFull = true;
  append(opened, late.slice(0, 70));
  assert.deepEqual(placesOf(opened), { open: 6, memory: 64, files: 0 });
  abandon(directory);
  const copy = await open(directory);
  assert.deepEqual(secondsOf(copy), [...late.slice(0, 70).sort((a, b) => a - b), newest]);
  await copy.tsdb.close();
  opened = await open(directory, { disk });
  disk.isFull = false;
  append(opened, late.slice(70));
  assert.equal(placesOf(opened).memory, 0);
  assert.deepEqual(secondsOf(opened), all);
  abandon(directory);
  opened = await open(directory);
  assert.deepEqual(secondsOf(opened), all);
  await opened.tsdb.close();
});

test("histograms share chunks, and floats and histograms keep their start timestamps", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { storesStarts: true });
  const histogramOf = (i: number) =>
    parseHistogram(`schema:0 count:${i + 3} sum:${i} buckets:[${i + 1} 2]`).histogram;
  const appender = opened.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m" }));
  appender.append(ref, baseTimeMs + newest * 1000, 1, 7);
  appender.commit();
  // Floats between histograms: 40 of each.
  for (const i of upTo(80).toReversed()) {
    const ms = baseTimeMs + (i < 40 ? 20_000 : 30_000) * 1000 + i;
    if (i < 40) appender.append(ref, ms, i, ms - 100 - i);
    else appender.appendHistogram(ref, ms, histogramOf(i), "integer", ms - 100 - i);
    appender.commit();
  }
  const check = ({ tsdb, kernel }: Opened): void => {
    const querier = tsdb.queryable.querier(0, Number.MAX_SAFE_INTEGER);
    const range = [0, Number.MAX_SAFE_INTEGER] as const;
    const set = querier.select([], { minTimestampMs: range[0], maxTimestampMs: range[1] }, true);
    const histograms = set.readHistograms!(0, ...range, false);
    assert.deepEqual(
      histograms.map(({ timestampMs, histogram, startTimestampMs }) => [
        histogram.sum,
        timestampMs - startTimestampMs,
      ]),
      upTo(40).map((i) => [40 + i, 140 + i]),
    );
    const starts = set.readStarts!(0, ...range);
    assert.deepEqual(
      [...starts]
        .map(([ms, start]) => ms - start)
        .sort((a, b) => a - b)
        .slice(0, 40),
      upTo(40).map((i) => 100 + i),
    );
    querier.close();
    assert.equal([...dump(kernel, tsdb.queryable).values()][0]!.length, 41);
  };
  check(opened);
  const runs = outOfOrderRuns(opened.kernel.views, 1, -Infinity, Infinity);
  // 32 histograms; 8 with 24 floats; what is left of the floats.
  assert.deepEqual(
    runs.map(({ encoding, count }) => [encoding, count]),
    [
      [openEncoding, 16],
      [5, 8],
      [4, 24],
      [5, 32],
    ],
  );
  abandon(directory);
  const again = await open(directory, { storesStarts: true });
  check(again);
  assert.equal(placesOf(again).files, 64);
  await again.tsdb.close();
});
