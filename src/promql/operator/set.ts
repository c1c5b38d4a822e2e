import type { Row } from "../../kernel/index.ts";
import type { VectorBinaryNode } from "../plan/plan.ts";
import { Grouping } from "../series/grouping.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { clearRow } from "./rows.ts";
import { matchingFilter } from "./vector-labels.ts";

/** At which steps any series of each match group has a value: a presence row per group. */
class GroupPresence {
  readonly #evaluation: Evaluation;
  readonly #steps: number;
  readonly #ptr: number;

  constructor(evaluation: Evaluation, operator: Operator, groups: Int32Array, groupCount: number) {
    this.#evaluation = evaluation;
    this.#steps = operator.steps;
    const bytes = groupCount * this.#steps;
    this.#ptr = evaluation.allocate(bytes);
    const { u8 } = evaluation;
    u8.fill(0, this.#ptr, this.#ptr + bytes);
    for (let series = 0; series < groups.length; series++) {
      const row = operator.row(series);
      const into = this.#ptr + groups[series]! * this.#steps;
      for (let step = 0; step < this.#steps; step++)
        u8[into + step]! |= Number(u8[row.presentPtr + step] !== 0);
    }
  }

  /** `row` where the group has a value (`wanted` 1) or has none (0). */
  mask(row: Row, group: number, wanted: 0 | 1, out: Row): Row {
    const { u8 } = this.#evaluation;
    const from = this.#ptr + group * this.#steps;
    for (let step = 0; step < this.#steps; step++)
      u8[out.presentPtr + step] = u8[from + step] === wanted ? u8[row.presentPtr + step]! : 0;
    // Values of absent steps are never read, so they stay where they are.
    return { valuesPtr: row.valuesPtr, presentPtr: out.presentPtr };
  }
}

/** `and` and `unless`. */
export class SetOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #node: VectorBinaryNode;
  readonly #left: Operator;
  readonly #right: Operator;
  readonly #row: Row;
  #series: SeriesList | undefined;
  #leftGroups: Int32Array | undefined;
  #rightGroups: Int32Array | undefined;
  #groupCount = 0;
  #presence: GroupPresence | undefined;

  constructor(evaluation: Evaluation, node: VectorBinaryNode, left: Operator, right: Operator) {
    this.steps = node.grid.steps;
    this.#evaluation = evaluation;
    this.#node = node;
    this.#left = left;
    this.#right = right;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    if (this.#series !== undefined) return this.#series;
    const { matching } = this.#node;
    const { strings } = this.#evaluation;
    const filter = matchingFilter(strings, matching);
    const leftList = this.#left.series();
    const rightList = this.#right.series();
    const left = new Grouping(leftList, filter);
    const right = new Grouping(rightList, filter, left.table);
    this.#leftGroups = left.groups;
    this.#rightGroups = right.groups;
    this.#groupCount = left.table.count;
    this.#series = leftList;
    return this.#series;
  }

  row(series: number): Row {
    this.series();
    const leftGroups = this.#leftGroups!;
    const rightGroups = this.#rightGroups!;
    this.#presence ??= new GroupPresence(this.#evaluation, this.#right, rightGroups, this.#groupCount);
    clearRow(this.#evaluation, this.#row, this.steps);
    const wanted = this.#node.op === "and" ? 1 : 0;
    return this.#presence.mask(this.#left.row(series), leftGroups[series]!, wanted, this.#row);
  }
}
