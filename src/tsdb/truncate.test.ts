import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { Labels, Matcher } from "../model/index.ts";
import { baseTimeMs, dump, type Opened, openTest, temporaryDirectory } from "./test-support.ts";

const hourMs = 3_600_000;

/** Half an hour in which fifty series go on and a generation of new ones comes and ends. */
async function halfHour({ tsdb, clock }: Opened, generation: number): Promise<void> {
  for (let i = 0; i < 30; i++) {
    const appender = tsdb.appender();
    for (let k = 0; k < 50; k++)
      appender.append(
        appender.reference(Labels.from({ __name__: "lasting", k: `${k}` })),
        clock.nowMs(),
        i * k,
      );
    for (let k = 0; k < 100; k++) {
      const labels = {
        __name__: "passing",
        k: `${k}`,
        pod: `pod-${generation}-${k}`,
        [`label_${generation}`]: "x",
      };
      appender.append(appender.reference(Labels.from(labels)), clock.nowMs(), i);
    }
    appender.commit();
    await clock.advance(60_000);
  }
}

test("series that ended go, and what they occupied is used again", async () => {
  const directory = temporaryDirectory();
  try {
    const opened = await openTest(directory, { retention: { timeMs: 1000 * hourMs } });
    const { tsdb, kernel, clock } = opened;
    const usedBytes: number[] = [];
    for (let generation = 0; generation < 24; generation++) {
      await halfHour(opened, generation);
      await tsdb.truncate(clock.nowMs() - 2 * hourMs);
      await clock.advance(1000);
      usedBytes.push(kernel.arena.usage().usedBytes);
    }
    const early = Math.max(...usedBytes.slice(6, 12));
    const late = Math.max(...usedBytes.slice(-6));
    assert.ok(late < early * 1.05, `${early} bytes early on, ${late} in the end`);
    const { numSeries, labelValueCountByLabelName } = tsdb.stats(1000);
    assert.ok(numSeries <= 50 + 7 * 100, `${numSeries} series`);
    assert.equal(
      labelValueCountByLabelName.find(({ name }) => name === "label_3"),
      undefined,
    );
    const lasting = dump(
      kernel,
      tsdb.queryable,
      [new Matcher("=", "__name__", "lasting")],
      clock.nowMs() - 2 * hourMs,
    );
    assert.equal(lasting.size, 50);
    for (const samples of lasting.values()) assert.ok(samples.length >= 119);
    const segments = readdirSync(`${directory}/wal`).filter((name) => /^\d+$/.test(name));
    assert.ok(segments.length <= 5, `WAL is ${segments.join(" ")}`);

    const before = dump(kernel, tsdb.queryable, [], clock.nowMs() - 2 * hourMs);
    await tsdb.close();
    const again = await openTest(directory, { nowMs: clock.nowMs(), retention: { timeMs: 1000 * hourMs } });
    assert.deepEqual(dump(again.kernel, again.tsdb.queryable, [], clock.nowMs() - 2 * hourMs), before);
    await again.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a querier that was open before a truncation sees what it saw", async () => {
  const directory = temporaryDirectory();
  try {
    const opened = await openTest(directory);
    const { tsdb, kernel, clock } = opened;
    await halfHour(opened, 0);
    const hints = { minTimestampMs: 0, maxTimestampMs: clock.nowMs() };
    const querier = tsdb.queryable.querier(0, clock.nowMs());
    const set = querier.select([new Matcher("=~", "pod", ".+")], hints, true);
    const texts = Array.from({ length: set.length }, (_, i) => set.labels(i).toString());
    for (let generation = 1; generation < 4; generation++) {
      await tsdb.truncate(clock.nowMs() + 1);
      await clock.advance(2000);
      await halfHour(opened, generation);
    }
    assert.equal(texts.length, 100);
    assert.deepEqual(
      Array.from({ length: set.length }, (_, i) => set.labels(i).toString()),
      texts,
    );
    querier.close();
    assert.equal(dump(kernel, tsdb.queryable, [new Matcher("=~", "pod", "pod-0-.*")]).size, 0);
    await tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a ref that was handed out stays good over one truncation", async () => {
  const directory = temporaryDirectory();
  try {
    const { tsdb, clock } = await openTest(directory);
    const appender = tsdb.appender();
    const ref = appender.reference(Labels.from({ __name__: "slow" }));
    await tsdb.truncate(baseTimeMs);
    appender.append(ref, clock.nowMs(), 1);
    assert.equal(appender.commit().appended, 1);
    await tsdb.truncate(baseTimeMs + 1);
    await tsdb.truncate(baseTimeMs + 1);
    await tsdb.truncate(baseTimeMs + 1);
    assert.equal(tsdb.stats().numSeries, 0);
    await tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("retention drops whole chunk ranges by itself", async () => {
  const directory = temporaryDirectory();
  try {
    const opened = await openTest(directory, { retention: { timeMs: 4 * hourMs } });
    for (let generation = 0; generation < 16; generation++) await halfHour(opened, generation);
    const { minTimeMs } = opened.tsdb.stats();
    assert.ok(opened.clock.nowMs() - minTimeMs! <= 7 * hourMs);
    assert.ok(opened.clock.nowMs() - minTimeMs! >= 4 * hourMs);
    await opened.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a full memory drops the oldest range, also while the WAL is replayed", async () => {
  const directory = temporaryDirectory();
  try {
    const roomy = 256 * 1024 * 1024;
    const opened = await openTest(directory, { kernelBytes: roomy, memoryPressureRatio: 0.99 });
    const creating = opened.tsdb.appender();
    const refs = Array.from({ length: 4000 }, (_, k) =>
      creating.reference(Labels.from({ __name__: "noise", k: `${k}` })),
    );
    for (let round = 0; round < 240; round++) {
      const appender = opened.tsdb.appender();
      for (const ref of refs) appender.append(ref, opened.clock.nowMs(), Math.random());
      assert.equal(appender.commit().appended, 4000);
      await opened.clock.advance(90_000);
    }
    const nowMs = opened.clock.nowMs();
    const newest = dump(opened.kernel, opened.tsdb.queryable, [], nowMs - hourMs);
    await opened.tsdb.close();
    assert.equal(newest.size, 4000);

    const tight = await openTest(directory, { nowMs, memoryPressureRatio: 0.15 });
    assert.deepEqual(dump(tight.kernel, tight.tsdb.queryable, [], nowMs - hourMs), newest);
    assert.match(tight.registry.expose(), /narthex_tsdb_pressure_truncations_total [1-9]/);
    await tight.tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what is appended during a truncation counts for the head's times", async () => {
  const directory = temporaryDirectory();
  try {
    const { tsdb, kernel, clock } = await openTest(directory);
    const appender = tsdb.appender();
    for (let k = 0; k < 5000; k++)
      appender.append(appender.reference(Labels.from({ __name__: "old", k: `${k}` })), baseTimeMs, k);
    appender.commit();
    await clock.advance(1000);
    const truncated = tsdb.truncate(baseTimeMs + 1);
    await Promise.resolve();
    appender.append(appender.reference(Labels.from({ __name__: "new" })), baseTimeMs + 1, 1);
    appender.commit();
    await truncated;
    const { minTimeMs, maxTimeMs } = tsdb.stats();
    assert.deepEqual([minTimeMs, maxTimeMs], [baseTimeMs + 1, baseTimeMs + 1]);
    const querier = tsdb.queryable.querier(0, baseTimeMs + 1);
    const hints = { minTimestampMs: 0, maxTimestampMs: baseTimeMs + 1 };
    assert.deepEqual(querier.labelValues("__name__", [new Matcher("=", "__name__", "new")], hints), ["new"]);
    querier.close();
    assert.equal(dump(kernel, tsdb.queryable).size, 1);
    await tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
