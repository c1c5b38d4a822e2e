import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";

/** The scalar parameter of an aggregation at each step, and what there is to say about all of them. */
export interface Parameter {
  readonly values: Float64Array;
  readonly min: number;
  readonly max: number;
  readonly hasNaN: boolean;
}

export function readParameter(evaluation: Evaluation, operator: Operator): Parameter {
  const start = operator.row(0).valuesPtr / 8;
  const values = evaluation.f64.slice(start, start + operator.steps);
  let min = Infinity;
  let max = -Infinity;
  let hasNaN = false;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    hasNaN ||= Number.isNaN(value);
  }
  return { values, min, max, hasNaN };
}
