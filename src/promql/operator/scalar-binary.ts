import type { Row } from "../../kernel/index.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { ScalarBinaryNode } from "../plan/plan.ts";
import { type SeriesList, singleSeries } from "../series/series-list.ts";
import { applyBinary, changesMetric, isComparison } from "./arithmetic-rows.ts";
import type { Evaluation } from "./evaluation.ts";
import { applyToHistograms } from "./histogram-rows.ts";
import { remarkTrim } from "./trim.ts";
import { StepRemarks } from "./step-remarks.ts";
import type { Operator } from "./operator.ts";

/** A vector and a scalar, on either side, or two scalars. */
export class ScalarBinaryOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: ScalarBinaryNode;
  readonly #left: Operator;
  readonly #right: Operator;
  readonly #row: Row;
  readonly #remarks: StepRemarks;
  readonly #options: { returnBool: boolean; keepRight: boolean };

  constructor(evaluation: Evaluation, node: ScalarBinaryNode, left: Operator, right: Operator) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#left = left;
    this.#right = right;
    this.#row = evaluation.row(this.steps);
    this.#remarks = new StepRemarks(evaluation, node.position);
    const isScalar = node.type === "scalar";
    // Between scalars comparisons always give 0 or 1. A filter keeps the vector's value, wherever the vector stands.
    const returnBool = node.returnBool || (isScalar && isComparison(node.op));
    this.#options = { returnBool, keepRight: !isScalar && node.left.type === "scalar" };
  }

  series(): SeriesList {
    const { type, left, op, returnBool } = this.#node;
    if (type === "scalar") return singleSeries(this.#evaluation.strings);
    const list = (left.type === "scalar" ? this.#right : this.#left).series();
    return changesMetric(op, returnBool) ? this.#evaluation.dropNames(list) : list;
  }

  row(series: number): Row {
    const { type, op, left } = this.#node;
    const leftRow = this.#left.row(left.type === "scalar" ? 0 : series);
    const rightRow = this.#right.row(left.type === "scalar" && type === "vector" ? series : 0);
    applyBinary(this.#evaluation, op, leftRow, rightRow, this.#row, this.steps, this.#options);
    const remarks = (step: number): HistogramRemarks => this.#remarks.at(step, series);
    applyToHistograms(this.#evaluation, op, leftRow, rightRow, this.#row, this.steps, this.#options, remarks);
    remarkTrim(this.#evaluation, this.#node, leftRow, rightRow, remarks);
    return this.#row;
  }
}
