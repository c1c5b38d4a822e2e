import type { Grid, Plan, PlanNode, RangeSource } from "./plan.ts";

/** A node that reads samples: an instant selector, or what windows slide over. */
export type Leaf = PlanNode | RangeSource;

/** Which steps of the query the samples belong to that a leaf finds at its own steps. */
export interface SamplePlace {
  /** "step": samples of a leaf's step are evaluated at the query's step of the same number; "all": at every step; "end": at the last. */
  readonly evaluated: "step" | "all" | "end" | "none";
  /** By step of the leaf, the query's step that reads a sample for the first time; -1 where none looks at it. */
  readonly readAt: Int32Array;
}

/** For each leaf of a plan a place for each time that it is written; what is written twice may be evaluated once. */
export function findSamplePlaces(plan: Plan): Map<Leaf, SamplePlace[]> {
  const places = new Map<Leaf, SamplePlace[]>();
  const add = (leaf: Leaf, place: SamplePlace): void => {
    const known = places.get(leaf);
    if (known === undefined) places.set(leaf, [place]);
    else known.push(place);
  };
  const visitSource = (source: RangeSource, grid: Grid, place: SamplePlace, isResult: boolean): void => {
    const { from } = source;
    if (!isResult || from.kind === "selector") add(source, place);
    if (from.kind === "selector") return;
    // The windows count what they look at; a subquery that is the result itself has none.
    const evaluated = isResult ? "end" : "none";
    visit(from.child, { evaluated, readAt: subqueryReads(source, from.child.grid, grid, place.readAt) });
  };
  const visit = (node: PlanNode, place: SamplePlace): void => {
    switch (node.kind) {
      case "select":
        return add(node, place);
      case "window":
        node.args.forEach((arg) => visit(arg, place));
        return visitSource(node.source, node.grid, place, false);
      case "range":
        return visitSource(node.source, node.grid, place, true);
      case "repeat": {
        const evaluated = place.evaluated === "step" ? "all" : place.evaluated;
        return visit(node.child, { evaluated, readAt: place.readAt.subarray(0, 1) });
      }
      case "call":
        return node.args.forEach((arg) => visit(arg, place));
      case "negate":
        return visit(node.child, place);
      case "scalarBinary":
      case "vectorBinary":
        visit(node.left, place);
        return visit(node.right, place);
      case "aggregate":
        if (node.param !== undefined) visit(node.param, place);
        return visit(node.child, place);
      default:
    }
  };
  visit(plan.root, {
    evaluated: "step",
    readAt: Int32Array.from({ length: plan.grid.steps }, (_, step) => step),
  });
  return places;
}

/** The first outer window (end − range, end] that a subquery's step lies in; a result that is a range takes all. */
function subqueryReads(
  { from, rangeMs }: RangeSource,
  inner: Grid,
  outer: Grid,
  outerReads: Int32Array,
): Int32Array {
  const { offsetMs, atMs } = from;
  return Int32Array.from({ length: inner.steps }, (_, step) => {
    if (atMs !== undefined || outer.steps <= 1) return outerReads[0] ?? -1;
    const timeMs = inner.startMs + step * inner.stepMs + offsetMs;
    const window = Math.max(0, Math.ceil((timeMs - outer.startMs) / outer.stepMs));
    const endMs = outer.startMs + window * outer.stepMs;
    return window < outer.steps && endMs - rangeMs < timeMs ? outerReads[window]! : -1;
  });
}
