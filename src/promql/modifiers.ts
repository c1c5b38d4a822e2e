import type { Expr, Subquery, VectorSelector } from "./ast.ts";
import type { Duration } from "./duration-parser.ts";

/** Why a modifier cannot stand where it stands. */
export type Failure = string;

const timestampSecondsMax = 2 ** 63;
const operands = "must be preceded by an instant vector selector or range vector selector or a subquery";

/** The node that carries `offset` and `@` of an expression: a range's are those of its selector. */
function carrier(expr: Expr): VectorSelector | Subquery | undefined {
  if (expr.kind === "matrixSelector") return expr.selector;
  return expr.kind === "vectorSelector" || expr.kind === "subquery" ? expr : undefined;
}

export function applyOffset(expr: Expr, offset: Duration): Failure | undefined {
  const target = carrier(expr);
  if (!target) return `offset modifier ${operands}`;
  if (target.offsetMs !== 0 || target.offsetExpr) return "offset may not be set multiple times";
  target.offsetMs = offset.ms;
  if (offset.expr) target.offsetExpr = offset.expr;
  return undefined;
}

export function applyAtTimestamp(expr: Expr, seconds: number): Failure | undefined {
  if (!(Math.abs(seconds) < timestampSecondsMax)) {
    return `timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`;
  }
  const target = carrier(expr);
  const failure = atFailure(target);
  if (failure === undefined) target!.atMs = Math.round(seconds * 1000) + 0;
  return failure;
}

export function applyAtBound(expr: Expr, bound: "start" | "end"): Failure | undefined {
  const target = carrier(expr);
  const failure = atFailure(target);
  if (failure === undefined) target!.atBound = bound;
  return failure;
}

function atFailure(target: VectorSelector | Subquery | undefined): Failure | undefined {
  if (!target) return `@ modifier ${operands}`;
  const isSet = target.atMs !== undefined || target.atBound !== undefined;
  return isSet ? "@ <timestamp> may not be set multiple times" : undefined;
}

/** `anchored` or `smoothed`. */
export function applyRangeExtension(expr: Expr, extension: "anchored" | "smoothed"): Failure | undefined {
  if (expr.kind === "subquery") return `${extension} modifier is not supported for subqueries`;
  const target = carrier(expr) as VectorSelector | undefined;
  if (!target) return `${extension} modifier not implemented`;
  target[extension] = true;
  return target.anchored && target.smoothed
    ? "anchored and smoothed modifiers cannot be used together"
    : undefined;
}

/** Go's `%f`. */
function formatFixed(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Math.abs(value) >= 1e21 ? `${BigInt(value)}.000000` : value.toFixed(6);
}
