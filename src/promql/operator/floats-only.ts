import { floatPresent, histogramPresent } from "../histogram/column.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator, Row } from "./operator.ts";

/** What becomes of native histograms where only floats count, or only that there is something. */
export type HistogramFate = "absent" | "present";

/** Rows without native histograms, for operators that know floats only: their steps are left out, or have a value that means nothing. */
export class FloatsOnly implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #presence: 0 | 1;
  readonly #found: () => void;
  #row: Row | undefined;

  /** `found` hears of rows that had histograms. */
  constructor(evaluation: Evaluation, child: Operator, fate: HistogramFate, found: () => void = () => {}) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#presence = fate === "present" ? floatPresent : 0;
    this.#found = found;
  }

  series(): SeriesList {
    return this.#child.series();
  }

  row(series: number): Row {
    return this.mask(this.#child.row(series));
  }

  /** A row of the child without its histograms; valid until the next call. */
  mask(from: Row): Row {
    const { u8, histograms } = this.#evaluation;
    if (!histograms.areIn(u8, from, this.steps)) return from;
    this.#found();
    const { presentPtr } = (this.#row ??= this.#evaluation.row(this.steps));
    for (let step = 0; step < this.steps; step++) {
      const present = u8[from.presentPtr + step]!;
      u8[presentPtr + step] = present === histogramPresent ? this.#presence : present;
    }
    return { valuesPtr: from.valuesPtr, presentPtr };
  }
}
