import type { Row } from "../../kernel/index.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";

/** Whether evaluating a row of this node can fail or give rise to a remark, apart from what is below it. */
export function isRemarkable(node: PlanNode): boolean {
  if (node.kind === "select") return node.selector.extension !== undefined;
  return !["number", "string", "range", "repeat"].includes(node.kind);
}

/**
 * Remembers which rows were pulled, so that the others can be when the query ends. Operators pull only what their result needs; but what
 * there is to remark on the rest, or an error in it, belongs to the answer as well.
 */
export class ThoroughOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #place: number;
  #pulled: Uint8Array | undefined;

  constructor(evaluation: Evaluation, child: Operator) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#place = evaluation.atEnd(() => this.#pullRest());
  }

  series(): SeriesList {
    try {
      return this.#child.series();
    } catch (error) {
      this.#evaluation.failAt(this.#place);
      throw error;
    }
  }

  row(series: number): Row {
    this.#pulled ??= new Uint8Array(this.series().length);
    this.#pulled[series] = 1;
    try {
      return this.#child.row(series);
    } catch (error) {
      this.#evaluation.failAt(this.#place);
      throw error;
    }
  }

  #pullRest(): void {
    const { length } = this.series();
    for (let series = 0; series < length; series++) {
      if (this.#pulled?.[series] === 1) continue;
      this.#evaluation.checkRow();
      this.row(series);
    }
  }
}
