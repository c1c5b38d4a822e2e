import { NarthexError } from "../../base/index.ts";
import { formatHistogram, formatPlain, isLabelName, metricNameLabel, quoteGo } from "../../model/index.ts";
import type { SampleValue } from "../histogram/samples.ts";
import type { AggregateNode } from "../plan/plan.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import { groupingFilter } from "./aggregate.ts";
import type { Evaluation } from "./evaluation.ts";
import { GatheringOperator } from "./gathering.ts";
import type { Operator } from "./operator.ts";
import { valueAt } from "./histogram-rows.ts";
import { setLabel } from "./vector-labels.ts";

/** `count_values("label", v)`: how many series of a group have each value, the value itself as a label. */
export class CountValuesOperator extends GatheringOperator {
  readonly #node: AggregateNode;
  readonly #child: Operator;
  readonly #label: string;

  constructor(evaluation: Evaluation, node: AggregateNode, child: Operator, label: string) {
    super(evaluation, node.grid.steps);
    if (!isLabelName(label)) throw new NarthexError("execution", `invalid label name ${quoteGo(label)}`);
    this.#node = node;
    this.#child = child;
    this.#label = label;
  }

  protected override gather(): SeriesList {
    const { strings, u8 } = this.evaluation;
    const list = this.#child.series();
    const { without, grouping } = this.#node;
    const label = strings.number(this.#label);
    // The label of the value takes part in the grouping: `without (label)` takes it away again.
    const keepsValue = !without || (!grouping.includes(this.#label) && this.#label !== metricNameLabel);
    const grouped = groupingFilter(strings, this.#node);
    const filter = keepsValue ? grouped.and(LabelFilter.except(strings, [this.#label])) : grouped;
    const table = new TupleTable();
    const base = new Tuple();
    const labels = new Tuple();
    for (let series = 0; series < list.length; series++) {
      this.evaluation.checkRow();
      const row = this.#child.row(series);
      list.tuple(series, base, filter);
      for (let step = 0; step < this.steps; step++) {
        if (u8[row.presentPtr + step] === 0) continue;
        labels.length = 0;
        for (let i = 0; i < base.length; i += 2) labels.push(base.numbers[i]!, base.numbers[i + 1]!);
        const value = strings.number(textOf(valueAt(this.evaluation, row, step)));
        if (keepsValue) setLabel(strings, labels, label, value);
        this.#count(table.intern(labels), step);
      }
    }
    const hasName = this.#label === metricNameLabel || (!without && grouping.includes(metricNameLabel));
    return new TupleSeries(strings, table, !hasName);
  }

  #count(series: number, step: number): void {
    const { f64, u8 } = this.evaluation;
    const row = this.rows[series] ?? this.addRow();
    const at = row.valuesPtr / 8 + step;
    f64[at] = u8[row.presentPtr + step] === 0 ? 1 : f64[at]! + 1;
    u8[row.presentPtr + step] = 1;
  }
}

function textOf(value: SampleValue): string {
  return typeof value === "number" ? formatPlain(value) : formatHistogram(value);
}
