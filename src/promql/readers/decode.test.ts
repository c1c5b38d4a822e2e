import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../../base/index.ts";
import { createKernel } from "../../kernel/index.ts";
import { Labels, parseHistogram } from "../../model/index.ts";
import { MemoryStorage } from "../testing/memory-storage.ts";
import { Answerer } from "./answer.ts";
import { decodeVector } from "./decode.ts";
import { type EvaluationOptions, SharedWords } from "./messages.ts";

test("a vector from another thread has its native histograms whole", () => {
  const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
  const queryable = new MemoryStorage(kernel);
  const histogram = parseHistogram(
    "schema:2 count:4 sum:7 z_bucket:1 z_bucket_w:0.001 buckets:[1 0 2]",
  ).histogram;
  queryable.appendHistogram(Labels.from({ __name__: "m", k: "b" }), 1000, histogram);
  for (const k of ["a", "c"]) queryable.append(Labels.from({ __name__: "m", k }), 1000, 0.5);
  const settings = {
    parser: {},
    features: {},
    samplesMax: 1000,
    memoryBytesMax: 1024 * 1024,
    perStepStats: false,
  };
  const parts = {
    kernel,
    queryable,
    clock: new SimulatedClock(),
    words: new SharedWords(),
    settings,
    reader: 0,
  };
  const options: EvaluationOptions = {
    deadlineMs: Infinity,
    lookbackDeltaMs: 300_000,
    limit: 0,
    stats: "",
    countSamples: false,
    explain: false,
    wholeHistograms: true,
    queuedMs: 0,
    warnings: [],
  };
  const ask = (text: string) =>
    decodeVector(new Answerer(parts).answer({ kind: "instant", text, timestampMs: 2000, options }));
  const labels = (k: string) => Labels.from({ __name__: "m", k });
  assert.deepEqual(
    ask("m").map((sample) => ({ ...sample, labels: sample.labels.toString() })),
    [
      { labels: labels("b").toString(), timestampMs: 2000, value: NaN, histogram },
      { labels: labels("a").toString(), timestampMs: 2000, value: 0.5 },
      { labels: labels("c").toString(), timestampMs: 2000, value: 0.5 },
    ],
  );
  assert.deepEqual(ask("1.5"), [{ labels: Labels.empty, timestampMs: 2000, value: 1.5 }]);
  assert.throws(() => ask("m[1m]"), { code: "execution" });
});
