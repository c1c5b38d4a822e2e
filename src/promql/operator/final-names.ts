import type { Row } from "../../kernel/index.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { SeriesList } from "../series/series-list.ts";
import type { Tuple } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import { MergeEqual } from "./merge-equal.ts";
import type { Operator } from "./operator.ts";

/** With delayed name removal: names go now, and series that become equal are merged. */
export function withFinalNames(evaluation: Evaluation, operator: Operator): Operator {
  if (!evaluation.delayedNameRemoval) return operator;
  const renamed: Operator = {
    steps: operator.steps,
    series: () => new FinalSeries(operator.series()),
    row: (series: number): Row => operator.row(series),
  };
  return new MergeEqual(evaluation, renamed, false);
}

class FinalSeries extends SeriesList {
  readonly #source: SeriesList;
  readonly #filter: LabelFilter;

  constructor(source: SeriesList) {
    super(source.strings, source.length);
    this.#source = source;
    this.#filter = LabelFilter.exceptReserved(source.strings);
  }

  override append(series: number, out: Tuple, filter?: LabelFilter): void {
    if (!this.#source.dropsName(series)) this.#source.append(series, out, filter);
    else this.#source.append(series, out, filter === undefined ? this.#filter : filter.and(this.#filter));
  }
}
