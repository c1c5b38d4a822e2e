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
 * Whether every output series is made of selected series that differ in the labels that describe a metric alone. Such series are in
 * one share, so the union over all shares is the whole: also where names are dropped, and where two metrics meet.
 */
export function isSeriesLocal(node: PlanNode): boolean {
  switch (node.kind) {
    case "select":
      return true;
    case "window":
      return isLocalWindow(node);
    case "negate":
    case "repeat":
      return isSeriesLocal(node.child);
    case "scalarBinary":
      if (isConstant(node.right)) return isSeriesLocal(node.left);
      return isConstant(node.left) && isSeriesLocal(node.right);
    case "vectorBinary":
      return matchesAllLabels(node) && isSeriesLocal(node.left) && isSeriesLocal(node.right);
    case "call": {
      const [vector, ...rest] = node.args;
      const isElementwise = elementwiseFunctions.has(node.func) && vector !== undefined;
      return isElementwise && isSeriesLocal(vector) && rest.every(isConstant);
    }
    default:
      return false;
  }
}

function isLocalWindow({ func, args, source }: PlanNode & { kind: "window" }): boolean {
  if (func === "absent_over_time" || !args.every(isConstant)) return false;
  return source.from.kind === "selector" || isSeriesLocal(source.from.child);
}

/** Neither `on` nor `ignoring`: two series meet when all their labels but the name are equal. */
function matchesAllLabels({ matching }: PlanNode & { kind: "vectorBinary" }): boolean {
  const { on, labels, card, fillLeft, fillRight } = matching;
  const isPlain = !on && labels.length === 0 && fillLeft === undefined && fillRight === undefined;
  return isPlain && (card === "one-to-one" || card === "many-to-many");
}

/** Whether all series of a series-local part have one metric name in common, before it is dropped. */
export function pinsName(node: PlanNode): boolean {
  if (node.kind === "select") return node.selector.namePinned;
  if (node.kind === "window" && node.source.from.kind === "selector") return node.source.from.namePinned;
  if (node.kind === "vectorBinary") return node.op !== "or" && pinsName(node.left);
  return children(node).every((child) => isConstant(child) || pinsName(child));
}

/** A scalar that no data can change. */
function isConstant(node: PlanNode): boolean {
  if (node.kind === "number") return true;
  if (node.type !== "scalar") return false;
  if (node.kind === "call" && !constantFunctions.has(node.func)) return false;
  return children(node).every(isConstant);
}
