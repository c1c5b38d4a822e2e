import { NarthexError } from "../../base/index.ts";
import type { Row } from "../../kernel/index.ts";
import { Regexp, expandTemplate, isLabelName, metricNameLabel } from "../../model/index.ts";
import { LabelFilter } from "../series/label-filter.ts";
import { SeriesList } from "../series/series-list.ts";
import { Tuple } from "../series/tuple.ts";
import type { Operator } from "./operator.ts";
import { setLabel } from "./vector-labels.ts";

/** The series of a list with one label set anew. */
class RelabelledSeries extends SeriesList {
  readonly #source: SeriesList;
  readonly #destination: number;
  /** The new value of each series, -1 for none; undefined where the label stays as it is. */
  readonly #values: readonly (number | undefined)[];
  readonly #all: LabelFilter;

  constructor(source: SeriesList, destination: string, values: readonly (number | undefined)[]) {
    super(source.strings, source.length);
    this.#source = source;
    this.#destination = source.strings.number(destination);
    this.#values = values;
    this.#all = LabelFilter.except(source.strings, []);
  }

  override append(series: number, out: Tuple, filter: LabelFilter = this.#all): void {
    const value = this.#values[series];
    if (value === undefined || !filter.passes(this.#destination))
      return this.#source.append(series, out, filter);
    const labels = this.#source.tuple(series, new Tuple(), filter);
    setLabel(this.strings, labels, this.#destination, value);
    for (let i = 0; i < labels.length; i += 2) out.push(labels.numbers[i]!, labels.numbers[i + 1]!);
  }

  override dropsName(series: number): boolean {
    const isName = this.strings.text(this.#destination) === metricNameLabel;
    if (isName && this.#values[series] !== undefined) return false;
    return this.#source.dropsName(series);
  }
}

/** Sets a label of each series to what `value` makes of its labels. */
export class RelabelOperator implements Operator {
  readonly steps: number;
  readonly #child: Operator;
  readonly #destination: string;
  readonly #value: (list: SeriesList, series: number) => string | undefined;
  #series: SeriesList | undefined;

  constructor(
    child: Operator,
    destination: string,
    value: (list: SeriesList, series: number) => string | undefined,
  ) {
    this.steps = child.steps;
    this.#child = child;
    this.#destination = destination;
    this.#value = value;
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      const list = this.#child.series();
      const values = Array.from({ length: list.length }, (_, series) => {
        const value = this.#value(list, series);
        if (value === undefined) return undefined;
        return value === "" ? -1 : list.strings.number(value);
      });
      this.#series = new RelabelledSeries(list, this.#destination, values);
    }
    return this.#series;
  }

  row(series: number): Row {
    return this.#child.row(series);
  }
}

/** `label_replace(v, destination, replacement, source, regex)`. */
export function labelReplace(
  child: Operator,
  [destination, replacement, source, pattern]: string[],
): Operator {
  let regexp: Regexp;
  try {
    regexp = Regexp.compile(pattern!);
  } catch {
    throw new NarthexError("execution", `invalid regular expression in label_replace(): ${pattern}`);
  }
  checkLabelName("destination", "label_replace", destination!);
  return new RelabelOperator(child, destination!, (list, series) => {
    const captures = regexp.captures(labelOf(list, series, source!));
    return captures && expandTemplate(replacement!, captures);
  });
}

/** `label_join(v, destination, separator, source, …)`. */
export function labelJoin(child: Operator, [destination, separator, ...sources]: string[]): Operator {
  sources.forEach((source) => checkLabelName("source", "label_join", source));
  checkLabelName("destination", "label_join", destination!);
  return new RelabelOperator(child, destination!, (list, series) =>
    sources.map((source) => labelOf(list, series, source)).join(separator),
  );
}

/** The value of a label, "" when it is absent. */
export function labelOf(list: SeriesList, series: number, name: string): string {
  const tuple = list.tuple(series, new Tuple(), LabelFilter.only(list.strings, [name]));
  return tuple.length === 0 ? "" : list.strings.text(tuple.numbers[1]!);
}

function checkLabelName(role: "source" | "destination", func: string, name: string): void {
  if (isLabelName(name)) return;
  throw new NarthexError("execution", `invalid ${role} label name in ${func}(): ${name}`);
}
