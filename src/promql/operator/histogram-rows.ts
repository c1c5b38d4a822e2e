import type { Row } from "../../kernel/index.ts";
import type { BinaryOperator } from "../ast.ts";
import { binaryOfHistograms } from "../histogram/binary.ts";
import { floatPresent, histogramPresent } from "../histogram/column.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { SampleValue } from "../histogram/samples.ts";
import { type BinaryOptions, isComparison } from "./arithmetic-rows.ts";
import type { Evaluation } from "./evaluation.ts";

/** The value of a row at a step where it has one. */
export function valueAt({ f64, u8, histograms }: Evaluation, row: Row, step: number): SampleValue {
  const place = row.valuesPtr / 8 + step;
  return u8[row.presentPtr + step] === histogramPresent ? histograms.get(place) : f64[place]!;
}

export function storeAt(
  { f64, u8, histograms }: Evaluation,
  row: Row,
  step: number,
  value: SampleValue | undefined,
): void {
  const place = row.valuesPtr / 8 + step;
  if (typeof value === "object") histograms.set(place, value);
  else f64[place] = value ?? 0;
  u8[row.presentPtr + step] =
    value === undefined ? 0 : typeof value === "object" ? histogramPresent : floatPresent;
}

/**
 * `left op right` at the steps where both have values and one of them is a native histogram; the other steps of `out` stay as they are.
 * Values that do not fit the operator have no result, with `bool` neither.
 */
export function applyToHistograms(
  evaluation: Evaluation,
  op: BinaryOperator,
  left: Row,
  right: Row,
  out: Row,
  steps: number,
  { returnBool, keepRight }: BinaryOptions,
  remarks: (step: number) => HistogramRemarks,
): void {
  const { u8, histograms } = evaluation;
  if (histograms.isEmpty) return;
  for (let step = 0; step < steps; step++) {
    const presences = [u8[left.presentPtr + step], u8[right.presentPtr + step]];
    if (!presences.includes(histogramPresent)) continue;
    if (presences.includes(0)) {
      u8[out.presentPtr + step] = 0;
      continue;
    }
    const [a, b] = [valueAt(evaluation, left, step), valueAt(evaluation, right, step)];
    const { value, keep } = binaryOfHistograms(op, a, b, remarks(step));
    if (value === undefined) storeAt(evaluation, out, step, undefined);
    else if (returnBool && isComparison(op)) storeAt(evaluation, out, step, keep ? 1 : 0);
    else storeAt(evaluation, out, step, keep ? (keepRight && isComparison(op) ? b : value) : undefined);
  }
}
