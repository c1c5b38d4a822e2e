import type { Row } from "../../kernel/index.ts";
import type { VectorMatching } from "../ast.ts";
import { Grouping } from "../series/grouping.ts";
import { ConcatenatedSeries, type SeriesList } from "../series/series-list.ts";
import { TupleTable } from "../series/tuple.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { matchingFilter } from "./vector-labels.ts";

/** A term of a chain: where its series begin among all, and the match group of each. */
interface Term {
  readonly operator: Operator;
  readonly start: number;
  readonly groups: Int32Array;
}

/**
 * `a or b or c …` with one matching, as one operator: at each step a series counts when no earlier term has a value in its match group.
 * Each row is pulled at most twice, however long the chain is.
 */
export class OrOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #matching: VectorMatching;
  readonly #operators: readonly Operator[];
  readonly #row: Row;
  readonly #terms: Term[] = [];
  #series: ConcatenatedSeries | undefined;
  #groupCount = 0;
  /** Per match group a byte for each step: whether any term but the last has a value. Undefined until a row needs it. */
  #taken: number | undefined;
  /** What is present of the terms between the first and the last, one row of bytes per series. */
  #shown = 0;

  constructor(evaluation: Evaluation, matching: VectorMatching, terms: readonly Operator[]) {
    this.steps = terms[0]!.steps;
    this.#evaluation = evaluation;
    this.#matching = matching;
    this.#operators = terms;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    return this.#list();
  }

  row(series: number): Row {
    const [number, within] = this.#list().locate(series);
    const { operator, groups } = this.#terms[number]!;
    if (number === 0) return operator.row(within);
    const taken = (this.#taken ??= this.#take());
    const row = operator.row(within);
    const isLast = number === this.#terms.length - 1;
    if (isLast) this.#mask(row, taken + groups[within]! * this.steps, this.#row.presentPtr);
    const presentPtr = isLast ? this.#row.presentPtr : this.#shownOf(series);
    // Values of absent steps are never read, so they stay where they are.
    return { ...row, presentPtr };
  }

  #list(): ConcatenatedSeries {
    if (this.#series !== undefined) return this.#series;
    const { strings } = this.#evaluation;
    const filter = matchingFilter(strings, this.#matching);
    const table = new TupleTable();
    const lists = this.#operators.map((operator) => operator.series());
    let start = 0;
    lists.forEach((list, number) => {
      const { groups } = new Grouping(list, filter, table);
      this.#terms.push({ operator: this.#operators[number]!, start, groups });
      start += list.length;
    });
    this.#groupCount = table.count;
    this.#series = new ConcatenatedSeries(strings, lists);
    return this.#series;
  }

  #shownOf(series: number): number {
    return this.#shown + (series - this.#terms[1]!.start) * this.steps;
  }

  /** Goes through all terms but the last in their order. Returns where the groups' bytes are. */
  #take(): number {
    const { steps } = this;
    const evaluation = this.#evaluation;
    const { u8 } = evaluation;
    const bytes = this.#groupCount * steps;
    const taken = evaluation.allocate(bytes);
    u8.fill(0, taken, taken + bytes);
    const terms = this.#terms.slice(0, -1);
    const last = this.#terms.at(-1)!;
    this.#shown = evaluation.allocate((last.start - this.#terms[1]!.start) * steps);
    for (const [number, { operator, start, groups }] of terms.entries()) {
      const added: [from: number, group: number][] = [];
      for (let series = 0; series < groups.length; series++) {
        evaluation.checkRow();
        const group = taken + groups[series]! * steps;
        const row = operator.row(series);
        if (number === 0) {
          this.#add(row.presentPtr, group);
          continue;
        }
        const shown = this.#shownOf(start + series);
        this.#mask(row, group, shown);
        added.push([shown, group]);
      }
      // Series of one term do not hide each other.
      for (const [from, group] of added) this.#add(from, group);
    }
    return taken;
  }

  /** Writes what is present of a row where its group is not taken. */
  #mask(row: Row, group: number, out: number): void {
    const { u8 } = this.#evaluation;
    for (let step = 0; step < this.steps; step++)
      u8[out + step] = u8[group + step] === 0 ? u8[row.presentPtr + step]! : 0;
  }

  #add(present: number, group: number): void {
    const { u8 } = this.#evaluation;
    for (let step = 0; step < this.steps; step++) u8[group + step]! |= u8[present + step]!;
  }
}
