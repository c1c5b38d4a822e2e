import type { Matcher } from "../../model/index.ts";
import { LabelsBuilder, metricNameLabel } from "../../model/index.ts";
import { type SeriesList, TupleSeries } from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator, Row } from "./operator.ts";
import { fillRow } from "./rows.ts";

/** `absent` and, over windows that have any sample, `absent_over_time`: 1 where no series has a value. */
export class AbsentOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #matchers: readonly Matcher[];
  #row: Row | undefined;

  constructor(evaluation: Evaluation, child: Operator, matchers: readonly Matcher[] = []) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#matchers = matchers;
  }

  series(): SeriesList {
    const { strings } = this.#evaluation;
    const tuple = new Tuple();
    for (const [name, value] of absentLabels(this.#matchers))
      tuple.push(strings.number(name), strings.number(value));
    const table = new TupleTable();
    table.intern(tuple);
    return new TupleSeries(strings, table, true);
  }

  row(): Row {
    if (this.#row !== undefined) return this.#row;
    const row = this.#evaluation.row(this.steps);
    const { u8 } = this.#evaluation;
    fillRow(this.#evaluation, row, this.steps, 1);
    for (let series = 0, { length } = this.#child.series(); series < length; series++) {
      const { presentPtr } = this.#child.row(series);
      for (let step = 0; step < this.steps; step++)
        if (u8[presentPtr + step] !== 0) u8[row.presentPtr + step] = 0;
    }
    this.#row = row;
    return row;
  }
}

/**
 * The labels that `=` matchers determine; a label that has another matcher behind it is left out. Upstream's storage moves those that take
 * series away to the end before the labels are made.
 */
function absentLabels(matchers: readonly Matcher[]): Iterable<readonly [string, string]> {
  const builder = new LabelsBuilder();
  const seen = new Set<string>();
  for (const { name, type, value } of subtractingLast(matchers)) {
    if (name === metricNameLabel) continue;
    if (type === "=" && !seen.has(name)) {
      builder.set(name, value);
      seen.add(name);
    } else {
      builder.delete(name);
    }
  }
  return builder.labels();
}

function subtractingLast(matchers: readonly Matcher[]): Matcher[] {
  const mustBeSet = new Set(matchers.filter((each) => !each.matchesEmpty()).map(({ name }) => name));
  const isSubtracting = (each: Matcher): boolean =>
    !mustBeSet.has(each.name) || ((each.type === "!=" || each.type === "!~") && each.matchesEmpty());
  return matchers.toSorted((a, b) => Number(isSubtracting(a)) - Number(isSubtracting(b)));
}
