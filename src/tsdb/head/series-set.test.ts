import assert from "node:assert/strict";
import { test } from "node:test";
import { systemDisk } from "../../base/index.ts";
import type { Kernel, Snapshot } from "../../kernel/index.ts";
import { Labels } from "../../model/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import { BlockNotices } from "../block/damage.ts";
import { HeadChunkFiles, HeadChunkReader } from "../head-chunks/index.ts";
import { baseTimeMs, directoryOf, openTest } from "../test-support.ts";
import { HeadSeriesSet } from "./series-set.ts";
import { SymbolReader, SymbolTexts } from "./symbols.ts";

const range = [0, Number.MAX_SAFE_INTEGER] as const;

/** Reads the only series of a set into columns that were made before `meanwhile` happened; returns the times. */
function readWhile(kernel: Kernel, set: SeriesSet, meanwhile: () => void): number[] {
  const mark = kernel.scratch.mark();
  try {
    const capacity = set.sampleCountMax(0, ...range);
    const timestamps = kernel.scratch.allocate(8 * capacity + 64);
    const values = kernel.scratch.allocate(8 * capacity + 64);
    meanwhile();
    const count = set.read(0, ...range, false, { timestamps, values, capacity });
    return [...kernel.views.f64.subarray(timestamps / 8, timestamps / 8 + count)];
  } finally {
    kernel.scratch.release(mark);
  }
}

for (const before of [0, 1, 40])
  test(`late samples that come between the sizing and the filling of columns are left out, behind ${before}`, async (t) => {
    const { tsdb, kernel } = await openTest(directoryOf(t), {
      nowMs: baseTimeMs + 1000,
      outOfOrderWindowMs: 1000,
    });
    const append = (...times: number[]): void => {
      const appender = tsdb.appender();
      const ref = appender.reference(Labels.from({ __name__: "m" }));
      for (const timestampMs of times) appender.append(ref, baseTimeMs + timestampMs, 1);
      assert.equal(appender.commit().appended, times.length);
    };
    const known = Array.from({ length: before }, (_, i) => 400 + i);
    append(1000);
    if (before > 0) append(...known);
    const querier = tsdb.queryable.querier(...range);
    const set = querier.select([], { minTimestampMs: range[0], maxTimestampMs: range[1] }, true);
    const times = readWhile(kernel, set, () => append(...Array.from({ length: 200 }, (_, i) => 100 + i)));
    assert.deepEqual(
      times.map((ms) => ms - baseTimeMs),
      [...known, 1000],
    );
    querier.close();
    await tsdb.close();
  });

for (const looks of [1, 2, 3])
  test(`floats with start timestamps that come while their series is read are left out, after ${looks} looks at the snapshot`, async (t) => {
    const { tsdb, kernel } = await openTest(directoryOf(t), { storesStarts: true });
    const append = (timestampMs: number): void => {
      const appender = tsdb.appender();
      const ref = appender.reference(Labels.from({ __name__: "m" }));
      appender.append(ref, baseTimeMs + timestampMs, 1, baseTimeMs - 1);
      assert.equal(appender.commit().appended, 1);
    };
    append(1);
    append(2);
    const files = new HeadChunkFiles(kernel, systemDisk);
    const chunks = new HeadChunkReader(kernel, files, new BlockNotices());
    kernel.epoch.enter();
    const real = kernel.isolation.snapshot();
    let looksLeft = Infinity;
    // As if another thread committed then.
    const snapshot = {
      untilMs(ref: number): number {
        const untilMs = real.untilMs(ref);
        if (--looksLeft === 0) append(3);
        return untilMs;
      },
    } as Snapshot;
    const refs = Uint32Array.of(1);
    const labelsPtrs = Uint32Array.of(kernel.series.labelsPtr(1));
    const symbols = new SymbolReader(kernel, new SymbolTexts());
    const set = new HeadSeriesSet(kernel, symbols, snapshot, chunks, "all", refs, labelsPtrs);
    const times = readWhile(kernel, set, () => (looksLeft = looks));
    assert.deepEqual(
      times.map((ms) => ms - baseTimeMs),
      [1, 2],
    );
    kernel.epoch.leave();
    chunks.close();
    files.close();
    await tsdb.close();
  });
