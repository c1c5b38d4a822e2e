import { HistogramRemarks } from "../histogram/remarks.ts";
import type {
  AggregateNode,
  CallNode,
  Fragment,
  PlanNode,
  ScalarBinaryNode,
  SelectNode,
  StringNode,
  VectorBinaryNode,
  WindowNode,
} from "../plan/plan.ts";
import type { VectorMatching } from "../ast.ts";
import { pinsName } from "../plan/fragments.ts";
import { elementwiseFunctions } from "../plan/functions.ts";
import { noSeries, type SeriesList } from "../series/series-list.ts";
import { AbsentOperator } from "./absent.ts";
import { AggregateOperator } from "./aggregate.ts";
import { CountValuesOperator } from "./count-values.ts";
import { ElementwiseOperator, NegateOperator, dateOfSteps } from "./elementwise.ts";
import type { Evaluation } from "./evaluation.ts";
import { FloatsOnly } from "./floats-only.ts";
import { HistogramFunctionOperator, isHistogramFunction } from "./histogram-functions.ts";
import { HistogramOperator } from "./histogram.ts";
import { InfoOperator } from "./info.ts";
import { labelJoin, labelReplace } from "./label-functions.ts";
import { withFinalNames } from "./final-names.ts";
import { KeptOperator, materialize, SharedOperator } from "./materialize.ts";
import { MergeEqual } from "./merge-equal.ts";
import { isTrim } from "./arithmetic-rows.ts";
import type { Operator, RangeReader } from "./operator.ts";
import type { PartialResult } from "./partial.ts";
import { OrOperator } from "./or.ts";
import { PartsOperator } from "./parts.ts";
import { PickOperator } from "./pick.ts";
import { QuantileOperator } from "./quantile.ts";
import { rangeReader } from "./range.ts";
import {
  RepeatOperator,
  constant,
  extremeOperator,
  scalarOf,
  timeOperator,
  vectorOperator,
} from "./scalar.ts";
import { ScalarBinaryOperator } from "./scalar-binary.ts";
import { SelectOperator, type WantedHistograms } from "./select.ts";
import { SetOperator } from "./set.ts";
import { SortOperator, type SortOrder, byLabels, byValue } from "./sort.ts";
import { ThoroughOperator, isRemarkable } from "./thorough.ts";
import { VectorBinaryOperator } from "./vector-binary.ts";
import { WindowOperator } from "./window.ts";
import { argumentPosition } from "../plan/plan.ts";

/** They need no buckets. */
const countingFunctions = new Set(["histogram_count", "histogram_sum", "histogram_avg"]);

/** The parts that readers computed for a fragment, by its number in the plan. */
export type Partials = (fragment: number) => readonly PartialResult[];

/** Makes the operators of a plan. With `partials`, the plan's fragments are not evaluated here but put together from parts. */
export class OperatorBuilder {
  readonly #evaluation: Evaluation;
  readonly #partials: Partials | undefined;
  readonly #fragments: readonly Fragment[];
  #shared: Map<PlanNode, Operator> | undefined;
  /**
   * What is wanted of the histograms of what is built: "counts" under a function that needs no buckets, "all" for good under one that
   * needs them or compares them, "presence" right under one that counts series.
   */
  #wanted: "anything" | WantedHistograms = "anything";

  constructor(evaluation: Evaluation, partials?: Partials) {
    this.#evaluation = evaluation;
    this.#partials = partials;
    this.#fragments = partials === undefined ? [] : evaluation.plan.fragments;
  }

  readonly build = (node: PlanNode): Operator => {
    if (!this.#evaluation.plan.shared.has(node)) return this.#measured(node);
    const known = (this.#shared ??= new Map());
    let shared = known.get(node);
    if (shared === undefined) {
      shared = this.#measured(node);
      known.set(node, shared);
    }
    return new SharedOperator(this.#evaluation, shared);
  };

  /** The operator of a fragment as a reader evaluates it. */
  fragment(node: PlanNode): Operator {
    return this.#make(node);
  }

  /** What readers found, when a fragment is the whole plan. */
  rootParts(): readonly PartialResult[] | undefined {
    return this.#fragments[0]?.node === this.#evaluation.plan.root ? this.#partials?.(0) : undefined;
  }

  /** The samples that an instant query asks for. */
  range(node: PlanNode & { kind: "range" }): RangeReader {
    return this.#range(node, (operator) => withFinalNames(this.#evaluation, operator));
  }

  #range(
    { source, grid }: Pick<WindowNode, "source" | "grid">,
    finish = (operator: Operator): Operator => operator,
  ): RangeReader {
    const build = (child: PlanNode): Operator => finish(this.#within("all", () => this.build(child)));
    const reader = rangeReader(this.#evaluation, source, grid, build, this.#wanted === "counts");
    return this.#evaluation.counter?.range(source, grid, reader) ?? reader;
  }

  #select(node: SelectNode): Operator {
    const wanted = this.#wanted === "anything" ? "all" : this.#wanted;
    const operator = new SelectOperator(this.#evaluation, node, wanted);
    return this.#evaluation.counter?.select(node, operator) ?? operator;
  }

  /** The terms of a chain of `or` whose links match alike. One that others have for a child too, or that readers evaluate, stays whole. */
  #orTerms(node: VectorBinaryNode): PlanNode[] {
    const terms: PlanNode[] = [];
    const { shared } = this.#evaluation.plan;
    const isFragment = (each: PlanNode): boolean =>
      this.#partials !== undefined && this.#fragments.some((fragment) => fragment.node === each);
    for (let link = node; ;) {
      terms.push(link.right);
      const { left } = link;
      const isLink =
        left.kind === "vectorBinary" && left.op === "or" && isSameMatching(left.matching, node.matching);
      if (!isLink || shared.has(left) || isFragment(left)) return [...terms, left].toReversed();
      link = left;
    }
  }

  #measured(node: PlanNode): Operator {
    const made = this.#make(node);
    const operator = isRemarkable(node) ? new ThoroughOperator(this.#evaluation, made) : made;
    return this.#evaluation.profile?.operator(node, operator) ?? operator;
  }

  #make(node: PlanNode): Operator {
    const fragment = this.#partials && this.#fragments.findIndex((each) => each.node === node);
    if (fragment !== undefined && fragment >= 0) return this.#fromParts(node, this.#partials!(fragment));
    const evaluation = this.#evaluation;
    switch (node.kind) {
      case "number":
        return constant(evaluation, node.grid.steps, node.value);
      case "select":
        if (node.yields === "values") return this.#select(node);
        if (node.yields === "startTimestamps" && !evaluation.startTimestamps) return this.#nothing(node);
        return this.#merged(this.#select(node));
      case "window":
        return this.#window(node);
      case "call":
        return this.#call(node);
      case "negate": {
        const negated = new NegateOperator(evaluation, this.build(node.child), node.type === "scalar");
        return node.type === "scalar" ? negated : this.#merged(negated);
      }
      case "scalarBinary": {
        const [left, right] = this.#operands(node);
        const result = new ScalarBinaryOperator(evaluation, node, left, right);
        return node.type === "scalar" ? result : this.#merged(result);
      }
      case "vectorBinary": {
        if (node.op === "or") {
          const terms = this.#orTerms(node).map(this.build);
          return new MergeEqual(evaluation, new OrOperator(evaluation, node.matching, terms), false);
        }
        const [left, right] = this.#operands(node);
        if (node.op === "and" || node.op === "unless") return new SetOperator(evaluation, node, left, right);
        return new VectorBinaryOperator(evaluation, node, left, right);
      }
      case "aggregate":
        return this.#aggregate(node, this.#aggregated(node));
      case "repeat":
        return new RepeatOperator(evaluation, this.build(node.child), node.grid.steps);
      case "string":
      case "range":
        throw new Error(`assertion failed: a ${node.kind} has no rows`);
    }
  }

  /** After metric names were dropped: series that have become equal are one, and must not collide. */
  #merged(operator: Operator, strict = false): Operator {
    return this.#evaluation.delayedNameRemoval
      ? operator
      : new MergeEqual(this.#evaluation, operator, strict);
  }

  #fromParts(node: PlanNode, parts: readonly PartialResult[]): Operator {
    const evaluation = this.#evaluation;
    const isTop = node.kind === "aggregate" && (node.op === "topk" || node.op === "bottomk");
    if (node.kind === "aggregate" && !isTop) return new AggregateOperator(evaluation, node, parts);
    const local = isTop ? node.child : node;
    const describes = (text: string): boolean => text === "__type__" || text === "__unit__";
    const distinct = pinsName(local) && !parts.some(({ series }) => series.texts.some(describes));
    const rows = new PartsOperator(evaluation, node.grid.steps, parts, distinct);
    return isTop ? this.#aggregate(node, rows) : rows;
  }

  #window(node: WindowNode): Operator {
    const evaluation = this.#evaluation;
    const reader = this.#range(node);
    const args = node.args.map(this.build);
    if (node.func !== "absent_over_time")
      return this.#merged(new WindowOperator(evaluation, node, reader, args), true);
    const { from } = node.source;
    const present = new WindowOperator(evaluation, { ...node, func: "present_over_time" }, reader, args);
    return new AbsentOperator(evaluation, present, from.kind === "selector" ? from.matchers : []);
  }

  #operands({ op, left, right }: ScalarBinaryNode | VectorBinaryNode): [left: Operator, right: Operator] {
    const build = (): [Operator, Operator] => [this.build(left), this.build(right)];
    return isTrim(op) ? this.#within("all", build) : build();
  }

  #aggregated({ op, child }: AggregateNode): Operator {
    const build = (): Operator => this.build(child);
    const isCounting = (op === "count" || op === "group") && child.kind === "select";
    const isShared = this.#evaluation.plan.shared.has(child);
    return isCounting && !isShared ? this.#within("presence", build) : build();
  }

  /** Builds what is under a node that wants this of histograms. */
  #within<T>(wanted: WantedHistograms, build: () => T): T {
    const before = this.#wanted;
    this.#wanted = before === "all" ? before : wanted;
    try {
      return build();
    } finally {
      this.#wanted = before;
    }
  }

  #aggregate(node: AggregateNode, child: Operator): Operator {
    const evaluation = this.#evaluation;
    switch (node.op) {
      case "topk":
      case "bottomk":
      case "limitk":
      case "limit_ratio":
        return new PickOperator(evaluation, node, child, this.build(node.param!));
      case "quantile":
        return new QuantileOperator(
          evaluation,
          node,
          this.#aggregatedFloats(node, child),
          this.build(node.param!),
        );
      case "count_values":
        return new CountValuesOperator(evaluation, node, child, (node.param as StringNode).value);
      case "sum":
      case "avg":
        return new AggregateOperator(evaluation, node, child);
      case "count":
      case "group":
        return new AggregateOperator(evaluation, node, new FloatsOnly(evaluation, child, "present"));
      default:
        return new AggregateOperator(evaluation, node, this.#aggregatedFloats(node, child));
    }
  }

  /** The floats of an aggregation that leaves native histograms out, and says so. */
  #aggregatedFloats(node: AggregateNode, child: Operator): Operator {
    const { op } = node;
    const remarks = new HistogramRemarks(this.#evaluation.annotations, argumentPosition(node.child));
    return new FloatsOnly(this.#evaluation, child, "absent", () => remarks.ignoredInAggregation(op));
  }

  #floats(node: PlanNode): Operator {
    return new FloatsOnly(this.#evaluation, this.build(node), "absent");
  }

  #call(node: CallNode): Operator {
    const evaluation = this.#evaluation;
    const { func, args } = node;
    const [first, ...rest] = args;
    if (elementwiseFunctions.has(func)) {
      if (first === undefined) return dateOfSteps(evaluation, node);
      // The time of a sample is the same for both kinds.
      const fate = func === "timestamp" ? "present" : "absent";
      const vector = new FloatsOnly(evaluation, this.build(first), fate);
      return this.#merged(new ElementwiseOperator(evaluation, node, vector, rest.map(this.build)));
    }
    const texts = rest.map((arg) => (arg.kind === "string" ? arg.value : ""));
    switch (func) {
      case "time":
        return timeOperator(evaluation, node.grid);
      case "scalar":
        return scalarOf(evaluation, this.#floats(first!));
      case "vector":
        return vectorOperator(evaluation, this.build(first!));
      case "min_of":
      case "max_of":
        return extremeOperator(evaluation, func, this.build(first!), this.build(rest[0]!));
      case "absent":
        return new AbsentOperator(evaluation, this.build(first!), node.matchers);
      case "label_replace":
        return new MergeEqual(evaluation, labelReplace(this.build(first!), texts), false);
      case "label_join":
        return new MergeEqual(evaluation, labelJoin(this.build(first!), texts), false);
      case "sort":
      case "sort_desc":
        return this.#sorted(node, this.#floats(first!), byValue(func === "sort_desc"));
      case "sort_by_label":
      case "sort_by_label_desc":
        return this.#sorted(node, this.build(first!), byLabels(texts, func === "sort_by_label_desc"));
      case "histogram_quantile":
      case "histogram_quantiles":
      case "histogram_fraction":
        return this.#merged(this.#within("all", () => this.#histogram(node)));
      case "info":
        return new InfoOperator(evaluation, node, this.build(first!));
      default:
        if (isHistogramFunction(func)) return this.#merged(this.#histogramFunction(func, first!));
        // What is left asks for the start timestamps of an expression, which has none, but may have remarks.
        return this.#nothing(node, this.build(first!));
    }
  }

  /** No series, once those of `child` have been computed. */
  #nothing({ grid }: PlanNode, child?: Operator): Operator {
    const evaluation = this.#evaluation;
    const series = (): SeriesList => {
      if (child !== undefined) materialize(evaluation, child);
      return noSeries(evaluation.strings);
    };
    return { steps: grid.steps, series, row: neverPulled };
  }

  #sorted(node: CallNode, child: Operator, compare: SortOrder): Operator {
    if (node.grid.steps > 1) {
      const text = "sort is ineffective for range queries since results are always ordered by labels";
      this.#evaluation.annotations.warn(text, node.position);
    }
    return new SortOperator(this.#evaluation, child, compare);
  }

  #histogramFunction(func: string, vector: PlanNode): Operator {
    const build = (): Operator => this.build(vector);
    const child = countingFunctions.has(func) ? this.#within("counts", build) : build();
    return new HistogramFunctionOperator(this.#evaluation, func, child);
  }

  #histogram({ func, args, grid, position }: CallNode): Operator {
    const label = args.find((arg) => arg.kind === "string");
    const vector = args.find((arg) => arg.type === "vector")!;
    const scalars = args.filter((arg) => arg.type === "scalar");
    const child = this.build(vector);
    return new HistogramOperator(this.#evaluation, {
      vector:
        scalars.length > 1 && func !== "histogram_fraction"
          ? new KeptOperator(this.#evaluation, child)
          : child,
      scalars: scalars.map(this.build),
      kind: func === "histogram_fraction" ? "fraction" : "quantile",
      resultLabel: label?.value,
      grid,
      position,
      vectorPosition: argumentPosition(vector),
      scalarPositions: scalars.map(argumentPosition),
    });
  }
}

function isSameMatching(a: VectorMatching, b: VectorMatching): boolean {
  return (
    a.on === b.on &&
    a.labels.length === b.labels.length &&
    a.labels.every((label) => b.labels.includes(label))
  );
}

function neverPulled(): never {
  throw new Error("assertion failed: there are no series to pull");
}
