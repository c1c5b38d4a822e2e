import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { attachKernel, staleMarkerBits } from "../../kernel/index.ts";
import { Labels, Matcher } from "../../model/index.ts";
import type { Querier } from "../../storage/index.ts";
import { createHeadQueryable } from "../index.ts";
import { openTest, temporaryDirectory } from "../test-support.ts";

const matchers = [new Matcher("=", "__name__", "m")];

test("the newest float is had without decoding, by the writer's thread, of the state that a querier sees", async () => {
  const directory = temporaryDirectory();
  try {
    const { tsdb, kernel, clock } = await openTest(directory);
    const { f64, u64 } = kernel.views;
    const columns = {
      timestamps: kernel.scratch.allocate(64),
      values: kernel.scratch.allocate(64),
      capacity: 1,
    };
    const startMs = clock.nowMs();
    const append = (timestampMs: number, value: number | "stale"): void => {
      const appender = tsdb.appender();
      const ref = appender.reference(Labels.from({ __name__: "m" }));
      if (value === "stale") appender.appendStale(ref, timestampMs);
      else appender.append(ref, timestampMs, value);
      appender.commit();
    };
    const newest = (
      querier: Querier,
      minMs = startMs - 1000,
      maxMs = startMs + 60_000,
    ): number | undefined => {
      const set = querier.select(matchers, { minTimestampMs: minMs, maxTimestampMs: maxMs }, false);
      assert.equal(set.length, 1);
      if (set.readNewest!(0, minMs, maxMs, columns) === 0) return undefined;
      return f64[columns.timestamps / 8];
    };
    append(startMs, 1);
    append(startMs + 1000, -2.5);
    const before = tsdb.queryable.querier(startMs, startMs + 60_000);
    assert.equal(newest(before), startMs + 1000);
    assert.equal(f64[columns.values / 8], -2.5);
    assert.equal(newest(before, startMs - 1000, startMs + 999), undefined, "too new");
    assert.equal(newest(before, startMs + 1000), startMs + 1000);
    append(startMs + 2000, "stale");
    assert.equal(newest(before), undefined, "appended since");
    before.close();

    const after = tsdb.queryable.querier(startMs, startMs + 60_000);
    assert.equal(newest(after), startMs + 2000);
    assert.equal(u64[columns.values / 8], staleMarkerBits);
    after.close();

    const reader = attachKernel(kernel.claimReader());
    const elsewhere = createHeadQueryable(reader).querier(startMs, startMs + 60_000);
    assert.equal(newest(elsewhere), undefined, "the writer may be in the middle of it");
    elsewhere.close();
    await tsdb.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
