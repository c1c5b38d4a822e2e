import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../base/index.ts";
import { createKernel } from "../kernel/index.ts";
import { Labels } from "../model/index.ts";
import { type QueryContext, defaultLimits } from "./context.ts";
import { Engine } from "./engine.ts";
import { type ExplainNode, explainPlan } from "./explain.ts";
import { JsonSink } from "./result-json.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";

const kernel = createKernel({ limitBytes: 64 * 1024 * 1024 });
const storage = new MemoryStorage(kernel);
for (const name of ["a", "b", "c"])
  for (let i = 0; i < 60; i++)
    for (const instance of ["0", "1"])
      storage.append(Labels.from({ __name__: name, instance }), i * 10_000, i);
const context: QueryContext = {
  queryable: storage,
  kernel,
  clock: new SimulatedClock(),
  limits: defaultLimits,
  lookbackDeltaMs: 300_000,
  defaultEvalIntervalMs: 60_000,
  profile: true,
};
const engine = new Engine();

function explain(query: string): ExplainNode {
  const plan = engine.planRange(query, 300_000, 400_000, 10_000, context);
  const { work } = engine.execute(plan, context, new JsonSink());
  return explainPlan(plan, [{ reader: -1, nodes: work.nodes! }]);
}

/** The tree without times: what each node does, its series and its samples. */
function shape({ detail, series, samples, children }: ExplainNode): unknown[] {
  return [detail, series, samples, ...children.map(shape)];
}

test("each operator with its series and samples", () => {
  const query = "sum by (instance) (rate(a[1m])) * on (instance) group_left () b > 2";
  const product = [
    "* on (instance) many-to-one",
    2,
    22,
    ["sum by (instance)", 2, 22, ["rate over 60s of samples", 2, 22]],
    ["newest samples", 2, 22],
  ];
  assert.deepEqual(shape(explain(query)), [">", 2, 22, product, ["2", 0, 11]]);
});

test("times include what is below, also in chains and where something is evaluated once", () => {
  const check = (node: ExplainNode): void => {
    const below = Math.max(0, ...node.children.map(({ wallMs }) => wallMs));
    assert.ok(node.wallMs >= below, `${node.text}: ${node.wallMs} < ${below}`);
    node.children.forEach(check);
  };
  for (const query of [
    "a or b or c or a",
    "sum(a) + sum(a)",
    "max_over_time(sum(a)[1m:10s])",
    "sum(a @ 100)",
  ])
    check(explain(query));
  const [left, right] = explain("sum(a) + sum(a)").children;
  assert.deepEqual([left!.shared, right!.shared], [true, true]);
});

test("nothing is measured unless somebody asks", () => {
  const plain = { ...context, profile: false };
  const plan = engine.planInstant("a", 300_000, plain);
  const { work } = engine.execute(plan, plain, new JsonSink());
  assert.equal(work.nodes, undefined);
  assert.equal(work.counts, undefined);
});
