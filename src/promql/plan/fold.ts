import { power } from "../function/arithmetic.ts";
import type { BinaryOperator } from "../ast.ts";

/** `left op right` of two scalars; comparisons give 0 or 1. */
export function foldScalars(op: BinaryOperator, left: number, right: number): number {
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "^":
      return power(left, right);
    case "atan2":
      return Math.atan2(left, right);
    case "==":
      return Number(left === right);
    case "!=":
      return Number(left !== right);
    case ">":
      return Number(left > right);
    case "<":
      return Number(left < right);
    case ">=":
      return Number(left >= right);
    case "<=":
      return Number(left <= right);
    default:
      throw new Error(`assertion failed: operator ${op} between scalars`);
  }
}
