import type { Columns, Steps } from "../../kernel/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import type { Grid, RangeSource, Selector, SubqueryPlan } from "../plan/plan.ts";
import { SelectedSeries, type SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { SampleBuffer, WindowReader } from "./sample-reader.ts";
import { lookSteps } from "./select.ts";

/** The samples that windows slide over. Stale markers are not among them. */
export interface RangeReader {
  series(): SeriesList;
  /** Valid until the next call. */
  read(series: number): Columns;
}

export function rangeReader(
  evaluation: Evaluation,
  source: RangeSource,
  grid: Grid,
  build: (node: SubqueryPlan["child"]) => Operator,
): RangeReader {
  const { from } = source;
  return from.kind === "selector"
    ? new SelectorRange(evaluation, from, lookSteps(from, grid), source.rangeMs)
    : new SubqueryRange(evaluation, from, build(from.child));
}

class SelectorRange implements RangeReader {
  readonly #evaluation: Evaluation;
  readonly #selector: Selector;
  readonly #reader: WindowReader;
  #set: SeriesSet | undefined;
  #series: SeriesList | undefined;

  constructor(evaluation: Evaluation, selector: Selector, look: Steps, rangeMs: number) {
    this.#evaluation = evaluation;
    this.#selector = selector;
    this.#reader = new WindowReader(evaluation, selector, look, rangeMs, true);
  }

  series(): SeriesList {
    if (this.#series === undefined) {
      this.#set = this.#evaluation.select(this.#selector);
      this.#series = new SelectedSeries(this.#evaluation.strings, this.#set, this.#selector.namePinned);
    }
    return this.#series;
  }

  read(series: number): Columns {
    return this.#reader.read(this.#set!, series);
  }
}

/** The values of an expression at its own steps, as samples. */
class SubqueryRange implements RangeReader {
  readonly #evaluation: Evaluation;
  readonly #plan: SubqueryPlan;
  readonly #child: Operator;
  readonly #buffer = new SampleBuffer();

  constructor(evaluation: Evaluation, plan: SubqueryPlan, child: Operator) {
    this.#evaluation = evaluation;
    this.#plan = plan;
    this.#child = child;
  }

  series(): SeriesList {
    return this.#child.series();
  }

  read(series: number): Columns {
    const { f64, u8 } = this.#evaluation;
    const { startMs, stepMs, steps } = this.#plan.child.grid;
    const buffer = this.#buffer;
    buffer.reserve(this.#evaluation, steps);
    const row = this.#child.row(series);
    const timestamps = buffer.timestamps / 8;
    const values = buffer.values / 8;
    const from = row.valuesPtr / 8;
    let count = 0;
    for (let step = 0; step < steps; step++) {
      if (u8[row.presentPtr + step] === 0) continue;
      f64[timestamps + count] = startMs + step * stepMs;
      f64[values + count] = f64[from + step]!;
      count++;
    }
    buffer.count = count;
    this.#evaluation.passSamples(count);
    return buffer;
  }
}
