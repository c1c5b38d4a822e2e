import { type Fragment, type PlanNode, children } from "./plan.ts";
import { elementwiseFunctions } from "./functions.ts";

/** Aggregations whose groups can be built in parts and merged. */
const mergeable: ReadonlySet<string> = new Set([
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
]);

const constantFunctions: ReadonlySet<string> = new Set(["time", "min_of", "max_of"]);

/**
 * The largest parts of a plan that readers can evaluate side by side, each over its share of the series: pipelines that look
 * at one series at a time, and aggregations over them. Numbered in the order of the text.
 */
export function findFragments(root: PlanNode): Fragment[] {
  const fragments: Fragment[] = [];
  const seen = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const kind = fragmentKind(node);
    if (kind !== undefined) fragments.push({ node, kind });
    else children(node).forEach(visit);
  };
  visit(root);
  return fragments;
}

function fragmentKind(node: PlanNode): Fragment["kind"] | undefined {
  if (isSeriesLocal(node)) return "series";
  if (node.kind !== "aggregate" || !isSeriesLocal(node.child)) return undefined;
  if (mergeable.has(node.op)) return "aggregate";
  const isTop = node.op === "topk" || node.op === "bottomk";
  return isTop && node.param?.kind === "number" ? "series" : undefined;
}

/**
 * Whether each output series depends on one selected series only, so that the union over all shards is the whole. Two series
 * that become equal once their names are dropped must meet in one place, so names may be dropped only where one name is selected.
 */
function isSeriesLocal(node: PlanNode): boolean {
  switch (node.kind) {
    case "select":
      return !node.timestamps || node.selector.namePinned;
    case "window":
      return isLocalWindow(node);
    case "negate":
      return dropsNameSafely(node.child);
    case "scalarBinary":
      if (isConstant(node.right)) return dropsNameSafely(node.left);
      return isConstant(node.left) && dropsNameSafely(node.right);
    case "call": {
      const [vector, ...rest] = node.args;
      return (
        elementwiseFunctions.has(node.func) &&
        vector !== undefined &&
        dropsNameSafely(vector) &&
        rest.every(isConstant)
      );
    }
    case "repeat":
      return isSeriesLocal(node.child);
    default:
      return false;
  }
}

function isLocalWindow(node: PlanNode & { kind: "window" }): boolean {
  const { from } = node.source;
  if (node.func === "absent_over_time" || !node.args.every(isConstant)) return false;
  return from.kind === "selector" ? from.namePinned : dropsNameSafely(from.child);
}

function dropsNameSafely(node: PlanNode): boolean {
  return isSeriesLocal(node) && pinsName(node);
}

/** Whether all series of a series-local part have one metric name in common, before it is dropped. */
export function pinsName(node: PlanNode): boolean {
  if (node.kind === "select") return node.selector.namePinned;
  if (node.kind === "window" && node.source.from.kind === "selector") return node.source.from.namePinned;
  return children(node).every((child) => isConstant(child) || pinsName(child));
}

/** A scalar that no data can change. */
function isConstant(node: PlanNode): boolean {
  if (node.kind === "number") return true;
  if (node.type !== "scalar") return false;
  if (node.kind === "call" && !constantFunctions.has(node.func)) return false;
  return children(node).every(isConstant);
}
