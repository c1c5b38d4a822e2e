import type { Row } from "../../kernel/index.ts";
import { formatShortest, metricNameLabel } from "../../model/index.ts";
import { quantile } from "../function/quantile.ts";
import type { AggregateNode } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import { groupingFilter } from "./aggregate.ts";
import type { Evaluation } from "./evaluation.ts";
import { materialize } from "./materialize.ts";
import type { Operator } from "./operator.ts";
import { type Parameter, readParameter } from "./param.ts";
import type { RowBlock } from "./rows.ts";
import { argumentPosition } from "../plan/plan.ts";

/** `quantile(φ, v)`: needs all values of a group at once. */
export class QuantileOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: AggregateNode;
  readonly #child: Operator;
  readonly #param: Operator;
  readonly #row: Row;
  #series: SeriesList | undefined;
  #members: number[][] = [];
  #rows: RowBlock | undefined;
  #parameter: Parameter | undefined;

  constructor(evaluation: Evaluation, node: AggregateNode, child: Operator, param: Operator) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#child = child;
    this.#param = param;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    if (this.#series !== undefined) return this.#series;
    const { strings } = this.#evaluation;
    const grouped = new Grouping(this.#child.series(), groupingFilter(strings, this.#node));
    this.#members = grouped.members();
    this.#parameter = readParameter(this.#evaluation, this.#param);
    this.#warn(this.#parameter);
    const { without, grouping } = this.#node;
    this.#series = new TupleSeries(strings, grouped.table, without || !grouping.includes(metricNameLabel));
    return this.#series;
  }

  row(series: number): Row {
    this.series();
    this.#rows ??= materialize(this.#evaluation, this.#child);
    const { f64, u8 } = this.#evaluation;
    const rows = this.#members[series]!.map((member) => this.#rows!.row(member));
    const values = new Float64Array(rows.length);
    for (let step = 0; step < this.steps; step++) {
      this.#evaluation.checkRow();
      let count = 0;
      for (const row of rows)
        if (u8[row.presentPtr + step] !== 0) values[count++] = f64[row.valuesPtr / 8 + step]!;
      u8[this.#row.presentPtr + step] = count > 0 ? 1 : 0;
      if (count === 0) continue;
      const phi = this.#parameter!.values[step]!;
      f64[this.#row.valuesPtr / 8 + step] = quantile(phi, values.subarray(0, count));
    }
    return this.#row;
  }

  #warn({ min, max, hasNaN }: Parameter): void {
    const warn = (phi: number): void => {
      const text = `quantile value should be between 0 and 1, got ${formatShortest(phi)}`;
      this.#evaluation.annotations.warn(text, argumentPosition(this.#node.param!), this.#node.position);
    };
    if (hasNaN) warn(NaN);
    if (max > 1) warn(max);
    if (min < 0) warn(min);
  }
}
