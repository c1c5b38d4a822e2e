import { NarthexError } from "../../base/index.ts";
import type { Row } from "../../kernel/index.ts";
import type { BinaryOperator } from "../ast.ts";
import { binaryOfHistograms } from "../histogram/binary.ts";
import type { HistogramRemarks } from "../histogram/remarks.ts";
import type { SampleValue } from "../histogram/samples.ts";
import { foldScalars } from "../plan/fold.ts";
import type { VectorBinaryNode } from "../plan/plan.ts";
import { type SeriesList, TupleSeries, tupleLabels } from "../series/series-list.ts";
import { Tuple, TupleTable } from "../series/tuple.ts";
import { isComparison } from "./arithmetic-rows.ts";
import { duplicateSeries, type Evaluation } from "./evaluation.ts";
import { storeAt, valueAt } from "./histogram-rows.ts";
import { materialize } from "./materialize.ts";
import type { Operator } from "./operator.ts";
import type { RowBlock } from "./rows.ts";
import { StepRemarks } from "./step-remarks.ts";
import { type ResultLabels, matchingFilter } from "./vector-labels.ts";

export interface MatchInput {
  readonly node: VectorBinaryNode;
  readonly many: Operator;
  readonly one: Operator;
  /** Match group by series, shared numbers on both sides. */
  readonly manyGroups: Int32Array;
  readonly oneGroups: Int32Array;
  readonly groupCount: number;
  readonly labels: ResultLabels;
}

export interface MatchResult {
  readonly series: SeriesList;
  row(series: number): Row;
}

/** Stands for the side that a fill value replaces. */
const filled = -1;

/** Matches step by step, looking at who has a value; throws upstream's errors where a match is ambiguous at a step. */
export function matchStepwise(evaluation: Evaluation, input: MatchInput): MatchResult {
  const matcher = new StepMatcher(evaluation, input);
  for (let step = 0; step < input.node.grid.steps; step++) {
    evaluation.check();
    matcher.match(step);
  }
  return matcher;
}

class StepMatcher implements MatchResult {
  readonly #evaluation: Evaluation;
  readonly #input: MatchInput;
  readonly #manyRows: RowBlock;
  readonly #oneRows: RowBlock;
  readonly #manyFill: number | undefined;
  readonly #oneFill: number | undefined;
  readonly #table = new TupleTable();
  readonly #rows: Row[] = [];
  /** The result's number by the pair that makes it. */
  readonly #results = new Map<number, number>();
  readonly #oneByGroup: Int32Array;
  /** Results that each group has at the step in hand. */
  readonly #matched: Set<number>[];
  readonly #tuple = new Tuple();
  readonly #remarks: StepRemarks;
  /** Whether results of different groups have the same labels. */
  #collides = false;
  /** Pairs that were combined so far. */
  #combined = 0;

  constructor(evaluation: Evaluation, input: MatchInput) {
    this.#evaluation = evaluation;
    this.#input = input;
    this.#remarks = new StepRemarks(evaluation, input.node.position);
    this.#manyRows = materialize(evaluation, input.many);
    this.#oneRows = materialize(evaluation, input.one);
    // As upstream has it, `fill_left` fills the "many" side of group_right too, although that stands on the right.
    this.#manyFill = input.node.matching.fillLeft;
    this.#oneFill = input.node.matching.fillRight;
    this.#oneByGroup = new Int32Array(input.groupCount);
    this.#matched = Array.from({ length: input.groupCount }, () => new Set());
  }

  get series(): SeriesList {
    const { strings, delayedNameRemoval } = this.#evaluation;
    const dropped = this.#input.node.returnBool && delayedNameRemoval;
    const marks = dropped ? new Uint8Array(this.#table.count).fill(1) : undefined;
    return new TupleSeries(strings, this.#table, false, marks);
  }

  row(series: number): Row {
    return this.#rows[series]!;
  }

  match(step: number): void {
    const many = this.#present(this.#manyRows, this.#input.manyGroups.length, step);
    const one = this.#present(this.#oneRows, this.#input.oneGroups.length, step);
    const fills = this.#manyFill !== undefined || this.#oneFill !== undefined;
    if (!fills && (many.length === 0 || one.length === 0)) return;
    this.#indexOne(one);
    this.#matched.forEach((results) => results.clear());
    for (const series of many) {
      const group = this.#input.manyGroups[series]!;
      const other = this.#oneByGroup[group]!;
      if (other !== filled || this.#oneFill !== undefined) this.#combine(step, group, series, other);
    }
    if (this.#manyFill !== undefined) {
      for (const series of one) {
        const group = this.#input.oneGroups[series]!;
        if (this.#matched[group]!.size === 0) this.#combine(step, group, filled, series);
      }
    }
    // Only now, since an ambiguous match in any group is told first.
    if (this.#collides) throw duplicateSeries();
  }

  #present(rows: RowBlock, count: number, step: number): number[] {
    const { u8 } = this.#evaluation;
    const { steps } = this.#input.node.grid;
    const present: number[] = [];
    for (let series = 0, at = rows.presentPtr + step; series < count; series++, at += steps)
      if (u8[at] !== 0) present.push(series);
    return present;
  }

  #indexOne(present: readonly number[]): void {
    this.#oneByGroup.fill(filled);
    for (const series of present) {
      const group = this.#input.oneGroups[series]!;
      const known = this.#oneByGroup[group]!;
      if (known !== filled) throw this.#ambiguous(series, known);
      this.#oneByGroup[group] = series;
    }
  }

  #combine(step: number, group: number, many: number, one: number): void {
    const { node } = this.#input;
    const swapped = node.matching.card === "one-to-many";
    const manyValue = many === filled ? this.#manyFill! : this.#value(this.#manyRows, many, step);
    const oneValue = one === filled ? this.#oneFill! : this.#value(this.#oneRows, one, step);
    const [left, right] = swapped ? [oneValue, manyValue] : [manyValue, oneValue];
    const outcome = this.#outcome(left, right, this.#remarks.at(step, this.#combined++));
    if (outcome === undefined) return;
    const result = this.#result(many, one);
    const matched = this.#matched[group]!;
    if (node.matching.card === "one-to-one" && matched.size > 0) {
      const message =
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
      throw new NarthexError("execution", message);
    }
    if (matched.has(result)) {
      const message = "multiple matches for labels: grouping labels must ensure unique matches";
      throw new NarthexError("execution", message);
    }
    matched.add(result);
    if (outcome.value !== undefined) this.#store(result, step, outcome.value);
  }

  /** What the operator makes of two values: no value where a comparison does not hold; undefined where it is not made for them. */
  #outcome(
    left: SampleValue,
    right: SampleValue,
    remarks: HistogramRemarks,
  ): { value: SampleValue | undefined } | undefined {
    const { op, returnBool } = this.#input.node;
    const isTrim = op === "</" || op === ">/";
    if (typeof left === "number" && typeof right === "number" && !isTrim)
      return { value: combineValues(op, returnBool, left, right) };
    const { value, keep } = binaryOfHistograms(op, left, right, remarks);
    if (value === undefined) return undefined;
    if (returnBool) return { value: Number(keep) };
    return { value: keep ? value : undefined };
  }

  #value(rows: RowBlock, series: number, step: number): SampleValue {
    return valueAt(this.#evaluation, rows.row(series), step);
  }

  #result(many: number, one: number): number {
    const key = (many + 1) * (this.#input.oneGroups.length + 1) + one + 1;
    let result = this.#results.get(key);
    if (result === undefined) {
      result = this.#table.intern(this.#labels(many, one));
      this.#results.set(key, result);
      if (result === this.#rows.length)
        this.#rows.push(this.#evaluation.rows(1, this.#input.node.grid.steps).row(0));
    }
    return result;
  }

  #labels(many: number, one: number): Tuple {
    const { labels, node } = this.#input;
    const manyList = this.#input.many.series();
    const oneList = this.#input.one.series();
    if (many !== filled && one !== filled) return labels.make(manyList, many, oneList, one, this.#tuple);
    // The side that was filled in has just the labels of the match group, and so has the result.
    const [list, series] = many === filled ? [oneList, one] : [manyList, many];
    const group = matchingFilter(this.#evaluation.strings, node.matching);
    if (many === filled) return list.tuple(series, this.#tuple, group.and(labels.filter));
    const groupOnly = new TupleTable();
    groupOnly.intern(list.tuple(series, new Tuple(), group));
    const filledList = new TupleSeries(this.#evaluation.strings, groupOnly, false);
    return labels.make(manyList, many, filledList, 0, this.#tuple);
  }

  #store(result: number, step: number, value: SampleValue): void {
    const row = this.#rows[result]!;
    const { u8 } = this.#evaluation;
    if (u8[row.presentPtr + step] !== 0) this.#collides = true;
    storeAt(this.#evaluation, row, step, value);
  }

  #ambiguous(a: number, b: number): NarthexError {
    const { node, one } = this.#input;
    const { strings } = this.#evaluation;
    const list = one.series();
    const group = tupleLabels(strings, list.tuple(a, this.#tuple, matchingFilter(strings, node.matching)));
    const side = node.matching.card === "one-to-many" ? "left" : "right";
    const [first, second] = [list.labels(a).toString(), list.labels(b).toString()].sort();
    return new NarthexError(
      "execution",
      `found duplicate series for the match group ${group.toString()} on the ${side} hand-side of the operation: ` +
        `[${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

/** The value of a result; undefined when a comparison filters it out. */
function combineValues(
  op: BinaryOperator,
  returnBool: boolean,
  left: number,
  right: number,
): number | undefined {
  const value = foldScalars(op, left, right);
  if (!isComparison(op) || returnBool) return value;
  return value === 1 ? left : undefined;
}
