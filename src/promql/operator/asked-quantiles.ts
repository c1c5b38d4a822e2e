import { formatShortest } from "../../model/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";

/** The φ of `histogram_quantiles`, which name its results. They may be others at each step. */
export class AskedQuantiles {
  /** By result: φ as the result's label has it. */
  readonly texts: string[] = [];
  /** By scalar: the result at each step. */
  readonly #results: readonly Int32Array[];

  constructor({ f64 }: Evaluation, scalars: readonly Operator[]) {
    const resultOf = new Map<number, number>();
    this.#results = scalars.map((scalar) => {
      const start = scalar.row(0).valuesPtr / 8;
      return Int32Array.from(f64.subarray(start, start + scalar.steps), (phi) => {
        let result = resultOf.get(phi);
        if (result === undefined) {
          result = this.texts.push(openMetricsNumber(phi)) - 1;
          resultOf.set(phi, result);
        }
        return result;
      });
    });
  }

  /** The places of the scalars that ask for a result at a step. */
  scalarsOf(result: number, step: number): number[] {
    return [...this.#results.keys()].filter((scalar) => this.#results[scalar]![step] === result);
  }
}

/** A number as OpenMetrics writes it: always with a fraction or an exponent. */
function openMetricsNumber(value: number): string {
  const text = formatShortest(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
