import { NarthexError } from "../../base/index.ts";
import type { DurationExpr } from "../ast.ts";

/** What `step()` and `range()` stand for. Seconds. */
export interface DurationContext {
  /** The text that the expression is part of. */
  readonly query: string;
  readonly stepSeconds: number;
  readonly rangeSeconds: number;
}

const encoder = new TextEncoder();
/** Upstream's durations are int64 nanoseconds. */
const secondsMax = 2 ** 63 / 1e9;

/** Computes a duration expression in milliseconds. Throws `bad_data` naming the expression's place. */
export function evaluateDuration(
  expr: DurationExpr,
  context: DurationContext,
  allowNegative: boolean,
): number {
  const seconds = evaluate(expr, context);
  if (!Number.isFinite(seconds)) throw failure(expr, context, "duration is NaN or infinite");
  if (seconds <= 0 && !allowNegative) throw failure(expr, context, "duration must be greater than 0");
  if (Math.abs(seconds) > secondsMax) throw failure(expr, context, "duration is out of range");
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
      if (right === 0) throw failure(expr, context, "division by zero");
      return left! / right;
    case "%":
      if (right === 0) throw failure(expr, context, "modulo by zero");
      return left! % right;
    case "^":
      return left! ** right;
  }
}

/** Names the place by bytes of UTF-8. */
function failure({ position }: DurationExpr, { query }: DurationContext, message: string): NarthexError {
  const [start, end] = [position.start, position.end].map((at) => encoder.encode(query.slice(0, at)).length);
  return new NarthexError("bad_data", `${start}:${end}: ${message}`);
}
