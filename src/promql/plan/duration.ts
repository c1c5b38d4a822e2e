import { NarthexError } from "../../base/index.ts";
import type { DurationExpr } from "../ast.ts";

/** What `step()` and `range()` stand for. Seconds. */
export interface DurationContext {
  readonly stepSeconds: number;
  readonly rangeSeconds: number;
}

/** Upstream's durations are int64 nanoseconds. */
const secondsMax = 2 ** 63 / 1e9;

/** Computes a duration expression in milliseconds. Throws `bad_data` naming the expression's place. */
export function evaluateDuration(
  expr: DurationExpr,
  context: DurationContext,
  allowNegative: boolean,
): number {
  const seconds = evaluate(expr, context);
  if (!Number.isFinite(seconds)) throw failure(expr, "duration is NaN or infinite");
  if (seconds <= 0 && !allowNegative) throw failure(expr, "duration must be greater than 0");
  if (Math.abs(seconds) > secondsMax) throw failure(expr, "duration is out of range");
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr, context: DurationContext): number {
  const left = expr.lhs && evaluate(expr.lhs, context);
  const right = expr.rhs === undefined ? 0 : evaluate(expr.rhs, context);
  switch (expr.op) {
    case "number":
      return expr.value!;
    case "step":
      return context.stepSeconds;
    case "range":
      return context.rangeSeconds;
    case "min_of":
      return Math.min(left!, right);
    case "max_of":
      return Math.max(left!, right);
    case "+":
      return (left ?? 0) + right;
    case "-":
      return left === undefined ? -right : left - right;
    case "*":
      return left! * right;
    case "/":
      if (right === 0) throw failure(expr, "division by zero");
      return left! / right;
    case "%":
      if (right === 0) throw failure(expr, "modulo by zero");
      return left! % right;
    case "^":
      return left! ** right;
  }
}

function failure(expr: DurationExpr, message: string): NarthexError {
  return new NarthexError("bad_data", `${expr.position.start}:${expr.position.end}: ${message}`);
}
