import type { Row } from "../../kernel/index.ts";
import { histogramPresent } from "../histogram/column.ts";
import { Grouping } from "../series/grouping.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import { type Evaluation, duplicateSeries } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { copyRow, isEmpty } from "./rows.ts";

/**
 * Makes one series of those that have become equal. Where two have a value at one step the query fails, as upstream does;
 * `strict` fails when two have any values at all. Where series cannot become equal this costs nothing.
 */
export class MergeEqual implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #strict: boolean;
  #series: SeriesList | undefined;
  /** The child's series by output series; undefined when they are the same. */
  #members: number[][] | undefined;
  #row: Row | undefined;

  constructor(evaluation: Evaluation, child: Operator, strict: boolean) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#strict = strict;
  }

  series(): SeriesList {
    if (this.#series !== undefined) return this.#series;
    const list = this.#child.series();
    this.#series = list;
    if (list.distinctWithoutName || list.length < 2) return list;
    const { strings } = this.#evaluation;
    const grouping = new Grouping(list, LabelFilter.except(strings, []));
    if (grouping.table.count === list.length) return list;
    const members = grouping.members();
    const dropped = Uint8Array.from(members, ([first]) => Number(list.dropsName(first!)));
    this.#members = members;
    this.#series = new TupleSeries(strings, grouping.table, false, dropped);
    return this.#series;
  }

  row(series: number): Row {
    const members = this.#members?.[series];
    if (members === undefined) return this.#child.row(series);
    if (members.length === 1) return this.#child.row(members[0]!);
    const row = (this.#row ??= this.#evaluation.row(this.steps));
    copyRow(this.#evaluation, this.#child.row(members[0]!), row, this.steps);
    for (const member of members.slice(1)) this.#add(row, this.#child.row(member));
    return row;
  }

  #add(into: Row, from: Row): void {
    const { f64, u8, histograms } = this.#evaluation;
    if (
      this.#strict &&
      !isEmpty(this.#evaluation, into, this.steps) &&
      !isEmpty(this.#evaluation, from, this.steps)
    ) {
      throw duplicateSeries();
    }
    for (let step = 0; step < this.steps; step++) {
      if (u8[from.presentPtr + step] === 0) continue;
      if (u8[into.presentPtr + step] !== 0) throw duplicateSeries();
      const present = u8[from.presentPtr + step]!;
      u8[into.presentPtr + step] = present;
      f64[into.valuesPtr / 8 + step] = f64[from.valuesPtr / 8 + step]!;
      if (present === histogramPresent) histograms.copy(from.valuesPtr / 8 + step, into.valuesPtr / 8 + step);
    }
  }
}
