import type { Row, RowOperatorName } from "../../kernel/index.ts";
import { power } from "../function/arithmetic.ts";
import type { BinaryOperator } from "../ast.ts";
import type { Evaluation } from "./evaluation.ts";

const kernelOperators: Partial<Record<BinaryOperator, RowOperatorName>> = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "modulo",
  "==": "equal",
  "!=": "notEqual",
  ">": "greater",
  "<": "less",
  ">=": "greaterOrEqual",
  "<=": "lessOrEqual",
};

const comparisons: ReadonlySet<BinaryOperator> = new Set(["==", "!=", ">", "<", ">=", "<="]);

export function isComparison(op: BinaryOperator): boolean {
  return comparisons.has(op);
}

/** Arithmetic yields another quantity, so the metric's name no longer fits; comparisons filter, and trimming leaves what it was. */
export function changesMetric(op: BinaryOperator, returnBool: boolean): boolean {
  return (!isComparison(op) && !isTrim(op)) || returnBool;
}

export function isTrim(op: BinaryOperator): boolean {
  return op === "</" || op === ">/";
}

export interface BinaryOptions {
  readonly returnBool: boolean;
  /** Filtering comparisons keep the right side's value. */
  readonly keepRight: boolean;
}

/** `left op right` at each step where both are present. */
export function applyBinary(
  evaluation: Evaluation,
  op: BinaryOperator,
  left: Row,
  right: Row,
  out: Row,
  steps: number,
  options: BinaryOptions,
): void {
  const name = kernelOperators[op];
  if (name !== undefined) evaluation.kernel.binaryRows(name, left, right, out, steps, options);
  else if (op === "^") applyNumbers(evaluation, power, left, right, out, steps);
  else if (op === "atan2") applyNumbers(evaluation, Math.atan2, left, right, out, steps);
  // The trim operators work on native histograms; between floats there is nothing to trim.
  else evaluation.u8.fill(0, out.presentPtr, out.presentPtr + steps);
}

function applyNumbers(
  { f64, u8 }: Evaluation,
  compute: (left: number, right: number) => number,
  left: Row,
  right: Row,
  out: Row,
  steps: number,
): void {
  for (let step = 0; step < steps; step++) {
    const present = u8[left.presentPtr + step]! & u8[right.presentPtr + step]!;
    u8[out.presentPtr + step] = present;
    if (present === 0) continue;
    f64[out.valuesPtr / 8 + step] = compute(
      f64[left.valuesPtr / 8 + step]!,
      f64[right.valuesPtr / 8 + step]!,
    );
  }
}
