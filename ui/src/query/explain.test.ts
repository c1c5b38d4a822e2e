import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExplainNode, explainRows, explainRowsMax } from "./explain.ts";

function node(text: string, wallMs: number, children: ExplainNode[] = []): ExplainNode {
  const numbers = { steps: 1, wallMs, series: 1, samples: 1 };
  return { operator: "call", detail: "", text, ...numbers, threads: [], children };
}

test("a tree becomes lines, each with its own time", () => {
  const rows = explainRows(node("a + b", 10, [node("a", 6, [node("x", 5)]), node("b", 3)]));
  assert.deepEqual(
    rows.map((row) => [row.node.text, row.depth, row.ownMs, row.share]),
    [
      ["a + b", 0, 1, 0.1],
      ["a", 1, 1, 0.1],
      ["x", 2, 5, 0.5],
      ["b", 1, 3, 0.3],
    ],
  );
});

test("threads that ran side by side make no time negative, and large trees are cut", () => {
  const [root] = explainRows(node("a", 1, [node("b", 3)]));
  assert.equal(root!.ownMs, 0);
  const wide = node(
    "a",
    0,
    Array.from({ length: 1000 }, () => node("b", 0)),
  );
  assert.equal(explainRows(wide).length, explainRowsMax);
});
