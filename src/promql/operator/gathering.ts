import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator, Row } from "./operator.ts";

/** An operator whose series follow from the values of its operands, so that it evaluates them whole before it states any. Its rows stay. */
export abstract class GatheringOperator implements Operator {
  readonly steps: number;
  protected readonly evaluation: Evaluation;
  /** By series. */
  protected readonly rows: Row[] = [];
  #series: SeriesList | undefined;

  constructor(evaluation: Evaluation, steps: number) {
    this.evaluation = evaluation;
    this.steps = steps;
  }

  series(): SeriesList {
    this.#series ??= this.gather();
    return this.#series;
  }

  row(series: number): Row {
    this.series();
    return this.rows[series]!;
  }

  /** Called once: fills the rows. */
  protected abstract gather(): SeriesList;

  /** The row of a series that has turned up; nothing is present at first. */
  protected addRow(): Row {
    const row = this.evaluation.row(this.steps);
    this.evaluation.keepSamples(this.steps);
    this.rows.push(row);
    return row;
  }
}
