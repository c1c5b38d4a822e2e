import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NarthexError, systemClock } from "../src/base/index.ts";
import { createKernel } from "../src/kernel/index.ts";
import { Engine, JsonSink, type Plan, type QueryContext, defaultLimits } from "../src/promql/index.ts";
import { MemoryStorage } from "../src/promql/testing/index.ts";
import { testSeries, toOpenMetrics } from "./support/promql-data.ts";
import { generatedQueries, handwrittenQueries } from "./support/promql-queries.ts";
import { PrometheusPeer, importOpenMetrics } from "./support/prometheus.ts";
import { skipWithout } from "./support/peers.ts";

/**
 * `totalQueryableSamples` is the same, step by step, but for the queries in this table. Of the rest of the object:
 * - `samplesRead`: 2.42 does not have it; what there is to say about it is checked here against the totals.
 * - `peakSamples`: differs always. Upstream has whole vectors of every step in memory; here it is what rows and states hold, and
 *   readers that share a query add theirs.
 * - `timings`: time spent here.
 */
const differing: readonly { query: RegExp; why: string }[] = [
  { query: /\[\w+:\w*\].*\[\w+:\w*\]/, why: "the steps of nested subqueries lie on the inner windows' ends" },
];

const seed = Number(process.env["SEED"] ?? 2);
const generatedCount = 300;
const startMs = 1_699_999_200_000;
const durationMs = 3_600_000;
const grid = { fromMs: startMs + 900_777, toMs: startMs + 3_900_777, stepMs: 97_000 };
const instantMs = startMs + 1_500_777;

interface Answer {
  status: string;
  data?: {
    stats?: {
      samples: { totalQueryableSamples: number; totalQueryableSamplesPerStep: [number, number][] };
    };
  };
}

describe("the same numbers of samples as Prometheus", { skip: skipWithout("prometheus", "promtool") }, () => {
  const directory = mkdtempSync(join(tmpdir(), "narthex-peer-stats-"));
  const kernel = createKernel({ limitBytes: 128 * 1024 * 1024 });
  const storage = new MemoryStorage(kernel);
  const engine = new Engine();
  const context: QueryContext = {
    queryable: storage,
    kernel,
    clock: systemClock,
    limits: defaultLimits,
    lookbackDeltaMs: 300_000,
    defaultEvalIntervalMs: 60_000,
    countSamples: true,
  };
  let peer: PrometheusPeer;

  before(async () => {
    const series = testSeries(startMs, durationMs);
    for (const { labels, samples } of series)
      for (const { timestampMs, value } of samples) storage.append(labels, timestampMs, value);
    importOpenMetrics(directory, toOpenMetrics(series));
    peer = await PrometheusPeer.start(directory, [
      "--storage.tsdb.retention.time=100y",
      "--enable-feature=promql-per-step-stats",
    ]);
  });

  after(async () => {
    await peer?.stop();
    engine.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const check = async (query: string, plan: () => Plan, path: string, times: Record<string, string>) => {
    let counts;
    try {
      counts = engine.execute(plan(), context, new JsonSink()).work.counts!;
    } catch (error) {
      if (error instanceof NarthexError) return;
      throw error;
    }
    const theirs = (await peer.get(path, { query, stats: "all", ...times })) as Answer;
    const samples = theirs.data?.stats?.samples;
    if (samples === undefined) return;
    const queryable = [...counts.queryable];
    assert.deepEqual(
      queryable,
      samples.totalQueryableSamplesPerStep.map(([, count]) => count),
      query,
    );
    const [total, read] = [queryable, [...counts.read]].map((all) =>
      all.reduce((sum, each) => sum + each, 0),
    );
    assert.equal(total, samples.totalQueryableSamples, query);
    if (!/\[[^\]]*:|@/.test(query)) assert.ok(read! <= total!, `${query}: ${read} read of ${total}`);
  };

  const checkAll = async (queries: readonly string[]): Promise<void> => {
    const failures: string[] = [];
    const [start, end, step] = [grid.fromMs, grid.toMs, grid.stepMs].map((ms) => String(ms / 1000));
    for (const query of queries.filter((each) => !differing.some((known) => known.query.test(each)))) {
      const instant = (): Plan => engine.planInstant(query, instantMs, context);
      const range = (): Plan => engine.planRange(query, grid.fromMs, grid.toMs, grid.stepMs, context);
      try {
        await check(query, instant, "/api/v1/query", { time: String(instantMs / 1000) });
        await check(query, range, "/api/v1/query_range", { start: start!, end: end!, step: step! });
      } catch (error) {
        failures.push(error instanceof assert.AssertionError ? error.message : `${query}: ${String(error)}`);
      }
    }
    assert.deepEqual(failures, []);
  };

  test("queries written by hand", () => checkAll(handwrittenQueries));

  test(`generated, seed ${seed}`, () => checkAll(generatedQueries(seed, generatedCount)));
});
