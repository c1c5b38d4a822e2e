import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { attachKernel, type ByteBuffer, layout, MemoryFullError } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import type { AppendResult } from "../../storage/index.ts";
import { createHeadQueryable } from "../head/querier.ts";
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

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const rangeMs = 2 * hourMs;

function open(directory: string, options: OpenOptions = {}): Promise<Opened> {
  return openTest(directory, {
    outOfOrderWindowMs: 3 * hourMs,
    keeper: (parts) => new MaintenanceThread({ ...parts, logger: silentLogger }),
    ...options,
  });
}

/** Appends samples of minutes after `baseTimeMs`, each with its minute as value, in one commit. */
function append({ tsdb }: Opened, id: string, minutes: readonly number[]): AppendResult {
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m", id }));
  for (const minute of minutes) appender.append(ref, baseTimeMs + minute * minuteMs, minute);
  return appender.commit();
}

/** The minutes that a query finds, by series; every value must be its minute. */
function minutesOf({
  tsdb,
  kernel,
}: Pick<Opened, "kernel"> & { tsdb: Pick<Opened["tsdb"], "queryable"> }): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  const bits = new BigUint64Array(1);
  const value = new Float64Array(bits.buffer);
  for (const [labels, samples] of dump(kernel, tsdb.queryable)) {
    if (samples.length === 0) continue;
    found[/id="(.*?)"/.exec(labels)![1]!] = samples.map(([timestampMs, sampleBits]) => {
      bits[0] = sampleBits;
      assert.equal(timestampMs, baseTimeMs + value[0]! * minuteMs);
      return value[0]!;
    });
  }
  return found;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("samples within the window are stored in whatever order they come, older ones refused", async (t) => {
  const opened = await open(directoryOf(t), { nowMs: baseTimeMs + 12 * hourMs });
  assert.equal(append(opened, "a", [300]).appended, 1);
  const late = append(opened, "a", [290, 299, 240, 121, 119, 120]);
  assert.deepEqual([late.appended, late.outOfOrder, late.tooOld], [5, 0, 1]);
  // Known ones are nothing new; nor are those that are too old for a series without samples.
  assert.deepEqual(append(opened, "a", [290, 300]).appended, 0);
  assert.equal(append(opened, "b", [10]).appended, 0);
  assert.equal(append(opened, "b", [200, 150, 201]).appended, 3);
  assert.deepEqual(minutesOf(opened), { a: [120, 121, 240, 290, 299, 300], b: [150, 200, 201] });
  const lines = opened.registry.expose("text").split("\n");
  for (const line of [
    'prometheus_tsdb_too_old_samples_total{type="float"} 2',
    'prometheus_tsdb_head_out_of_order_samples_appended_total{type="float"} 8',
    'prometheus_tsdb_head_samples_appended_total{type="float"} 9',
    // Those that are known or too old are late as well.
    "prometheus_tsdb_sample_ooo_delta_count 11",
  ])
    assert.ok(lines.includes(line), line);
  opened.tsdb.setOutOfOrderWindow(0);
  assert.deepEqual(append(opened, "a", [291]).outOfOrder, 1);
  await opened.tsdb.close();
});

test("many of them survive kill -9, and readers on other threads see them", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs + 12 * hourMs });
  append(opened, "a", [600]);
  // Backwards, so that all but the first are late, in several chunks.
  const shuffled = upTo(599)
    .toReversed()
    .filter((minute) => minute > 450);
  assert.equal(append(opened, "a", shuffled).appended, shuffled.length);
  const expected = { a: [...shuffled.toReversed(), 600] };
  assert.deepEqual(minutesOf(opened), expected);
  const reader = attachKernel(opened.kernel.handle(9));
  assert.deepEqual(minutesOf({ kernel: reader, tsdb: { queryable: createHeadQueryable(reader) } }), expected);
  abandon(directory);
  const again = await open(directory, { nowMs: baseTimeMs + 12 * hourMs });
  assert.deepEqual(minutesOf(again), expected);
  append(again, "a", [440, 500]);
  assert.deepEqual(minutesOf(again), { a: [440, ...expected.a] });
  await again.tsdb.close();
  const third = await open(directory, { nowMs: baseTimeMs + 12 * hourMs, outOfOrderWindowMs: 0 });
  assert.deepEqual(minutesOf(third), { a: [440, ...expected.a] });
  await third.tsdb.close();
  assert.ok(existsSync(`${directory}/wbl`));
});

test("without late samples there is no write-behind log", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs + hourMs });
  append(opened, "a", [1, 2, 3]);
  await opened.tsdb.close();
  assert.ok(!existsSync(`${directory}/wbl`));
});

test("deletions hide late samples, too", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs + 12 * hourMs });
  append(opened, "a", [300, 200, 210, 220]);
  append(opened, "b", [300, 200]);
  const remove = (id: string, from: number, to: number): Promise<void> =>
    opened.tsdb.deleteSeries({
      selectors: [[new Matcher("=", "id", id)]],
      minTimestampMs: baseTimeMs + from * minuteMs,
      maxTimestampMs: baseTimeMs + to * minuteMs,
    });
  await remove("a", 205, 215);
  await remove("b", 0, 1000);
  assert.deepEqual(minutesOf(opened), { a: [200, 220, 300] });
  abandon(directory);
  const again = await open(directory, { nowMs: baseTimeMs + 12 * hourMs });
  assert.deepEqual(minutesOf(again), { a: [200, 220, 300] });
  await again.tsdb.close();
});

test("they go to blocks of their own after those of the head, which then are merged", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs });
  const { tsdb, clock } = opened;
  const appended = new Set<number>();
  for (let minute = 0; minute < 360; minute += 10) {
    const minutes = minute < 120 ? [minute] : [minute, minute - 115, minute - 5];
    for (const each of minutes) appended.add(each);
    append(opened, "a", minutes);
    await clock.advance(10 * minuteMs);
    await tsdb.maintained;
  }
  const expected = { a: [...appended].sort((a, b) => a - b) };
  assert.deepEqual(minutesOf(opened), expected);
  const hintsOf = (): string[][] => tsdb.blocks().map(({ compaction }) => compaction.hints ?? []);
  await clock.advance(2 * minuteMs);
  await tsdb.maintained;
  assert.deepEqual(minutesOf(opened), expected);
  assert.ok(
    tsdb.blocks().some(({ compaction }) => compaction.level > 1),
    JSON.stringify(hintsOf()),
  );
  // What is in blocks is in the log no more.
  const segments = readdirSync(`${directory}/wbl`).map(Number);
  assert.ok(Math.min(...segments) > 0, segments.join(" "));
  cpSync(directory, `${directory}-copy`, { recursive: true });
  t.after(() => rmSync(`${directory}-copy`, { recursive: true, force: true }));
  await tsdb.close();
  rmSync(`${directory}-copy/lock`, { force: true });
  for (const path of [directory, `${directory}-copy`]) {
    const again = await open(path, { nowMs: clock.nowMs() });
    assert.deepEqual(minutesOf(again), expected);
    await again.tsdb.close();
  }
});

test("a series of which only late samples are left stays until they are in blocks", async (t) => {
  const directory = directoryOf(t);
  const opened = await open(directory, { nowMs: baseTimeMs + 4 * hourMs });
  append(opened, "other", [239]);
  append(opened, "a", [200]);
  append(opened, "a", [100]);
  for (let i = 0; i < 3; i++) await opened.tsdb.truncate(baseTimeMs + 2 * rangeMs);
  assert.deepEqual(minutesOf(opened), { a: [100] });
  await opened.tsdb.close();
});

test("a write-behind log that cannot be written refuses late samples and keeps the others", async (t) => {
  const directory = directoryOf(t);
  const disk = new (class extends ForwardingDisk {
    isFull = false;
    override open(path: string, flags: string): number {
      if (this.isFull && path.includes("/wbl/")) throw new Error("ENOSPC");
      return super.open(path, flags);
    }
  })();
  const opened = await open(directory, { nowMs: baseTimeMs + 12 * hourMs, disk });
  append(opened, "a", [300]);
  disk.isFull = true;
  assert.throws(() => append(opened, "a", [301, 299]), { code: "unavailable" });
  assert.deepEqual(minutesOf(opened), { a: [300, 301] });
  disk.isFull = false;
  assert.equal(append(opened, "a", [301, 299]).appended, 1);
  assert.deepEqual(minutesOf(opened), { a: [299, 300, 301] });
  await opened.tsdb.close();
});

test("without memory for late samples the others of their commit count as stored", async (t) => {
  const opened = await open(directoryOf(t), { nowMs: baseTimeMs + 12 * hourMs });
  append(opened, "a", [300]);
  // The appender gives its batch back, which the next one finds; and so does the query its scratch.
  await new Promise(setImmediate);
  assert.deepEqual(minutesOf(opened), { a: [300] });
  const taken = fillMemory(opened.kernel);
  const result = append(opened, "a", [301, 299, 298]);
  assert.deepEqual([result.appended, result.memoryFull, result.outOfOrder], [1, 2, 0]);
  for (const buffer of taken) buffer.close();
  assert.deepEqual(minutesOf(opened), { a: [300, 301] });
  assert.equal(append(opened, "a", [299, 298]).appended, 2);
  assert.deepEqual(minutesOf(opened), { a: [298, 299, 300, 301] });
  await opened.tsdb.close();
});

/** Takes every page there is, until the buffers are closed. */
function fillMemory(kernel: Opened["kernel"]): ByteBuffer[] {
  const taken: ByteBuffer[] = [];
  for (let bytes = layout.memoryBytesMin; bytes >= layout.pageBytes;) {
    const buffer = kernel.createByteBuffer(bytes);
    try {
      buffer.reserve(bytes - layout.slackBytes);
      taken.push(buffer);
    } catch (error) {
      if (!(error instanceof MemoryFullError)) throw error;
      bytes /= 2;
    }
  }
  return taken;
}
