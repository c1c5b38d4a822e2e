import type { Matcher } from "../../model/index.ts";
import type {
  AggregationOperator,
  BinaryOperator,
  PositionRange,
  ValueType,
  VectorMatching,
} from "../ast.ts";

/** The times an expression is evaluated at: start, start + step, … Milliseconds; `steps` may be 0 (an empty subquery). */
export interface Grid {
  readonly startMs: number;
  /** At least 1, also when there is one step only. */
  readonly stepMs: number;
  readonly steps: number;
}

/** What is read from storage. Where a step looks: (at ?? step's time) − offset. */
export interface Selector {
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly atMs: number | undefined;
  /** The samples that can matter, inclusive. */
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Only one metric name can match. */
  readonly namePinned: boolean;
  /** Samples around the window or the moment count too, as far as the lookback. */
  readonly extension?: "anchored" | "smoothed" | undefined;
  readonly position: PositionRange;
}

/** An expression evaluated at a grid of its own, whose results are the samples of a range. */
export interface SubqueryPlan {
  readonly kind: "subquery";
  readonly child: PlanNode;
  readonly offsetMs: number;
  readonly atMs: number | undefined;
  readonly position: PositionRange;
}

export interface RangeSource {
  readonly rangeMs: number;
  readonly from: (Selector & { readonly kind: "selector" }) | SubqueryPlan;
  readonly position: PositionRange;
}

interface Node {
  readonly type: ValueType;
  readonly grid: Grid;
  readonly position: PositionRange;
  /** Where it is written as an argument, when a `+` in front belongs to it. */
  readonly signedPosition?: PositionRange;
}

/** What a remark on an argument points to. */
export function argumentPosition({ position, signedPosition }: PlanNode): PositionRange {
  return signedPosition ?? position;
}

export interface NumberNode extends Node {
  readonly kind: "number";
  readonly value: number;
}
export interface StringNode extends Node {
  readonly kind: "string";
  readonly value: string;
}
/** An instant selector: the samples' values, or instead of them, in seconds, their own times or since when they count. */
export interface SelectNode extends Node {
  readonly kind: "select";
  readonly selector: Selector;
  readonly yields: "values" | "timestamps" | "startTimestamps";
}
/** A function over ranges; `args` are its scalar arguments. */
export interface WindowNode extends Node {
  readonly kind: "window";
  readonly func: string;
  readonly source: RangeSource;
  readonly args: readonly PlanNode[];
}
/** A range as the result of an instant query. */
export interface RangeNode extends Node {
  readonly kind: "range";
  readonly source: RangeSource;
}
export interface CallNode extends Node {
  readonly kind: "call";
  readonly func: string;
  readonly args: readonly PlanNode[];
  /** `absent`: the labels its argument's matchers determine; `info`: the matchers of its second argument. */
  readonly matchers?: readonly Matcher[] | undefined;
  /** `info`: reads the info metrics like this selector does. */
  readonly infoSelector?: Selector | undefined;
}
export interface NegateNode extends Node {
  readonly kind: "negate";
  readonly child: PlanNode;
}
/** Arithmetic or comparison with at least one scalar side. */
export interface ScalarBinaryNode extends Node {
  readonly kind: "scalarBinary";
  readonly op: BinaryOperator;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly returnBool: boolean;
}
/** Arithmetic or comparison of two vectors, and the set operators. */
export interface VectorBinaryNode extends Node {
  readonly kind: "vectorBinary";
  readonly op: BinaryOperator;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
}
export interface AggregateNode extends Node {
  readonly kind: "aggregate";
  readonly op: AggregationOperator;
  readonly child: PlanNode;
  readonly param: PlanNode | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
}
/** A part that is the same at every step: evaluated at the first and repeated. */
export interface RepeatNode extends Node {
  readonly kind: "repeat";
  readonly child: PlanNode;
}

export type PlanNode =
  | NumberNode
  | StringNode
  | SelectNode
  | WindowNode
  | RangeNode
  | CallNode
  | NegateNode
  | ScalarBinaryNode
  | VectorBinaryNode
  | AggregateNode
  | RepeatNode;

/** A part of the plan that each reader can evaluate over its share of the series; see `fragments.ts`. */
export interface Fragment {
  readonly node: PlanNode;
  /** "series": rows are concatenated; "aggregate": states of equal groups are merged. */
  readonly kind: "series" | "aggregate";
}

export interface Plan {
  readonly query: string;
  readonly root: PlanNode;
  readonly grid: Grid;
  /** An instant query: its result keeps the order of evaluation, and ranges are allowed. */
  readonly instant: boolean;
  /** The samples that can matter to any part; 0, 0 when nothing is selected. */
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly fragments: readonly Fragment[];
  /** Nodes that several others have as their child, written more than once and computed once, with the place where each is written last. */
  readonly shared: ReadonlyMap<PlanNode, PositionRange>;
}

/** The nodes directly below a node. */
export function children(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case "window":
      return [...node.args, ...sourceChildren(node.source)];
    case "range":
      return sourceChildren(node.source);
    case "call":
      return node.args;
    case "negate":
    case "repeat":
      return [node.child];
    case "scalarBinary":
    case "vectorBinary":
      return [node.left, node.right];
    case "aggregate":
      return node.param === undefined ? [node.child] : [node.param, node.child];
    default:
      return [];
  }
}

/** The nodes of a plan, each once, parents first: the same order on every thread. */
export function planNodes(plan: Plan): PlanNode[] {
  const nodes = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (nodes.has(node)) return;
    nodes.add(node);
    children(node).forEach(visit);
  };
  visit(plan.root);
  return [...nodes];
}

function sourceChildren(source: RangeSource): readonly PlanNode[] {
  return source.from.kind === "subquery" ? [source.from.child] : [];
}
