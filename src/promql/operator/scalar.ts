import type { Row } from "../../kernel/index.ts";
import { maximum, minimum } from "../function/arithmetic.ts";
import type { Grid } from "../plan/plan.ts";
import { type SeriesList, singleSeries } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { copyRow, fillRow, repeatFirst } from "./rows.ts";

/** A single series without labels whose row is computed once: scalars, and vectors made of them. */
export class ScalarOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #compute: (row: Row) => void;
  #row: Row | undefined;

  constructor(evaluation: Evaluation, steps: number, compute: (row: Row) => void) {
    this.steps = steps;
    this.#evaluation = evaluation;
    this.#compute = compute;
  }

  series(): SeriesList {
    return singleSeries(this.#evaluation.strings);
  }

  row(): Row {
    if (this.#row === undefined) {
      this.#row = this.#evaluation.row(this.steps);
      this.#compute(this.#row);
    }
    return this.#row;
  }
}

export function constant(evaluation: Evaluation, steps: number, value: number): Operator {
  return new ScalarOperator(evaluation, steps, (row) => fillRow(evaluation, row, steps, value));
}

/** `time()`: each step's own time in seconds. */
export function timeOperator(evaluation: Evaluation, grid: Grid): Operator {
  return new ScalarOperator(evaluation, grid.steps, (row) => {
    fillRow(evaluation, row, grid.steps, 0);
    const value = row.valuesPtr / 8;
    for (let step = 0; step < grid.steps; step++)
      evaluation.f64[value + step] = (grid.startMs + step * grid.stepMs) / 1000;
  });
}

/** `vector(s)`: the scalar as it is. */
export function vectorOperator(evaluation: Evaluation, scalar: Operator): Operator {
  return new ScalarOperator(evaluation, scalar.steps, (row) =>
    copyRow(evaluation, scalar.row(0), row, scalar.steps),
  );
}

/** `scalar(v)`: the value of the only element, NaN where there is none or more than one. */
export function scalarOf(evaluation: Evaluation, vector: Operator): Operator {
  const { steps } = vector;
  const { f64, u8 } = evaluation;
  return new ScalarOperator(evaluation, steps, (row) => {
    const counts = new Uint32Array(steps);
    const value = row.valuesPtr / 8;
    fillRow(evaluation, row, steps, NaN);
    for (let series = 0, { length } = vector.series(); series < length; series++) {
      const from = vector.row(series);
      for (let step = 0; step < steps; step++) {
        if (u8[from.presentPtr + step] === 0) continue;
        counts[step]! += 1;
        f64[value + step] = counts[step] === 1 ? f64[from.valuesPtr / 8 + step]! : NaN;
      }
    }
  });
}

/** `min_of(a, b)` and `max_of(a, b)`. */
export function extremeOperator(
  evaluation: Evaluation,
  func: "min_of" | "max_of",
  left: Operator,
  right: Operator,
): Operator {
  const choose = func === "min_of" ? minimum : maximum;
  const { f64 } = evaluation;
  return new ScalarOperator(evaluation, left.steps, (row) => {
    copyRow(evaluation, left.row(0), row, left.steps);
    const other = right.row(0).valuesPtr / 8;
    const value = row.valuesPtr / 8;
    for (let step = 0; step < left.steps; step++)
      f64[value + step] = choose(f64[value + step]!, f64[other + step]!);
  });
}

/** One evaluation at the first step, shown at all of them. */
export class RepeatOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #row: Row;

  constructor(evaluation: Evaluation, child: Operator, steps: number) {
    this.steps = steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#row = evaluation.row(steps);
  }

  series(): SeriesList {
    return this.#child.series();
  }

  row(series: number): Row {
    copyRow(this.#evaluation, this.#child.row(series), this.#row, 1);
    repeatFirst(this.#evaluation, this.#row, this.steps);
    return this.#row;
  }
}
