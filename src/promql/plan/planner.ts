import { NarthexError, assert } from "../../base/index.ts";
import { quoteGo } from "../../model/index.ts";
import type {
  AggregateExpr,
  BinaryExpr,
  Call,
  DurationExpr,
  Expr,
  MatrixSelector,
  PositionRange,
  Subquery,
  TimeModifiers,
  VectorSelector,
} from "../ast.ts";
import { anchoredFunctions, smoothedFunctions } from "../function/extended-range.ts";
import { children } from "../walk.ts";
import { type DurationContext, evaluateDuration } from "./duration.ts";
import { foldScalars } from "./fold.ts";
import { findFragments } from "./fragments.ts";
import { changesWithTime, isWindowFunction } from "./functions.ts";
import type { Grid, Plan, PlanNode, RangeSource, Selector } from "./plan.ts";
import { selectorRange } from "./selector.ts";
import { exprType } from "../checker.ts";

export interface PlanOptions {
  readonly startMs: number;
  readonly endMs: number;
  /** 0: an instant query, start = end. */
  readonly stepMs: number;
  readonly lookbackDeltaMs: number;
  /** The step of subqueries that state none. */
  readonly defaultEvalIntervalMs: number;
  readonly subqueryStepsMax: number;
}

/**
 * Turns a parsed query into a plan for given times. The same text and options give the same plan on every thread: fragments
 * can be named by their number. Throws `bad_data` for durations that cannot be.
 */
export function planQuery(query: string, expr: Expr, options: PlanOptions): Plan {
  const instant = options.stepMs === 0;
  const type = exprType(expr);
  if (!instant && type !== "scalar" && type !== "vector") {
    const name = type === "matrix" ? "range vector" : type;
    const message = `invalid expression type "${name}" for range query, must be Scalar or instant Vector`;
    throw new NarthexError("bad_data", message);
  }
  const stepMs = instant ? 1 : options.stepMs;
  const steps = Math.floor((options.endMs - options.startMs) / stepMs) + 1;
  const grid: Grid = { startMs: options.startMs, stepMs, steps: instant ? 1 : Math.max(steps, 0) };
  const planner = new Planner(query, options);
  const root = planner.plan(expr, grid);
  return new PlannedQuery(query, root, grid, instant, planner);
}

class PlannedQuery implements Plan {
  readonly query: string;
  readonly root: PlanNode;
  readonly grid: Grid;
  readonly instant: boolean;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly shared: Plan["shared"];
  #fragments: Plan["fragments"] | undefined;

  constructor(query: string, root: PlanNode, grid: Grid, instant: boolean, planner: Planner) {
    this.query = query;
    this.root = root;
    this.grid = grid;
    this.instant = instant;
    this.minTimestampMs = Number.isFinite(planner.minTimestampMs) ? planner.minTimestampMs : 0;
    this.maxTimestampMs = Number.isFinite(planner.maxTimestampMs) ? planner.maxTimestampMs : 0;
    this.shared = planner.shared;
  }

  /** Looked for when somebody asks: small queries are evaluated whole. */
  get fragments(): Plan["fragments"] {
    return (this.#fragments ??= findFragments(this.root));
  }
}

const nothingShared: Plan["shared"] = new Map();

class Planner {
  minTimestampMs = Infinity;
  maxTimestampMs = -Infinity;
  #shared: Map<PlanNode, PositionRange> | undefined;
  readonly #query: string;
  readonly #options: PlanOptions;
  readonly #durations: DurationContext;
  /** Aggregations by grid and text: what is written twice is computed once. */
  #aggregations: Map<string, PlanNode> | undefined;

  constructor(query: string, options: PlanOptions) {
    this.#query = query;
    this.#options = options;
    this.#durations = {
      query,
      stepSeconds: options.stepMs / 1000,
      rangeSeconds: (options.endMs - options.startMs) / 1000,
    };
  }

  get shared(): Plan["shared"] {
    return this.#shared ?? nothingShared;
  }

  plan(expr: Expr, grid: Grid): PlanNode {
    if (grid.steps > 1 && isRepeatable(expr) && this.#isInvariant(expr)) {
      const child = this.plan(expr, { ...grid, steps: 1 });
      if (child.kind === "number") return { ...child, grid };
      return { kind: "repeat", type: child.type, grid, position: expr.position, child };
    }
    const { position } = expr;
    switch (expr.kind) {
      case "numberLiteral":
        return { kind: "number", type: "scalar", grid, position, value: expr.value };
      case "stringLiteral":
        return { kind: "string", type: "string", grid, position, value: expr.value };
      case "parenExpr":
        return this.plan(expr.expr, grid);
      case "unaryExpr":
        return this.#negation(this.plan(expr.expr, grid), expr.op, position);
      case "binaryExpr":
        return this.#binary(expr, grid);
      case "aggregation":
        return this.#aggregation(expr, grid);
      case "call":
        return this.#call(expr, grid);
      case "vectorSelector": {
        const selector = this.#selector(expr, grid, 0);
        return { kind: "select", type: "vector", grid, position, selector, yields: "values" };
      }
      case "matrixSelector":
      case "subquery":
        return { kind: "range", type: "matrix", grid, position, source: this.#source(expr, grid) };
    }
  }

  #negation(child: PlanNode, op: "+" | "-", position: PositionRange): PlanNode {
    if (op === "+") return { ...child, signedPosition: position };
    if (child.kind === "number") return { ...child, position, value: -child.value };
    return { kind: "negate", type: child.type, grid: child.grid, position, child };
  }

  #binary(expr: BinaryExpr, grid: Grid): PlanNode {
    const left = this.plan(expr.lhs, grid);
    const right = this.plan(expr.rhs, grid);
    const { op, returnBool, position } = expr;
    if (left.type === "scalar" && right.type === "scalar" && (op === "</" || op === ">/"))
      throw new NarthexError("execution", `operator ${quoteGo(op)} not allowed for Scalar operations`);
    if (left.kind === "number" && right.kind === "number") {
      return {
        kind: "number",
        type: "scalar",
        grid,
        position,
        value: foldScalars(op, left.value, right.value),
      };
    }
    if (left.type === "vector" && right.type === "vector") {
      assert(expr.matching !== undefined, "vectors are matched");
      const { matching } = expr;
      return { kind: "vectorBinary", type: "vector", grid, position, op, left, right, returnBool, matching };
    }
    const type = left.type === "scalar" && right.type === "scalar" ? "scalar" : "vector";
    return { kind: "scalarBinary", type, grid, position, op, left, right, returnBool };
  }

  #aggregation(expr: AggregateExpr, grid: Grid): PlanNode {
    const { position, op, without } = expr;
    const text = this.#query.slice(position.start, position.end);
    const key = `${grid.startMs}/${grid.stepMs}/${grid.steps} ${text}`;
    const known = this.#aggregations?.get(key);
    if (known !== undefined) {
      this.#shared ??= new Map();
      this.#shared.set(known, position);
      return known;
    }
    const param = expr.param && this.plan(expr.param, grid);
    const child = this.plan(expr.expr, grid);
    const grouping = [...new Set(expr.grouping)];
    const node = {
      kind: "aggregate",
      type: "vector",
      grid,
      position,
      op,
      child,
      param,
      grouping,
      without,
    } as const;
    this.#aggregations ??= new Map();
    this.#aggregations.set(key, node);
    return node;
  }

  #call(expr: Call, grid: Grid): PlanNode {
    const { position } = expr;
    const func = expr.func.name;
    const constant = this.#queryConstant(func);
    if (constant !== undefined) return { kind: "number", type: "scalar", grid, position, value: constant };
    const args = expr.args.map(unwrapParens);
    if (isWindowFunction(func)) return this.#window(func, args, grid, position);
    const first = args[0];
    const isOfSample = func === "timestamp" || func === "start_timestamp";
    if (isOfSample && first?.kind === "vectorSelector") {
      // The time is that of the newest sample, without `smoothed` as well as with it.
      const found = this.#selector({ ...first, smoothed: false }, grid, 0);
      const selector = found.atMs === undefined ? found : lookAtPin(found, found.atMs);
      const yields = func === "timestamp" ? "timestamps" : "startTimestamps";
      return { kind: "select", type: "vector", grid, position, selector, yields };
    }
    const type = expr.func.returnType;
    if (func === "absent" && first?.kind === "vectorSelector") {
      const planned = [this.plan(first, grid)];
      return { kind: "call", type, grid, position, func, args: planned, matchers: first.matchers };
    }
    if (func === "info") return this.#info(args, grid, position);
    return { kind: "call", type, grid, position, func, args: args.map((arg) => this.plan(arg, grid)) };
  }

  #window(func: string, args: readonly Expr[], grid: Grid, position: PositionRange): PlanNode {
    const range = args.find((arg) => exprType(arg) === "matrix") as MatrixSelector | Subquery;
    const scalars = args.filter((arg) => arg !== range).map((arg) => this.plan(arg, grid));
    const source = this.#source(range, grid);
    checkExtension(func, source);
    return { kind: "window", type: "vector", grid, position, func, source, args: scalars };
  }

  #info(args: readonly Expr[], grid: Grid, position: PositionRange): PlanNode {
    const base = this.plan(args[0]!, grid);
    const labels = args[1]?.kind === "vectorSelector" ? args[1].matchers : undefined;
    const times = this.#innerTimes(args[0]!) ?? { offsetMs: 0, atMs: undefined };
    const infoSelector = this.#select([], times, grid, 0, position);
    return {
      kind: "call",
      type: "vector",
      grid,
      position,
      func: "info",
      args: [base],
      matchers: labels,
      infoSelector,
    };
  }

  /** `start()`, `end()`, `range()`, `step()` and `pi()`: constants of the query. */
  #queryConstant(func: string): number | undefined {
    const { startMs, endMs, stepMs } = this.#options;
    switch (func) {
      case "start":
        return startMs / 1000;
      case "end":
        return endMs / 1000;
      case "range":
        return (endMs - startMs) / 1000;
      case "step":
        return startMs === endMs ? 0 : stepMs / 1000;
      case "pi":
        return Math.PI;
      default:
        return undefined;
    }
  }

  #source(expr: MatrixSelector | Subquery, grid: Grid): RangeSource {
    const { position } = expr;
    const rangeMs = this.#duration(expr.rangeExpr, expr.rangeMs, false);
    if (expr.kind === "matrixSelector") {
      const selector = this.#selector(expr.selector, grid, rangeMs);
      return { rangeMs, position, from: { ...selector, kind: "selector" } };
    }
    const times = this.#times(expr);
    const child = this.plan(expr.expr, this.#subqueryGrid(expr, times, rangeMs, grid));
    // As upstream has it, remarks on the samples of a subquery point to the beginning of the query.
    return { rangeMs, position: { start: 0, end: 0 }, from: { kind: "subquery", child, ...times, position } };
  }

  /** The multiples of the step in (first window's start, last window's end]. */
  #subqueryGrid(expr: Subquery, times: Times, rangeMs: number, grid: Grid): Grid {
    const givenMs = this.#duration(expr.stepExpr, expr.stepMs, false);
    const stepMs = givenMs === 0 ? this.#options.defaultEvalIntervalMs : givenMs;
    const pinned = times.atMs !== undefined;
    const firstMs = (times.atMs ?? grid.startMs) - times.offsetMs;
    const lastMs = pinned ? firstMs : firstMs + (grid.steps - 1) * grid.stepMs;
    let startMs = stepMs * Math.trunc((firstMs - rangeMs) / stepMs);
    if (startMs <= firstMs - rangeMs) startMs += stepMs;
    const steps = grid.steps === 0 ? 0 : Math.max(0, Math.floor((lastMs - startMs) / stepMs) + 1);
    const { subqueryStepsMax } = this.#options;
    if (steps > subqueryStepsMax) {
      const message = `subquery needs ${steps} steps, more than the limit of ${subqueryStepsMax}`;
      throw new NarthexError("execution", message);
    }
    return { startMs, stepMs, steps };
  }

  #selector(expr: VectorSelector, grid: Grid, rangeMs: number): Selector {
    const extension = expr.anchored ? "anchored" : expr.smoothed ? "smoothed" : undefined;
    return this.#select(expr.matchers, this.#times(expr), grid, rangeMs, expr.position, extension);
  }

  #select(
    matchers: VectorSelector["matchers"],
    times: Times,
    grid: Grid,
    rangeMs: number,
    position: PositionRange,
    extension?: Selector["extension"],
  ): Selector {
    const { lookbackDeltaMs } = this.#options;
    const beforeMs = rangeMs === 0 || extension !== undefined ? lookbackDeltaMs : 0;
    const inner = selectorRange(matchers, times, grid, rangeMs + beforeMs, position);
    const afterMs = extension === "smoothed" ? lookbackDeltaMs : 0;
    const selector = { ...inner, maxTimestampMs: inner.maxTimestampMs + afterMs, extension };
    if (grid.steps > 0) {
      this.minTimestampMs = Math.min(this.minTimestampMs, selector.minTimestampMs);
      this.maxTimestampMs = Math.max(this.maxTimestampMs, selector.maxTimestampMs);
    }
    return selector;
  }

  #times(expr: TimeModifiers): Times {
    const { startMs, endMs } = this.#options;
    const bound = expr.atBound && (expr.atBound === "start" ? startMs : endMs);
    return { offsetMs: this.#duration(expr.offsetExpr, expr.offsetMs, true), atMs: bound ?? expr.atMs };
  }

  /** When the first selector inside `expr` looks: by its own `@` and offset and those of the subqueries around it. */
  #innerTimes(expr: Expr): Times | undefined {
    if (expr.kind === "vectorSelector") return this.#times(expr);
    for (const child of children(expr)) {
      const inner = this.#innerTimes(child);
      if (inner === undefined) continue;
      if (expr.kind !== "subquery" || inner.atMs !== undefined) return inner;
      const outer = this.#times(expr);
      return { offsetMs: inner.offsetMs + outer.offsetMs, atMs: outer.atMs };
    }
    return undefined;
  }

  #duration(expr: DurationExpr | undefined, durationMs: number, allowNegative: boolean): number {
    return expr === undefined ? durationMs : evaluateDuration(expr, this.#durations, allowNegative);
  }

  /** Whether the expression has the same result at every step. */
  #isInvariant(expr: Expr): boolean {
    switch (expr.kind) {
      case "numberLiteral":
      case "stringLiteral":
        return true;
      case "parenExpr":
      case "unaryExpr":
        return this.#isInvariant(expr.expr);
      case "binaryExpr":
        return this.#isInvariant(expr.lhs) && this.#isInvariant(expr.rhs);
      case "aggregation":
        // As upstream has it, the parameter is not looked at: it is then that of the first step.
        return this.#isInvariant(expr.expr);
      case "call": {
        const args = expr.args.map(unwrapParens);
        const { name } = expr.func;
        if (this.#queryConstant(name) !== undefined) return true;
        const safe =
          !changesWithTime.has(name) || (name === "timestamp" && args[0]?.kind === "vectorSelector");
        return safe && args.every((arg) => this.#isInvariant(arg));
      }
      case "vectorSelector":
      case "subquery":
        return expr.atMs !== undefined || expr.atBound !== undefined;
      case "matrixSelector":
        return this.#isInvariant(expr.selector);
    }
  }
}

/** As upstream has it, `@` is the moment that is looked at, although the samples are those that an offset allows. */
function lookAtPin(selector: Selector, atMs: number): Selector {
  return { ...selector, offsetMs: 0, maxTimestampMs: Math.min(selector.maxTimestampMs, atMs) };
}

interface Times {
  readonly offsetMs: number;
  readonly atMs: number | undefined;
}

/** Literals cost nothing to repeat, strings and ranges have no steps. */
function isRepeatable(expr: Expr): boolean {
  const { kind } = unwrapParens(expr);
  return (
    kind !== "numberLiteral" && kind !== "stringLiteral" && kind !== "matrixSelector" && kind !== "subquery"
  );
}

function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === "parenExpr") inner = inner.expr;
  return inner;
}

function checkExtension(func: string, { from }: RangeSource): void {
  if (from.kind !== "selector" || from.extension === undefined) return;
  const allowed = from.extension === "anchored" ? anchoredFunctions : smoothedFunctions;
  if (allowed.includes(func)) return;
  const message = `${from.extension} modifier can only be used with: ${allowed.join(", ")} - not with ${func}`;
  throw new NarthexError("execution", message);
}
