import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NarthexError, systemClock } from "../src/base/index.ts";
import { createKernel } from "../src/kernel/index.ts";
import { Engine, JsonSink, type QueryContext, defaultLimits } from "../src/promql/index.ts";
import { MemoryStorage } from "../src/promql/testing/index.ts";
import { PrometheusPeer, hasPrometheus } from "./support/prometheus.ts";
import { testSeries, toOpenMetrics } from "./support/promql-data.ts";
import { generatedQueries, handwrittenQueries } from "./support/promql-queries.ts";

/**
 * Where 3.x differs from the 2.42 that Debian has. Windows are left-open since 3.0; samples and query times are chosen so that none
 * lies on a window's end. The rest is listed: a pattern of the query, and why.
 */
const changedSince: readonly { query: RegExp; error?: RegExp; why: string }[] = [
  { query: /\[\w+:\w*\].*\[\w+:\w*\]/, why: "the steps of nested subqueries lie on the inner windows' ends" },
  { query: /atan2 \d|\d atan2/, why: "2.42 yields nothing between vector and scalar" },
  {
    query: /(?:rate|increase)\(\(.*(?:<|>|=|and|unless).*\[\w+:/,
    why: "at a gap the way back to zero is compared with half an interval, not with the gap",
  },
  {
    query: /(?:round|floor|ceil)\(.*(?:avg|sum|std|exp|ln)|(?:avg|sum|std).* % |changes\(.*(?:avg|sum|std)/,
    why: "sums are compensated now, exp and ln are another library's, and these make much of a last digit",
  },
  {
    query: /std(?:dev|var)\b.*timestamp/,
    why: "a small spread of large numbers depends on their order, which 2.42 leaves open",
  },
  { query: /std(?:dev|var)\b.*exp\(/, why: "an infinite value has no spread: NaN now, 0 then" },
  {
    query: /==|!=|<|>/,
    error: /^multiple matches for labels: many-to-one/,
    why: "ambiguity is an error even where the comparison does not hold",
  },
];

/** Relative difference allowed; 2.42 sums without compensation. */
const tolerance = 1e-12;
const seed = Number(process.env["SEED"] ?? 1);
const generatedCount = 400;

/** A whole hour. */
const startMs = 1_699_999_200_000;
const durationMs = 3_600_000;
/** Off every whole second and off the samples. */
const times = [startMs + 1_500_777, startMs + 3_300_777];

interface Answer {
  status: string;
  error?: string;
  data?: { resultType: string; result: unknown };
}

describe(
  "the same answers as Prometheus",
  { skip: !hasPrometheus() && "prometheus or promtool is not installed" },
  () => {
    const directory = mkdtempSync(join(tmpdir(), "narthex-peer-promql-"));
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
    };
    let peer: PrometheusPeer;

    before(async () => {
      // Blocks hold series in the order of their labels, which decides about ties.
      const series = testSeries(startMs, durationMs).sort((a, b) => a.labels.compare(b.labels));
      for (const { labels, samples } of series)
        for (const { timestampMs, value } of samples) storage.append(labels, timestampMs, value);
      peer = await PrometheusPeer.start(directory, toOpenMetrics(series), [
        "--storage.tsdb.retention.time=100y",
      ]);
    });

    after(async () => {
      await peer?.stop();
      engine.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const answerOf = (run: (sink: JsonSink) => void): Answer => {
      const sink = new JsonSink();
      try {
        run(sink);
      } catch (error) {
        if (error instanceof NarthexError) return { status: "error", error: error.message };
        throw error;
      }
      return {
        status: "success",
        data: JSON.parse(new TextDecoder().decode(sink.finish())) as Answer["data"] & object,
      };
    };

    const instant = async (query: string): Promise<void> => {
      for (const timeMs of times) {
        const ours = answerOf(
          (sink) => void engine.execute(engine.planInstant(query, timeMs, context), context, sink),
        );
        const theirs = await peer.get("/api/v1/query", { query, time: String(timeMs / 1000) });
        compare(`${query} @ ${timeMs}`, ours, theirs as Answer);
      }
    };

    const range = async (query: string): Promise<void> => {
      const [fromMs, toMs] = [startMs + 900_777, startMs + 3_900_777];
      const stepMs = 97_000;
      const ours = answerOf(
        (sink) => void engine.execute(engine.planRange(query, fromMs, toMs, stepMs, context), context, sink),
      );
      const parameters = {
        query,
        start: String(fromMs / 1000),
        end: String(toMs / 1000),
        step: String(stepMs / 1000),
      };
      compare(`${query} over time`, ours, (await peer.get("/api/v1/query_range", parameters)) as Answer);
    };

    const checkAll = async (queries: readonly string[]): Promise<void> => {
      const failures: string[] = [];
      const changed = changedSince.filter(({ error }) => error === undefined);
      for (const query of queries.filter((each) => !changed.some((change) => change.query.test(each)))) {
        for (const check of [instant, range]) {
          try {
            await check(query);
          } catch (error) {
            failures.push(
              error instanceof assert.AssertionError ? error.message : `${query}: ${String(error)}`,
            );
          }
        }
      }
      assert.deepEqual(failures, []);
    };

    test("written by hand", () => checkAll(handwrittenQueries));

    test(`generated, seed ${seed}`, () => checkAll(generatedQueries(seed, generatedCount)));
  },
);

/** Throws where two answers differ in more than the last digits, or in the order in which an unordered vector comes. */
function compare(what: string, ours: Answer, theirs: Answer): void {
  const message = (detail: string): string => `${what}: ${detail}`;
  if (isChangedError(what, ours) && theirs.status === "success") return;
  const texts = `${ours.error ?? "no error"} / ${theirs.error ?? "no error"}`;
  assert.equal(ours.status, theirs.status, message(texts));
  if (ours.status !== "success") return;
  assert.equal(ours.data!.resultType, theirs.data!.resultType, message("type"));
  const [a, b] = [flatten(ours.data!), flatten(theirs.data!)];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(key), b.get(key)];
    assert.ok(x !== undefined, message(`${key} is missing, ${y} expected`));
    assert.ok(y !== undefined, message(`${key} is ${x}, not expected`));
    assert.ok(
      x === y || isClose(Number(x.replace("Inf", "Infinity")), Number(y.replace("Inf", "Infinity"))),
      message(`${key} is ${x}, expected ${y}`),
    );
  }
}

function isChangedError(query: string, { error }: Answer): boolean {
  if (error === undefined) return false;
  return changedSince.some((change) => change.error?.test(error) === true && change.query.test(query));
}

function isClose(x: number, y: number): boolean {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y), 1);
}

type Point = [timestamp: number, value: string];

/** Every value by series and time. */
function flatten({ resultType, result }: { resultType: string; result: unknown }): Map<string, string> {
  const values = new Map<string, string>();
  if (resultType === "scalar" || resultType === "string") {
    const [timestamp, value] = result as Point;
    return values.set(String(timestamp), value);
  }
  type Series = { metric: Record<string, string>; value?: Point; values?: Point[] };
  for (const { metric, value, values: points } of result as Series[]) {
    const key = JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const [timestamp, text] of points ?? [value!]) values.set(`${key} @ ${timestamp}`, text);
  }
  return values;
}
