import { metricNameLabel } from "../../model/index.ts";
import type { VectorMatching } from "../ast.ts";
import { LabelFilter } from "../series/label-filter.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Strings } from "../series/strings.ts";
import { Tuple } from "../series/tuple.ts";
import { compareStrings } from "../../model/index.ts";

/** The labels that two sides must have in common. */
export function matchingFilter(strings: Strings, { on, labels }: VectorMatching): LabelFilter {
  return on ? LabelFilter.only(strings, labels) : LabelFilter.except(strings, [metricNameLabel, ...labels]);
}

/** Makes the labels of a result from its "many" side (or the left of one-to-one) and the labels included from the other. */
export class ResultLabels {
  readonly filter: LabelFilter;
  readonly #strings: Strings;
  readonly #include: readonly number[];
  readonly #one = new Tuple();

  constructor(strings: Strings, matching: VectorMatching, dropName: boolean) {
    this.#strings = strings;
    const { card, on, labels } = matching;
    let filter = LabelFilter.except(strings, []);
    if (card === "one-to-one") {
      filter = on ? LabelFilter.only(strings, labels) : LabelFilter.except(strings, labels);
    }
    this.filter = dropName ? filter.and(LabelFilter.exceptReserved(strings)) : filter;
    this.#include = matching.include.map((name) => strings.number(name));
  }

  get includesOther(): boolean {
    return this.#include.length > 0;
  }

  /** Replaces the contents of `out`. */
  make(many: SeriesList, manySeries: number, one: SeriesList, oneSeries: number, out: Tuple): Tuple {
    many.tuple(manySeries, out, this.filter);
    if (this.#include.length === 0) return out;
    one.tuple(oneSeries, this.#one);
    for (const name of this.#include) setLabel(this.#strings, out, name, this.#one.get(name));
    return out;
  }
}

/** Sets a label, keeping names sorted; a value of -1 removes it. */
export function setLabel(strings: Strings, tuple: Tuple, name: number, value: number): void {
  const { numbers } = tuple;
  let at = 0;
  while (at < tuple.length && numbers[at] !== name) at += 2;
  if (at < tuple.length) {
    if (value >= 0) numbers[at + 1] = value;
    else {
      numbers.copyWithin(at, at + 2, tuple.length);
      tuple.length -= 2;
    }
    return;
  }
  if (value < 0) return;
  const text = strings.text(name);
  let place = 0;
  while (place < tuple.length && compareStrings(strings.text(numbers[place]!), text) < 0) place += 2;
  tuple.push(name, value);
  tuple.numbers.copyWithin(place + 2, place, tuple.length - 2);
  tuple.numbers[place] = name;
  tuple.numbers[place + 1] = value;
}
