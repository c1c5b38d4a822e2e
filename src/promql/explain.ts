import type { PositionRange } from "./ast.ts";
import type { NodeProfile } from "./operator/profile.ts";
import { type Plan, type PlanNode, type RangeSource, children, planNodes } from "./plan/plan.ts";

/** What the operators of a plan did on one thread, in the order of `planNodes`. */
export interface ThreadProfile {
  /** Number of the reader; -1 for the thread where queries arrive. */
  reader: number;
  nodes: (NodeProfile | undefined)[];
}

/** A node of a plan that was carried out, as the API prints it. Times in milliseconds. */
export interface ExplainNode {
  /** Kind of the operator: select, window, aggregate, … */
  operator: string;
  /** What it does, in a few words. */
  detail: string;
  /** The part of the query it comes from, and where that stands, in UTF-16 units. */
  text: string;
  position: PositionRange;
  steps: number;
  /** Time in it and in what it pulled from; of readers side by side, that of the slowest. */
  wallMs: number;
  /** Series stated and values yielded; the sum over the readers of a fragment. */
  series: number;
  samples: number;
  /** Set when readers evaluated this part side by side, each for its share of the series. */
  fragment?: number;
  /** Written more than once and evaluated once. */
  shared?: true;
  threads: ({ reader: number } & NodeProfile)[];
  children: ExplainNode[];
}

/** The plan as a tree with what each thread measured. The first of `profiles` is the thread that put the answer together. */
export function explainPlan(plan: Plan, profiles: readonly ThreadProfile[]): ExplainNode {
  const places = new Map(planNodes(plan).map((node, place) => [node, place]));
  const isSplit = profiles.length > 1;
  /** `waitedMs`: how long the answering thread waited below for the parts that readers made. */
  const explain = (node: PlanNode): { explained: ExplainNode; waitedMs: number } => {
    const place = places.get(node)!;
    const threads = profiles.flatMap(({ reader, nodes }) => {
      const profile = nodes[place];
      return profile === undefined ? [] : [{ reader, ...profile }];
    });
    const fragment = isSplit ? plan.fragments.findIndex((each) => each.node === node) : -1;
    const below = children(node).map(explain);
    // The answering thread has the merged result of a fragment; below it each thread has its share.
    const merged = profiles[0]!.nodes[place];
    const ofParts = fragment >= 0 ? profiles.slice(1).map(({ nodes }) => nodes[place]?.wallMs ?? 0) : [];
    const waitedMs =
      fragment >= 0 ? Math.max(0, ...ofParts) : below.reduce((sum, each) => sum + each.waitedMs, 0);
    const isWithin = threads.length > 0 && merged === undefined && fragment < 0;
    // A link of a chain that its first operator evaluates as a whole, or a range that is the result.
    const isPassed = threads.length === 0;
    const sum = (pick: (profile: NodeProfile) => number): number =>
      merged === undefined ? threads.reduce((total, thread) => total + pick(thread), 0) : pick(merged);
    const explained: ExplainNode = {
      operator: node.kind,
      detail: describe(node),
      text: plan.query.slice(node.position.start, node.position.end),
      position: node.position,
      steps: node.grid.steps,
      wallMs: isPassed
        ? below.reduce((total, each) => total + each.explained.wallMs, 0)
        : isWithin
          ? Math.max(...threads.map(({ wallMs }) => wallMs))
          : (merged?.wallMs ?? 0) + waitedMs,
      series: sum(({ series }) => series),
      samples: sum(({ samples }) => samples),
      ...(fragment >= 0 && { fragment }),
      ...(plan.shared.has(node) && { shared: true as const }),
      threads,
      children: below.map((each) => each.explained),
    };
    return { explained, waitedMs };
  };
  return explain(plan.root).explained;
}

const newestSamples = {
  values: "newest samples",
  timestamps: "times of the newest samples",
  startTimestamps: "start timestamps of the newest samples",
} as const;

function describe(node: PlanNode): string {
  switch (node.kind) {
    case "number":
      return String(node.value);
    case "string":
      return JSON.stringify(node.value);
    case "select":
      return newestSamples[node.yields];
    case "window":
      return `${node.func} over ${describeSource(node.source)}`;
    case "range":
      return describeSource(node.source);
    case "call":
      return node.func;
    case "negate":
      return "-";
    case "repeat":
      return "evaluated once, the same at every step";
    case "scalarBinary":
      return node.op;
    case "vectorBinary": {
      const { card, on, labels } = node.matching;
      const match = on || labels.length > 0 ? ` ${on ? "on" : "ignoring"} (${labels.join(", ")})` : "";
      return `${node.op}${match} ${card}`;
    }
    case "aggregate": {
      const { op, without, grouping } = node;
      return without || grouping.length > 0
        ? `${op} ${without ? "without" : "by"} (${grouping.join(", ")})`
        : op;
    }
  }
}

function describeSource({ rangeMs, from }: RangeSource): string {
  return `${rangeMs / 1000}s of ${from.kind === "selector" ? "samples" : `a subquery at ${from.child.grid.steps} steps`}`;
}
