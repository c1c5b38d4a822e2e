import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { NarthexError, systemClock } from "../src/base/index.ts";
import {
  Engine,
  type Execution,
  JsonSink,
  type PartialResult,
  type Plan,
  type QueryContext,
  defaultLimits,
} from "../src/promql/index.ts";
import { TestHead } from "../src/promql/testing/index.ts";
import { peerSamples } from "./support/peer-samples.ts";
import { type Answer, findDifference } from "./support/promql/compare.ts";
import { Dialect } from "./support/promql/dialect.ts";
import { type GeneratedQuery, QueryGenerator } from "./support/promql/query-generator.ts";
import { printQuery } from "./support/promql/query-tree.ts";

const seed = Number(process.env["SEED"] ?? 1);
const queryCount = Number(process.env["QUERIES"] ?? 400);
const shardCount = 3;
const startMs = 1_699_999_200_000;
const durationMs = 3_600_000;

/** What readers found for each fragment of a plan. */
type Partials = (fragment: number) => readonly PartialResult[];

/** What means the times of the query itself, which differ between a range and its steps. */
const queryTimes = /\b(?:start|end|step|range)\(\)/;
/** Which of equal elements are picked depends on the order in which they come. */
const picksByOrder = /\b(?:topk|bottomk|limitk)\b/;

interface Point {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
  histogram?: [number, unknown];
  histograms?: [number, unknown][];
}

describe(`whatever the query, seed ${seed}`, () => {
  const head = new TestHead();
  head.append(peerSamples({ seed, startMs, durationMs, aligned: true, current: true }));
  const engine = new Engine({
    parser: { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true },
  });
  const context: QueryContext = {
    queryable: head.queryable,
    kernel: head.kernel,
    clock: systemClock,
    limits: defaultLimits,
    lookbackDeltaMs: 300_000,
    defaultEvalIntervalMs: 60_000,
  };
  after(() => engine.close());

  const answer = (plan: () => Plan, partials?: (plan: Plan) => Partials): Answer => {
    const sink = new JsonSink();
    let execution: Execution;
    try {
      const planned = plan();
      execution = engine.execute(planned, context, sink, partials && { partials: partials(planned) });
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      return { status: "error", errorType: error.code, error: error.message };
    }
    const data = JSON.parse(new TextDecoder().decode(sink.finish())) as Answer["data"] & object;
    return {
      status: "success",
      data,
      warnings: [...execution.warnings],
      infos: [...execution.infos],
    };
  };

  const instant = (query: string, timeMs: number): Answer =>
    answer(() => engine.planInstant(query, timeMs, context));

  /** Checks what a generated query of this kind must hold; a failure names the query. */
  const forAll = (
    accepts: (query: string) => boolean,
    difference: (query: string, generated: GeneratedQuery) => string | undefined,
  ): void => {
    const generator = new QueryGenerator(
      new Dialect({ current: true, addsInAnyOrder: true, startMs, durationMs }),
      seed,
    );
    let checked = 0;
    while (checked < queryCount) {
      const generated = generator.query();
      const query = printQuery(generated.node);
      if (generated.node.kind !== "vector" || !accepts(query)) continue;
      checked++;
      const found = difference(query, generated);
      assert.equal(found, undefined, `${query} at ${JSON.stringify({ ...generated, node: undefined })}`);
    }
  };

  /** The parts of all shards, having gone through what a message between threads does to them. */
  const shared = (plan: Plan): Partials => {
    const parts = plan.fragments.map((_, fragment) =>
      Array.from({ length: shardCount }, (__, index) =>
        structuredClone(engine.evaluateFragment(plan, fragment, { index, count: shardCount }, context)),
      ),
    );
    return (fragment) => parts[fragment]!;
  };

  test("readers together answer as one alone", () => {
    forAll(
      (query) => !picksByOrder.test(query),
      (query, { timeMs, range }) => {
        const plans = [
          (): Plan => engine.planInstant(query, timeMs, context),
          (): Plan => engine.planRange(query, range.startMs, range.endMs, range.stepMs, context),
        ];
        for (const plan of plans) {
          const alone = answer(plan);
          const together = answer(plan, shared);
          // Which of several errors comes first is left open between threads.
          if (alone.status === "error" && together.status === "error") continue;
          const found = findDifference(withoutRemarks(together), withoutRemarks(alone), false);
          if (found !== undefined) return found;
        }
        return undefined;
      },
    );
  });

  test("a range query is its instant queries, step by step", () => {
    forAll(
      (query) => !queryTimes.test(query) && !picksByOrder.test(query),
      (query, { range }) => {
        const endMs = Math.min(range.endMs, range.startMs + 5 * range.stepMs);
        const whole = answer(() => engine.planRange(query, range.startMs, endMs, range.stepMs, context));
        if (whole.status === "error") return undefined;
        for (let timeMs = range.startMs; timeMs <= endMs; timeMs += range.stepMs) {
          const step = { status: "success", data: { resultType: "vector", result: atTime(whole, timeMs) } };
          const found = findDifference(step, withoutRemarks(instant(query, timeMs)), false);
          if (found !== undefined) return `at ${timeMs}: ${found}`;
        }
        return undefined;
      },
    );
  });

  test("the last value of a subquery of one step is the query's", () => {
    forAll(
      (query) => !picksByOrder.test(query),
      (query, { timeMs }) => {
        const wholeMs = Math.floor(timeMs / 1000) * 1000;
        const plain = instant(query, wholeMs);
        if (plain.status === "error") return undefined;
        const last = instant(`last_over_time((${query})[1s:1s])`, wholeMs);
        return findDifference(withoutRemarks(last), withoutRemarks(plain), false);
      },
    );
  });
});

function withoutRemarks(answer: Answer): Answer {
  return { ...answer, warnings: [], infos: [] };
}

/** The elements that a matrix has at one time. */
function atTime({ data }: Answer, timeMs: number): Point[] {
  const isThen = ([seconds]: [number, unknown]): boolean => Math.round(seconds * 1000) === timeMs;
  return (data!.result as Point[]).flatMap(({ metric, values = [], histograms = [] }): Point[] => {
    const value = values.find(isThen);
    const histogram = histograms.find(isThen);
    if (value === undefined && histogram === undefined) return [];
    return [{ metric, ...(value && { value }), ...(histogram && { histogram }) }];
  });
}
