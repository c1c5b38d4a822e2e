import type { Matcher } from "../model/index.ts";

/** Types of expressions, by upstream's names. */
export type ValueType = "none" | "scalar" | "string" | "vector" | "matrix";

/** A stretch of the query text, in UTF-16 units, end exclusive. */
export interface PositionRange {
  start: number;
  end: number;
}

export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "^"
  | "atan2"
  | "=="
  | "!="
  | ">"
  | "<"
  | ">="
  | "<="
  | "and"
  | "or"
  | "unless"
  | "</"
  | ">/";

export type AggregationOperator =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

export type MatchCardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

/** How the two sides of a binary operation find each other. */
export interface VectorMatching {
  card: MatchCardinality;
  /** Labels of `on` or `ignoring`. */
  labels: string[];
  on: boolean;
  /** Labels of `group_left` or `group_right`. */
  include: string[];
  /** Values of `fill`, `fill_left`, `fill_right`, where given. */
  fillLeft?: number;
  fillRight?: number;
}

export interface NumberLiteral {
  kind: "numberLiteral";
  value: number;
  /** Written as a duration (`5m`). */ duration: boolean;
  position: PositionRange;
}
export interface StringLiteral {
  kind: "stringLiteral";
  value: string;
  position: PositionRange;
}
export interface ParenExpr {
  kind: "parenExpr";
  expr: Expr;
  position: PositionRange;
}
export interface UnaryExpr {
  kind: "unaryExpr";
  op: "+" | "-";
  expr: Expr;
  position: PositionRange;
}

export interface BinaryExpr {
  kind: "binaryExpr";
  op: BinaryOperator;
  lhs: Expr;
  rhs: Expr;
  /** Set when both sides are vectors. */
  matching?: VectorMatching;
  /** Comparison yields 0 or 1 instead of filtering. */
  returnBool: boolean;
  position: PositionRange;
}

export interface AggregateExpr {
  kind: "aggregation";
  op: AggregationOperator;
  expr: Expr;
  /** First argument of topk, bottomk, quantile, count_values, limitk, limit_ratio. */
  param?: Expr;
  grouping: string[];
  without: boolean;
  position: PositionRange;
}

export interface Call {
  kind: "call";
  func: FunctionSignature;
  args: Expr[];
  position: PositionRange;
}

/** A duration that is computed: `[2 * step()]`. Resolved to milliseconds before evaluation. */
export interface DurationExpr {
  kind: "durationExpr";
  op: "+" | "-" | "*" | "/" | "%" | "^" | "step" | "range" | "min_of" | "max_of" | "number";
  /** For "number": seconds. */
  value?: number;
  /** For "number": written as a duration (`5m`). */
  duration?: boolean;
  /** Both for binary operators, `min_of` and `max_of`; only `rhs` for a sign in front. */
  lhs?: DurationExpr;
  rhs?: DurationExpr;
  wrapped: boolean;
  position: PositionRange;
}

/** `offset` and `@`, as written; every selector and subquery may carry both. */
export interface TimeModifiers {
  offsetMs: number;
  offsetExpr?: DurationExpr;
  /** `@ <timestamp>`, milliseconds. */
  atMs?: number;
  /** `@ start()` or `@ end()`. */
  atBound?: "start" | "end";
}

export interface VectorSelector extends TimeModifiers {
  kind: "vectorSelector";
  /** The name in front of the braces; "" when it is quoted inside them. Its `__name__` matcher is the last of `matchers`. */
  name: string;
  matchers: Matcher[];
  anchored: boolean;
  smoothed: boolean;
  position: PositionRange;
}

export interface MatrixSelector {
  kind: "matrixSelector";
  selector: VectorSelector;
  rangeMs: number;
  rangeExpr?: DurationExpr;
  position: PositionRange;
}

export interface Subquery extends TimeModifiers {
  kind: "subquery";
  expr: Expr;
  rangeMs: number;
  rangeExpr?: DurationExpr;
  /** 0: the global evaluation interval. */
  stepMs: number;
  stepExpr?: DurationExpr;
  position: PositionRange;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | ParenExpr
  | UnaryExpr
  | BinaryExpr
  | AggregateExpr
  | Call
  | VectorSelector
  | MatrixSelector
  | Subquery;

/** Name and types of a function; the table of all is in `functions.ts`. */
export interface FunctionSignature {
  name: string;
  argTypes: readonly ValueType[];
  /** 0: exactly `argTypes`; n > 0: up to n more of the last type may be left out or added as upstream counts; -1: any number more. */
  variadic: number;
  returnType: ValueType;
  experimental: boolean;
}
