import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "@narthex/client";
import * as fc from "fast-check";
import { NarthexError, silentLogger, SimulatedClock, systemDisk } from "../base/index.ts";
import { createKernel, staleMarkerBits } from "../kernel/index.ts";
import { Labels, Matcher } from "../model/index.ts";
import type { AppendResult } from "../storage/index.ts";
import {
  abandon,
  baseTimeMs,
  bitsOf,
  type Dump,
  dump,
  kernelBytes,
  openEarly,
  openTest,
  type Opened,
  temporaryDirectory,
} from "./test-support.ts";
import { openTsdb, type TsdbParts } from "./tsdb.ts";

const chunkRangeMs = 7_200_000;
const counted: AppendResult = {
  appended: 0,
  outOfOrder: 0,
  duplicate: 0,
  outOfBounds: 0,
  tooOld: 0,
  tooFarInFuture: 0,
  memoryFull: 0,
};

test("what is committed can be queried, by label matchers and time", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { tsdb, kernel } = await openTest(directory);
  const appender = tsdb.appender();
  for (const instance of ["a", "b", "c"]) {
    const ref = appender.reference(Labels.from({ __name__: "up", instance, job: "x" }));
    for (let i = 0; i < 10; i++) appender.append(ref, baseTimeMs - 1000 * (10 - i), i);
  }
  assert.deepEqual(dump(kernel, tsdb.queryable), new Map(), "nothing is visible before the commit");
  assert.deepEqual(appender.commit(), { ...counted, appended: 30 });
  assert.equal(dump(kernel, tsdb.queryable).size, 3);
  const some = dump(kernel, tsdb.queryable, [new Matcher("=~", "instance", "a|c")], baseTimeMs - 3000);
  assert.deepEqual(
    [...some.keys()],
    ['{__name__="up", instance="a", job="x"}', '{__name__="up", instance="c", job="x"}'],
  );
  assert.deepEqual([...some.values()][0], [
    [baseTimeMs - 3000, bitsOf(7)],
    [baseTimeMs - 2000, bitsOf(8)],
    [baseTimeMs - 1000, bitsOf(9)],
  ]);
  const querier = tsdb.queryable.querier(0, baseTimeMs);
  const hints = { minTimestampMs: 0, maxTimestampMs: baseTimeMs };
  assert.deepEqual(querier.labelNames([], hints), ["__name__", "instance", "job"]);
  assert.deepEqual(querier.labelValues("instance", [], hints), ["a", "b", "c"]);
  assert.deepEqual(querier.labelValues("instance", [new Matcher("!=", "instance", "b")], hints), ["a", "c"]);
  assert.deepEqual(querier.labelValues("instance", [], { ...hints, limit: 2 }), ["a", "b"]);
  assert.deepEqual(querier.labelNames([new Matcher("=", "job", "none")], hints), []);
  assert.equal(
    querier.select([], { minTimestampMs: baseTimeMs + 1, maxTimestampMs: baseTimeMs + 2 }, true).length,
    0,
  );
  querier.close();
  await tsdb.close();
});

test("each refused sample is counted by its reason, and does not keep others out", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { tsdb, registry } = await openTest(directory);
  const appender = tsdb.appender();
  const refs = ["a", "b", "c", "d", "e", "f"].map((name) =>
    appender.reference(Labels.from({ __name__: name })),
  );
  for (const ref of refs) appender.append(ref, baseTimeMs, 1);
  appender.commit();
  appender.append(refs[0]!, baseTimeMs - 1, 1);
  appender.append(refs[1]!, baseTimeMs, 2);
  appender.append(refs[2]!, baseTimeMs - chunkRangeMs, 1);
  appender.append(refs[3]!, Date.UTC(2098, 0), 1);
  appender.append(refs[4]!, baseTimeMs, 1);
  appender.append(refs[5]!, baseTimeMs + 1, 1);
  assert.deepEqual(appender.commit(), {
    ...counted,
    appended: 1,
    outOfOrder: 1,
    duplicate: 1,
    outOfBounds: 1,
    tooFarInFuture: 1,
  });
  const metrics = registry.expose();
  assert.match(metrics, /prometheus_tsdb_out_of_order_samples_total\{type="float"\} 1\n/);
  assert.match(metrics, /prometheus_tsdb_head_samples_appended_total\{type="float"\} 7\n/);
  assert.match(metrics, /prometheus_tsdb_head_series 6\n/);
  await tsdb.close();
});

test("an appender takes more than its batch holds, and nothing when it is rolled back", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { tsdb, kernel } = await openTest(directory, { batchSamples: 32 });
  const appender = tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m" }));
  for (let i = 0; i < 1000; i++) appender.append(ref, baseTimeMs + i, i);
  assert.equal(appender.commit().appended, 1000);
  appender.append(ref, baseTimeMs + 2000, 1);
  appender.rollback();
  assert.equal(appender.commit().appended, 0);
  assert.equal(dump(kernel, tsdb.queryable).get('{__name__="m"}')!.length, 1000);
  await tsdb.close();
});

test("a series limit and a full memory refuse new series and leave the rest working", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { tsdb, kernel } = await openTest(directory);
  const appender = tsdb.appender();
  const first = appender.reference(Labels.from({ __name__: "first" }));
  let created = 0;
  assert.throws(
    () => {
      for (; ; created++)
        appender.reference(Labels.from({ __name__: "m", id: `${created}-${"x".repeat(2000)}` }));
    },
    (error: NarthexError) => error.code === "unavailable",
  );
  assert.ok(created > 1000);
  appender.append(first, baseTimeMs, 1);
  assert.equal(appender.commit().appended, 1);
  assert.equal(dump(kernel, tsdb.queryable).size, 1);
  await tsdb.close();

  const limited = await openTest(`${directory}/limited`, { seriesMax: 2 });
  const other = limited.tsdb.appender();
  other.reference(Labels.from({ __name__: "a" }));
  other.reference(Labels.from({ __name__: "b" }));
  other.reference(Labels.from({ __name__: "a" }));
  assert.throws(() => other.reference(Labels.from({ __name__: "c" })), /series limit of 2 reached/);
  await limited.tsdb.close();
});

test("a second start is refused, a stale lock is taken over", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const { tsdb } = await openTest(directory);
  await assert.rejects(openTest(directory), /data directory .* is in use by process \d+/);
  await tsdb.close();
  // As a Prometheus that was killed leaves it.
  writeFileSync(`${directory}/lock`, "");
  const again = await openTest(directory);
  await again.tsdb.close();
});

test("a start that fails leaves the directory to the next one", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const parts: TsdbParts = {
    kernel: createKernel({ limitBytes: kernelBytes }),
    disk: systemDisk,
    clock: new SimulatedClock(baseTimeMs),
    directory,
    logger: silentLogger,
    registry: new Registry(),
  };
  parts.registry.gauge({ name: "prometheus_tsdb_head_series", help: "Somebody else's." });
  assert.throws(() => openTsdb(parts), /prometheus_tsdb_head_series/);
  assert.ok(!existsSync(`${directory}/lock`));
  const again = await openTest(directory);
  await again.tsdb.close();
});

/** What the storage should hold, kept as plainly as possible. */
class Model {
  readonly series = new Map<string, { labels: Labels; samples: [number, bigint][] }>();

  append(labels: Labels, timestampMs: number, bits: bigint): void {
    const key = labels.toString();
    let entry = this.series.get(key);
    if (!entry) this.series.set(key, (entry = { labels, samples: [] }));
    const last = entry.samples.at(-1);
    if (!last || timestampMs > last[0]) entry.samples.push([timestampMs, bits]);
  }

  dump(matchers: readonly Matcher[], minMs: number, maxMs: number): Dump {
    const found = [...this.series.values()]
      .filter(({ labels }) => matchers.every((matcher) => matcher.matches(labels.get(matcher.name))))
      .sort((a, b) => a.labels.compare(b.labels));
    const result: Dump = new Map();
    for (const { labels, samples } of found) {
      const inside = samples.filter(([timestampMs]) => timestampMs >= minMs && timestampMs <= maxMs);
      if (inside.length > 0) result.set(labels.toString(), inside);
    }
    return result;
  }
}

const labelsArbitrary = fc
  .record({
    __name__: fc.constantFrom("up", "http_requests_total", "温度"),
    job: fc.constantFrom("", "node", "api", "𝔘nicode"),
    instance: fc.constantFrom("", "a", "b", "c", "ab"),
    le: fc.constantFrom("", "1", "+Inf"),
  })
  .map((record) => Labels.from(record));
const valueBitsArbitrary = fc.oneof(
  fc.integer({ min: -5, max: 1000 }).map(bitsOf),
  fc.double({ noNaN: true }).map(bitsOf),
  fc.constantFrom(staleMarkerBits, bitsOf(-0), bitsOf(Infinity)),
);
const matcherArbitrary = fc
  .tuple(
    fc.constantFrom("=", "!=", "=~", "!~"),
    fc.constantFrom("__name__", "job", "instance", "le", "absent"),
    fc.constantFrom("", "up", "node", "a", "a|b", "a.*", ".+", ".*", "|api", "[ab]+", "1|", "𝔘.*"),
  )
  .map(([type, name, value]) => new Matcher(type as "=", name, value));

type Step =
  | { kind: "append"; entries: [Labels, number, bigint][] }
  | { kind: "restart"; crash: boolean; early: [Labels, number, bigint][] }
  | { kind: "advance"; durationMs: number }
  | { kind: "truncate"; keepMs: number };

const entriesArbitrary = fc.array(
  fc.tuple(labelsArbitrary, fc.integer({ min: -90_000, max: 60_000 }), valueBitsArbitrary),
  { maxLength: 60 },
);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      entries: entriesArbitrary,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      durationMs: fc.integer({ min: 1000, max: 2_000_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      crash: fc.boolean(),
      early: entriesArbitrary,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("truncate" as const),
      keepMs: fc.integer({ min: 0, max: 4 * chunkRangeMs }),
    }),
  },
);

test("random appends, truncations and restarts leave what a plain model has", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepArbitrary, { minLength: 3, maxLength: 25 }),
      fc.array(fc.array(matcherArbitrary, { maxLength: 3 }), { minLength: 3, maxLength: 3 }),
      fc.constantFrom("none", "snappy", "zstd"),
      async (steps, queries, walCompression) => {
        const directory = temporaryDirectory();
        const model = new Model();
        let nowMs = baseTimeMs;
        let truncatedMs = 0;
        let opened: Opened = await openTest(directory, { walCompression: walCompression as "none" });
        try {
          for (const step of steps) {
            if (step.kind === "append") append(opened, model, step.entries, nowMs, truncatedMs);
            else if (step.kind === "advance") {
              nowMs += step.durationMs;
              await opened.clock.advance(step.durationMs);
            } else if (step.kind === "truncate") {
              truncatedMs = Math.max(truncatedMs, nowMs - step.keepMs);
              await opened.tsdb.truncate(truncatedMs);
            } else {
              if (step.crash) abandon(directory);
              else await opened.tsdb.close();
              opened = openEarly(directory, { walCompression: walCompression as "none", nowMs });
              assert.ok(opened.tsdb.isAppendable);
              append(opened, model, step.early, nowMs, truncatedMs);
              await opened.tsdb.ready;
            }
            for (const matchers of [[], ...queries]) {
              const expected = model.dump(matchers, truncatedMs, nowMs + 100_000);
              assert.deepEqual(
                dump(opened.kernel, opened.tsdb.queryable, matchers, truncatedMs, nowMs + 100_000),
                expected,
              );
            }
          }
          const { series } = opened.kernel;
          let chunks = 0;
          for (let ref = 1; ref <= series.highestRef; ref++)
            if (series.labelsPtr(ref) !== 0) chunks += series.chunkPtrs(ref).length;
          assert.equal(opened.tsdb.stats().chunkCount, chunks);
          const sharded = [0, 1, 2].map((index) =>
            dump(opened.kernel, opened.tsdb.queryable, [], truncatedMs, nowMs + 100_000, { index, count: 3 }),
          );
          const merged = new Map(sharded.flatMap((shard) => [...shard]));
          assert.equal(
            merged.size,
            sharded.reduce((sum, shard) => sum + shard.size, 0),
          );
          assert.deepEqual(
            new Set(merged.keys()),
            new Set(model.dump([], truncatedMs, nowMs + 100_000).keys()),
          );
        } finally {
          await opened.tsdb.close();
          rmSync(directory, { recursive: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});

function append(
  { tsdb }: Opened,
  model: Model,
  entries: readonly [Labels, number, bigint][],
  nowMs: number,
  truncatedMs: number,
): void {
  const appender = tsdb.appender();
  const newestMs = Math.max(
    -Infinity,
    ...[...model.series.values()].map(({ samples }) => samples.at(-1)?.[0] ?? 0),
  );
  const boundMs = Math.max(truncatedMs, Math.min(newestMs, nowMs) - chunkRangeMs / 2);
  for (const [labels, offsetMs, bits] of entries) {
    const ref = appender.reference(labels);
    appender.batch.pushBits(ref, nowMs + offsetMs, bits);
    if (nowMs + offsetMs >= boundMs) model.append(labels, nowMs + offsetMs, bits);
  }
  appender.commit();
}

test("commits during a long replay are kept, and follow what is replayed", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const labels = Array.from({ length: 2000 }, (_, k) => Labels.from({ __name__: "m", k: `${k}` }));
  const first = await openTest(directory);
  let nowMs = baseTimeMs;
  const appender = first.tsdb.appender();
  const refs = labels.map((series) => appender.reference(series));
  for (let scrape = 0; scrape < 600; scrape++) {
    for (const ref of refs) appender.append(ref, nowMs, scrape);
    assert.equal(appender.commit().appended, 2000);
    nowMs += 1000;
    await first.clock.advance(1000);
  }
  abandon(directory);
  const cutShort = openEarly(directory, { nowMs });
  await cutShort.tsdb.close();
  await assert.rejects(cutShort.tsdb.ready, /cut short/);
  assert.equal(cutShort.tsdb.isAppendable, false);
  let scrape = 600;
  for (let restart = 0; restart < 3; restart++) {
    const { tsdb, kernel, clock } = openEarly(directory, { nowMs, walSegmentBytes: 10 * 1024 * 1024 });
    let isReady = false;
    void tsdb.ready.then(() => (isReady = true));
    let early = 0;
    for (; !isReady; early++) {
      const during = tsdb.appender();
      for (const series of labels) during.append(during.reference(series), nowMs, scrape);
      during.append(during.reference(Labels.from({ __name__: "early", scrape: `${scrape}` })), nowMs, scrape);
      assert.equal(during.commit().appended, 2001);
      nowMs += 1000;
      scrape++;
      await clock.advance(1000);
    }
    assert.ok(early > 1, `${early} commits before the replay ended`);
    assert.equal(tsdb.stats().numSeries, 2000 + scrape - 600);
    const stored = dump(kernel, tsdb.queryable, [new Matcher("=~", "k", "|1?7.?")]);
    const expected = Array.from({ length: scrape }, (_, i) => [baseTimeMs + i * 1000, bitsOf(i)]);
    for (const k of [7, 17, 70, 79, 170, 179]) assert.deepEqual(stored.get(labels[k]!.toString()), expected);
    for (let i = 600; i < scrape; i++)
      assert.deepEqual(stored.get(`{__name__="early", scrape="${i}"}`), [expected[i]]);
    if (restart === 1) await tsdb.close();
    else abandon(directory);
  }
});

test("samples that are in blocks are neither replayed nor taken again", async (t) => {
  const directory = temporaryDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const first = await openTest(directory);
  const appender = first.tsdb.appender();
  const ref = appender.reference(Labels.from({ __name__: "m" }));
  for (let i = 0; i < 10; i++) appender.append(ref, baseTimeMs + i, i);
  appender.commit();
  await first.tsdb.close();
  const { tsdb, kernel } = await openTest(directory, { minValidTimeMs: baseTimeMs + 7 });
  const [samples] = dump(kernel, tsdb.queryable).values();
  assert.deepEqual(
    samples,
    [7, 8, 9].map((i) => [baseTimeMs + i, bitsOf(i)]),
  );
  const late = tsdb.appender();
  late.append(late.reference(Labels.from({ __name__: "n" })), baseTimeMs + 6, 1);
  assert.equal(late.commit().outOfBounds, 1);
  await tsdb.close();
});
