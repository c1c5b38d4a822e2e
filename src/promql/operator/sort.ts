import type { Row } from "../../kernel/index.ts";
import { compareNatural } from "../function/natural-order.ts";
import { PickedSeries, type SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import { labelOf } from "./label-functions.ts";
import type { Operator } from "./operator.ts";

/** Sort orders decide about instant queries only; a range is always ordered by labels. */
export class SortOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #compare: SortOrder;
  #order: number[] | undefined;

  constructor(evaluation: Evaluation, child: Operator, compare: SortOrder) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#compare = compare;
  }

  series(): SeriesList {
    const list = this.#child.series();
    if (this.steps !== 1) return list;
    this.#order ??= this.#sort(list);
    return new PickedSeries(list, this.#order);
  }

  row(series: number): Row {
    this.series();
    return this.#child.row(this.#order?.[series] ?? series);
  }

  #sort(list: SeriesList): number[] {
    const { f64, u8 } = this.#evaluation;
    const items: SortItem[] = [];
    for (let series = 0; series < list.length; series++) {
      const row = this.#child.row(series);
      if (u8[row.presentPtr] !== 0) items.push({ list, series, value: f64[row.valuesPtr / 8]! });
    }
    return items.sort(this.#compare).map(({ series }) => series);
  }
}

export type SortOrder = (a: SortItem, b: SortItem) => number;

export interface SortItem {
  readonly list: SeriesList;
  readonly series: number;
  readonly value: number;
}

/** By value; NaN comes last either way. */
export function byValue(descending: boolean): SortOrder {
  return (a, b) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value))
      return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    if (a.value === b.value) return 0;
    return a.value < b.value === descending ? 1 : -1;
  };
}

/** By the values of some labels in natural order, then by all labels. */
export function byLabels(labels: readonly string[], descending: boolean): SortOrder {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    for (const label of labels) {
      const order = compareNatural(labelOf(a.list, a.series, label), labelOf(b.list, b.series, label));
      if (order !== 0) return sign * order;
    }
    return sign * a.list.labels(a.series).compare(b.list.labels(b.series));
  };
}
