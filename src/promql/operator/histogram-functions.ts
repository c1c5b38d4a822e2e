import { type Histogram, histogramAverage, histogramVariance, metricNameLabel } from "../../model/index.ts";
import { floatPresent, histogramPresent } from "../histogram/column.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator, Row } from "./operator.ts";

const functions: Readonly<Record<string, (histogram: Histogram) => number>> = {
  histogram_count: ({ count }) => count,
  histogram_sum: ({ sum }) => sum,
  histogram_avg: histogramAverage,
  histogram_stdvar: histogramVariance,
  histogram_stddev: (histogram) => Math.sqrt(histogramVariance(histogram)),
};

export function isHistogramFunction(func: string): boolean {
  return func in functions;
}

/** histogram_count and its like: a number for each native histogram, nothing for floats. */
export class HistogramFunctionOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #compute: (histogram: Histogram) => number;
  readonly #row: Row;

  constructor(evaluation: Evaluation, func: string, child: Operator) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#compute = functions[func]!;
    this.#row = evaluation.row(this.steps);
  }

  /** Of what is reserved only the name goes, as upstream has it. */
  series(): SeriesList {
    return this.#evaluation.dropNames(this.#child.series(), [metricNameLabel]);
  }

  row(series: number): Row {
    const { f64, u8, histograms } = this.#evaluation;
    const from = this.#child.row(series);
    const { valuesPtr, presentPtr } = this.#row;
    for (let step = 0; step < this.steps; step++) {
      const isHistogram = u8[from.presentPtr + step] === histogramPresent;
      u8[presentPtr + step] = isHistogram ? floatPresent : 0;
      if (!isHistogram) continue;
      f64[valuesPtr / 8 + step] = this.#compute(histograms.get(from.valuesPtr / 8 + step));
    }
    return this.#row;
  }
}
