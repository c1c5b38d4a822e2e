import type { Row } from "../../kernel/index.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { type RowBlock, copyRow } from "./rows.ts";

/** Pulls all rows of an operator into memory of their own. */
export function materialize(evaluation: Evaluation, operator: Operator): RowBlock {
  const { length } = operator.series();
  const { steps } = operator;
  const block = evaluation.rows(length, steps);
  for (let series = 0; series < length; series++) {
    evaluation.keepSamples(steps);
    copyRow(evaluation, operator.row(series), block.row(series), steps);
  }
  return block;
}

/** Evaluates each row of an operator once, for who wants it several times. */
export class KeptOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  #rows: RowBlock | undefined;

  constructor(evaluation: Evaluation, child: Operator) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
  }

  series(): SeriesList {
    return this.#child.series();
  }

  row(series: number): Row {
    this.#rows ??= materialize(this.#evaluation, this.#child);
    return this.#rows.row(series);
  }
}

/** Gives each of several consumers of one operator a row that the others do not overwrite. */
export class SharedOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #shared: Operator;
  readonly #row: Row;

  constructor(evaluation: Evaluation, shared: Operator) {
    this.steps = shared.steps;
    this.#evaluation = evaluation;
    this.#shared = shared;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    return this.#shared.series();
  }

  row(series: number): Row {
    copyRow(this.#evaluation, this.#shared.row(series), this.#row, this.steps);
    return this.#row;
  }
}
