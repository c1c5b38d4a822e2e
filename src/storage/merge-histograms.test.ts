import assert from "node:assert/strict";
import { test } from "node:test";
import { createKernel } from "../kernel/index.ts";
import { Labels, Matcher, parseHistogram } from "../model/index.ts";
import { MemoryStorage } from "../promql/testing/index.ts";
import { mergeHistograms, MergeQuerier } from "./index.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const labels = Labels.from({ __name__: "h" });

function storageOf(counts: Readonly<Record<number, number>>): MemoryStorage {
  const storage = new MemoryStorage(kernel);
  for (const [timestampMs, count] of Object.entries(counts)) {
    storage.appendHistogram(labels, Number(timestampMs), parseHistogram(`count:${count}`).histogram);
  }
  return storage;
}

test("histograms of one series in several storages come in the order of their times, the first storage's first", () => {
  const storages = [storageOf({ 10: 1, 30: 3 }), storageOf({ 10: 9, 20: 2, 40: 4 }), storageOf({ 50: 5 })];
  const querier = new MergeQuerier(
    kernel,
    storages.map((storage) => storage.querier()),
  );
  const hints = { minTimestampMs: 0, maxTimestampMs: 100 };
  const set = querier.select([new Matcher("=", "__name__", "h")], hints, true);
  assert.equal(set.length, 1);
  const samples = set.readHistograms!(0, 0, 100, true);
  assert.deepEqual(
    samples.map(({ timestampMs, histogram }) => [timestampMs, histogram.count]),
    [
      [10, 1],
      [20, 2],
      [30, 3],
      [40, 4],
      [50, 5],
    ],
  );
  assert.deepEqual(set.readHistograms!(0, 15, 25, true).length, 1);
  querier.close();
});

test("what a sample says of resets holds only behind the one that it says it of", () => {
  const { histogram } = parseHistogram("count:1");
  const runOf = (...times: number[]) =>
    times.map((timestampMs) => ({
      timestampMs,
      histogram: { ...histogram, counterReset: "not_reset" as const },
      kind: "integer" as const,
      startTimestampMs: 0,
    }));
  const merged = mergeHistograms(runOf(10, 20, 50, 60), runOf(20, 30, 40, 70));
  assert.deepEqual(
    merged.map(({ timestampMs, histogram: { counterReset } }) => [timestampMs, counterReset]),
    [
      [10, "not_reset"],
      [20, "not_reset"],
      [30, "unknown"],
      [40, "not_reset"],
      [50, "unknown"],
      [60, "not_reset"],
      [70, "unknown"],
    ],
  );
});
