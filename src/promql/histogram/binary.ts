import {
  addHistograms,
  compactHistogram,
  divideHistogram,
  equalHistograms,
  type Histogram,
  multiplyHistogram,
  subtractHistograms,
  trimHistogramAbove,
  trimHistogramBelow,
  withCounterReset,
} from "../../model/index.ts";
import type { BinaryOperator } from "../ast.ts";
import { isIncompatible } from "./rate.ts";
import type { HistogramRemarks } from "./remarks.ts";
import type { SampleValue } from "./samples.ts";

/** What an operator made of two values, at least one of them a histogram. A comparison says in `keep` whether it holds. */
export interface BinaryResult {
  /** Undefined where the operator is not made for such values: then there is no result, not even with `bool`. */
  readonly value: SampleValue | undefined;
  readonly keep: boolean;
}

const nothing: BinaryResult = { value: undefined, keep: false };

/**
 * `left op right`. Between two vectors values that do not fit are an error to remark on and leave out; `bool` turns what merely
 * does not hold into 0.
 */
export function binaryOfHistograms(
  op: BinaryOperator,
  left: SampleValue,
  right: SampleValue,
  remarks: HistogramRemarks,
): BinaryResult {
  if (typeof left === "number") {
    if (op === "*" && typeof right !== "number") return scaled(multiplyHistogram(right, left));
    remarks.incompatibleTypes("float", op, typeof right === "number" ? "float" : "histogram");
    return nothing;
  }
  return typeof right === "number" ? withFloat(op, left, right, remarks) : ofTwo(op, left, right, remarks);
}

function withFloat(
  op: BinaryOperator,
  left: Histogram,
  right: number,
  remarks: HistogramRemarks,
): BinaryResult {
  switch (op) {
    case "*":
      return scaled(multiplyHistogram(left, right));
    case "/":
      return scaled(divideHistogram(left, right));
    case "</":
      return { value: trimHistogramAbove(left, right), keep: true };
    case ">/":
      return { value: trimHistogramBelow(left, right), keep: true };
    default:
      remarks.incompatibleTypes("histogram", op, "float");
      return nothing;
  }
}

function ofTwo(
  op: BinaryOperator,
  left: Histogram,
  right: Histogram,
  remarks: HistogramRemarks,
): BinaryResult {
  switch (op) {
    case "+":
    case "-":
      return combined(op, left, right, remarks);
    case "==":
      return { value: left, keep: equalHistograms(left, right) };
    case "!=":
      return { value: left, keep: !equalHistograms(left, right) };
    default:
      remarks.incompatibleTypes("histogram", op, "histogram");
      return nothing;
  }
}

function combined(op: "+" | "-", left: Histogram, right: Histogram, remarks: HistogramRemarks): BinaryResult {
  const operation = op === "+" ? "addition" : "subtraction";
  try {
    const result = op === "+" ? addHistograms(left, right) : subtractHistograms(left, right);
    if (result.counterResetCollision) remarks.counterResetCollision(operation);
    if (result.boundsReconciled) remarks.boundsReconciled(operation);
    const histogram = op === "-" ? withCounterReset(result.histogram, "gauge") : result.histogram;
    return scaled(histogram);
  } catch (error) {
    if (!isIncompatible(error)) throw error;
    remarks.incompatibleLayout(op);
    return nothing;
  }
}

function scaled(histogram: Histogram): BinaryResult {
  return { value: compactHistogram(histogram), keep: true };
}
