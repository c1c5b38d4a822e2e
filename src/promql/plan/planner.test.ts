import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NarthexError } from "../../base/index.ts";
import { parseExpr } from "../parser.ts";
import { type Plan, type PlanNode, children } from "./plan.ts";
import { type PlanOptions, planQuery } from "./planner.ts";

const minuteMs = 60_000;
const options: PlanOptions = {
  startMs: 100 * minuteMs,
  endMs: 110 * minuteMs,
  stepMs: minuteMs,
  lookbackDeltaMs: 5 * minuteMs,
  defaultEvalIntervalMs: minuteMs,
  subqueryStepsMax: 1000,
};

function plan(query: string, changed: Partial<PlanOptions> = {}): Plan {
  const expr = parseExpr(query, { experimentalFunctions: true, extendedRangeSelectors: true });
  return planQuery(query, expr, { ...options, ...changed });
}

/** The kinds of a plan's nodes, parents first. */
function kinds(node: PlanNode): string {
  const below = children(node).map(kinds).join(" ");
  return below === "" ? node.kind : `${node.kind}(${below})`;
}

describe("the samples that a plan needs", () => {
  const times = (query: string): number[] => {
    const { minTimestampMs, maxTimestampMs } = plan(query);
    return [(minTimestampMs - 1) / minuteMs, maxTimestampMs / minuteMs];
  };

  // Windows are open to the left: the first sample that counts lies a millisecond after their start.
  const cases: [query: string, from: number, to: number][] = [
    ["x", 95, 110],
    ["x offset 1m", 94, 109],
    ["rate(x[20m])", 80, 110],
    ["rate(x[20m] offset -5m)", 85, 115],
    ["x @ 600", 5, 10],
    ["x @ end()", 105, 110],
    ["rate(x[2m] @ start()) + x", 95, 110],
    ["sum_over_time(x[10m:1m])", 86, 110],
    ["sum_over_time(rate(x[5m])[10m:1m] offset 2m)", 84, 108],
    ["rate(x[2m] anchored)", 93, 110],
    ["rate(x[2m] smoothed)", 93, 115],
  ];
  for (const [query, from, to] of cases) test(query, () => assert.deepEqual(times(query), [from, to]));

  test("nothing selected", () => {
    const { minTimestampMs, maxTimestampMs } = plan("1 + time()");
    assert.deepEqual([minTimestampMs, maxTimestampMs], [0, 0]);
  });
});

describe("rewrites", () => {
  const cases: [query: string, shape: string][] = [
    ["1 + 2 * -(3)", "number"],
    ["step() + range()", "number"],
    ["x @ 10 + 1", "repeat(scalarBinary(select number))"],
    ["x + sum(y @ end())", "vectorBinary(select repeat(aggregate(select)))"],
    ["predict_linear(x[5m] @ 10, 1)", "window(number)"],
    ["timestamp(x @ 10)", "repeat(select)"],
    ["time()", "call"],
    ["rate(x[5m] @ 10)", "repeat(window)"],
  ];
  for (const [query, shape] of cases) test(query, () => assert.equal(kinds(plan(query).root), shape));

  test("durations are computed", () => {
    const { root } = plan("rate(x[2 * step() + 30s])");
    assert.ok(root.kind === "window" && root.source.rangeMs === 150_000);
    const error = (query: string): unknown => {
      try {
        return plan(query);
      } catch (failure) {
        return failure instanceof NarthexError && failure.message;
      }
    };
    assert.equal(error("rate(x[1m - step()])"), "7:18: duration must be greater than 0");
    // The place is told in bytes.
    assert.equal(error('rate(x{a="é"}[1m - step()])'), "15:26: duration must be greater than 0");
    assert.match(String(error("rate(x[1m / (step() - 1m)])")), /division by zero$/);
  });

  test("an aggregation that is written twice is computed once", () => {
    const { root, shared } = plan("sum(x) / (sum(x) + sum(y))");
    assert.equal(shared.size, 1);
    assert.ok(root.kind === "vectorBinary" && shared.has(root.left));
    assert.equal(plan("sum(x) / sum(x offset 1m)").shared.size, 0);
    assert.equal(plan("sum(x) / max_over_time(sum(x)[5m:1m])").shared.size, 0);
  });

  test("subqueries evaluate at multiples of their step inside the open window", () => {
    const { root } = plan("sum_over_time(x[10m:7m])");
    assert.ok(root.kind === "window" && root.source.from.kind === "subquery");
    const { grid } = root.source.from.child;
    assert.deepEqual(grid, { startMs: 91 * minuteMs, stepMs: 7 * minuteMs, steps: 3 });
    assert.throws(() => plan("sum_over_time(x[10m:1s])"), /limit of 1000/);
  });
});

describe("fragments", () => {
  const fragments = (query: string): string[] =>
    plan(query).fragments.map(
      ({ node, kind }) => `${kind} ${query.slice(node.position.start, node.position.end)}`,
    );

  const cases: [query: string, expected: string[]][] = [
    ["x", ["series x"]],
    ["sum(rate(x[5m]))", ["aggregate sum(rate(x[5m]))"]],
    ["rate(x[5m]) / rate(y[5m])", ["series rate(x[5m]) / rate(y[5m])"]],
    ["x / on(job) y", ["series x", "series y"]],
    ["topk(3, x) + sum(y)", ["series topk(3, x)", "aggregate sum(y)"]],
    ["topk(scalar(z), x)", ["series z", "series x"]],
    ["quantile(0.5, x)", ["series x"]],
    ["sum(sum by (a) (x))", ["aggregate sum by (a) (x)"]],
    ["histogram_quantile(0.9, sum by (le) (x))", ["aggregate sum by (le) (x)"]],
    ["clamp(x, 0, time())", ["series clamp(x, 0, time())"]],
    ["x * scalar(y)", ["series x", "series y"]],
    ["sum(x) + sum(x)", ["aggregate sum(x)"]],
    ["1 + time()", []],
  ];
  for (const [query, expected] of cases) test(query, () => assert.deepEqual(fragments(query), expected));
});
