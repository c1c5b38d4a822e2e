import type { Row } from "../../kernel/index.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { VectorBinaryNode } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import { reservedLabels } from "../series/label-filter.ts";
import {
  FilteredSeries,
  NameDroppingSeries,
  PickedSeries,
  type SeriesList,
  TupleSeries,
} from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import { type BinaryOptions, applyBinary, changesMetric } from "./arithmetic-rows.ts";
import type { Evaluation } from "./evaluation.ts";
import { StepRemarks } from "./step-remarks.ts";
import type { Operator } from "./operator.ts";
import { applyToHistograms } from "./histogram-rows.ts";
import { copyRow } from "./rows.ts";
import { remarkTrim } from "./trim.ts";
import { ResultLabels, matchingFilter } from "./vector-labels.ts";
import { type MatchInput, type MatchResult, matchStepwise } from "./vector-match.ts";

/** Pairs of series that are combined over their whole length. */
interface Pairs {
  readonly many: Int32Array;
  readonly one: Int32Array;
  readonly series: SeriesList;
  /** A series of the "one" side occurs in several pairs. */
  readonly oneIsReused: boolean;
}

/**
 * Arithmetic and comparison between two vectors. Where the labels alone decide who meets whom, rows are combined as they are
 * pulled; where it depends on who has a value at a step (several candidates, fill values), all steps are matched beforehand.
 */
export class VectorBinaryOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: VectorBinaryNode;
  /** The side of which several series may meet one of the other; the left one of one-to-one. */
  readonly #many: Operator;
  readonly #one: Operator;
  readonly #swapped: boolean;
  readonly #options: BinaryOptions;
  readonly #row: Row;
  readonly #remarks: StepRemarks;
  readonly #oneRows = new Map<number, Row>();
  #pairs: Pairs | undefined;
  #matched: MatchResult | undefined;

  constructor(evaluation: Evaluation, node: VectorBinaryNode, left: Operator, right: Operator) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#swapped = node.matching.card === "one-to-many";
    this.#many = this.#swapped ? right : left;
    this.#one = this.#swapped ? left : right;
    this.#options = { returnBool: node.returnBool, keepRight: false };
    this.#row = evaluation.row(this.steps);
    this.#remarks = new StepRemarks(evaluation, node.position);
  }

  series(): SeriesList {
    if (this.#pairs === undefined && this.#matched === undefined) this.#match();
    return this.#pairs?.series ?? this.#matched!.series;
  }

  row(series: number): Row {
    this.series();
    if (this.#matched !== undefined) return this.#matched.row(series);
    const { many, one, oneIsReused } = this.#pairs!;
    const oneRow = oneIsReused ? this.#keptRow(one[series]!) : this.#one.row(one[series]!);
    const manyRow = this.#many.row(many[series]!);
    const [left, right] = this.#swapped ? [oneRow, manyRow] : [manyRow, oneRow];
    const { op } = this.#node;
    applyBinary(this.#evaluation, op, left, right, this.#row, this.steps, this.#options);
    const remarks = (step: number): HistogramRemarks => this.#remarks.at(step, series);
    applyToHistograms(this.#evaluation, op, left, right, this.#row, this.steps, this.#options, remarks);
    remarkTrim(this.#evaluation, this.#node, left, right, remarks);
    return this.#row;
  }

  #keptRow(series: number): Row {
    let row = this.#oneRows.get(series);
    if (row === undefined) {
      row = this.#evaluation.row(this.steps);
      this.#evaluation.keepSamples(this.steps);
      copyRow(this.#evaluation, this.#one.row(series), row, this.steps);
      this.#oneRows.set(series, row);
    }
    return row;
  }

  #match(): void {
    const { matching, op, returnBool } = this.#node;
    const { strings, delayedNameRemoval } = this.#evaluation;
    const dropName = changesMetric(op, returnBool && !delayedNameRemoval);
    const labels = new ResultLabels(strings, matching, dropName);
    const filter = matchingFilter(strings, matching);
    const many = this.#many.series();
    const one = this.#one.series();
    const manyGroups = new Grouping(many, filter);
    const oneGroups = new Grouping(one, filter, manyGroups.table);
    const groupCount = manyGroups.table.count;
    this.#pairs = this.#pair(labels, manyGroups.groups, oneGroups.groups, groupCount);
    if (this.#pairs !== undefined) return;
    const input: MatchInput = {
      node: this.#node,
      many: this.#many,
      one: this.#one,
      manyGroups: manyGroups.groups,
      oneGroups: oneGroups.groups,
      groupCount,
      labels,
    };
    this.#matched = matchStepwise(this.#evaluation, input);
  }

  /** The pairs, or undefined when labels do not settle them. */
  #pair(
    labels: ResultLabels,
    manyGroups: Int32Array,
    oneGroups: Int32Array,
    groupCount: number,
  ): Pairs | undefined {
    const { matching, returnBool } = this.#node;
    if (matching.fillLeft !== undefined || matching.fillRight !== undefined) return undefined;
    const oneByGroup = new Int32Array(groupCount).fill(-1);
    for (let series = 0; series < oneGroups.length; series++) {
      const group = oneGroups[series]!;
      if (oneByGroup[group] !== -1) return undefined;
      oneByGroup[group] = series;
    }
    const pickedMany: number[] = [];
    const pickedOne: number[] = [];
    const used = new Uint8Array(groupCount);
    let oneIsReused = false;
    for (let series = 0; series < manyGroups.length; series++) {
      const group = manyGroups[series]!;
      if (oneByGroup[group] === -1) continue;
      if (used[group] === 1) {
        if (matching.card === "one-to-one") return undefined;
        oneIsReused = true;
      }
      used[group] = 1;
      pickedMany.push(series);
      pickedOne.push(oneByGroup[group]!);
    }
    const many = Int32Array.from(pickedMany);
    const one = Int32Array.from(pickedOne);
    const series = this.#pairLabels(labels, many, one);
    if (series === undefined) return undefined;
    return { many, one, series: this.#markNames(series, returnBool), oneIsReused };
  }

  /** As upstream has it, what was to drop its name keeps it when a comparison lets it through. */
  #markNames(series: SeriesList, drops: boolean): SeriesList {
    return this.#evaluation.delayedNameRemoval ? new NameDroppingSeries(series, drops) : series;
  }

  /** The labels of the results, or undefined when two results would get the same. */
  #pairLabels(labels: ResultLabels, many: Int32Array, one: Int32Array): SeriesList | undefined {
    const manyList = this.#many.series();
    const isOneToOne = this.#node.matching.card === "one-to-one";
    const { strings } = this.#evaluation;
    const nameless = !reservedLabels.some((name) => labels.filter.passes(strings.number(name)));
    const { on, labels: matched } = this.#node.matching;
    // The labels that are matched on tell one-to-one results apart, if they stay; elsewhere the many side's own labels do.
    const isMatchKept = isOneToOne && on && !matched.some((name) => reservedLabels.includes(name));
    const distinct = isMatchKept || manyList.distinctWithoutName;
    if (!labels.includesOther && (distinct || !nameless)) {
      return new FilteredSeries(new PickedSeries(manyList, many), labels.filter, distinct);
    }
    const table = new TupleTable();
    const tuple = new Tuple();
    const oneList = this.#one.series();
    for (let i = 0; i < many.length; i++) {
      labels.make(manyList, many[i]!, oneList, one[i]!, tuple);
      if (table.intern(tuple) !== i) return undefined;
    }
    return new TupleSeries(this.#evaluation.strings, table, nameless);
  }
}
