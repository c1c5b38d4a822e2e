import type { Row } from "../../kernel/index.ts";
import { negateHistogram } from "../../model/index.ts";
import { maximum, minimum } from "../function/arithmetic.ts";
import { dateFunctions } from "../function/date.ts";
import { mathFunctions } from "../function/math.ts";
import { histogramPresent } from "../histogram/column.ts";
import type { CallNode } from "../plan/plan.ts";
import type { SeriesList } from "../series/series-list.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Operator } from "./operator.ts";
import { ScalarOperator } from "./scalar.ts";

/** Computes values `from` in place `to`, indices of f64; absent steps may hold anything. */
type RowFunction = (f64: Float64Array, from: number, to: number, steps: number) => void;

/** A function of each element by itself, by upstream's name. */
export class ElementwiseOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #args: readonly Operator[];
  readonly #node: CallNode;
  readonly #row: Row;
  #apply: RowFunction | undefined;

  constructor(evaluation: Evaluation, node: CallNode, child: Operator, args: readonly Operator[]) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#args = args;
    this.#node = node;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    return this.#evaluation.dropNames(this.#child.series());
  }

  row(series: number): Row {
    const { f64, u8 } = this.#evaluation;
    this.#apply ??= this.#rowFunction();
    const from = this.#child.row(series);
    const { steps } = this;
    u8.copyWithin(this.#row.presentPtr, from.presentPtr, from.presentPtr + steps);
    this.#apply(f64, from.valuesPtr / 8, this.#row.valuesPtr / 8, steps);
    if (this.#node.func.startsWith("clamp")) this.#dropInverted();
    return this.#row;
  }

  #rowFunction(): RowFunction {
    const { func, grid } = this.#node;
    const single = mathFunctions[func] ?? dateFunctions[func];
    if (single !== undefined) {
      return (f64, from, to, steps) => {
        for (let step = 0; step < steps; step++) f64[to + step] = single(f64[from + step]!);
      };
    }
    const [first, second] = this.#args.map((arg) => arg.row(0).valuesPtr / 8);
    switch (func) {
      case "round":
        return (f64, from, to, steps) => {
          for (let step = 0; step < steps; step++) {
            const inverse = first === undefined ? 1 : 1 / f64[first + step]!;
            f64[to + step] = Math.floor(f64[from + step]! * inverse + 0.5) / inverse;
          }
        };
      case "clamp":
        return clampRow(first, second);
      case "clamp_min":
        return clampRow(first, undefined);
      case "clamp_max":
        return clampRow(undefined, first);
      case "timestamp":
        return (f64, _from, to, steps) => {
          for (let step = 0; step < steps; step++)
            f64[to + step] = (grid.startMs + step * grid.stepMs) / 1000;
        };
      default:
        throw new Error(`assertion failed: no function ${func}`);
    }
  }

  /** `clamp` has no result where its lower bound is above the upper. */
  #dropInverted(): void {
    if (this.#node.func !== "clamp") return;
    const { f64, u8 } = this.#evaluation;
    const [lower, upper] = this.#args.map((arg) => arg.row(0).valuesPtr / 8);
    for (let step = 0; step < this.steps; step++)
      if (f64[upper! + step]! < f64[lower! + step]!) u8[this.#row.presentPtr + step] = 0;
  }
}

/** Bounds are indices of rows, or missing. */
function clampRow(lower: number | undefined, upper: number | undefined): RowFunction {
  return (f64, from, to, steps) => {
    for (let step = 0; step < steps; step++) {
      const most = upper === undefined ? Infinity : f64[upper + step]!;
      const least = lower === undefined ? -Infinity : f64[lower + step]!;
      f64[to + step] = maximum(least, minimum(most, f64[from + step]!));
    }
  };
}

/** `hour()` and its like without an argument: of each step's own time. */
export function dateOfSteps(evaluation: Evaluation, node: CallNode): Operator {
  const { startMs, stepMs, steps } = node.grid;
  const date = dateFunctions[node.func]!;
  return new ScalarOperator(evaluation, steps, (row) => {
    evaluation.u8.fill(1, row.presentPtr, row.presentPtr + steps);
    for (let step = 0; step < steps; step++)
      evaluation.f64[row.valuesPtr / 8 + step] = date((startMs + step * stepMs) / 1000);
  });
}

/** `-v`. */
export class NegateOperator implements Operator {
  readonly steps: number;
  readonly #evaluation: Evaluation;
  readonly #child: Operator;
  readonly #isScalar: boolean;
  readonly #row: Row;

  constructor(evaluation: Evaluation, child: Operator, isScalar: boolean) {
    this.steps = child.steps;
    this.#evaluation = evaluation;
    this.#child = child;
    this.#isScalar = isScalar;
    this.#row = evaluation.row(this.steps);
  }

  series(): SeriesList {
    const list = this.#child.series();
    return this.#isScalar ? list : this.#evaluation.dropNames(list);
  }

  row(series: number): Row {
    const { f64, u8 } = this.#evaluation;
    const from = this.#child.row(series);
    const value = from.valuesPtr / 8;
    const out = this.#row.valuesPtr / 8;
    u8.copyWithin(this.#row.presentPtr, from.presentPtr, from.presentPtr + this.steps);
    for (let step = 0; step < this.steps; step++) f64[out + step] = -f64[value + step]!;
    this.#negateHistograms(value, out);
    return this.#row;
  }

  #negateHistograms(from: number, to: number): void {
    const { u8, histograms } = this.#evaluation;
    if (!histograms.areIn(u8, this.#row, this.steps)) return;
    for (let step = 0; step < this.steps; step++) {
      if (u8[this.#row.presentPtr + step] !== histogramPresent) continue;
      histograms.set(to + step, negateHistogram(histograms.get(from + step)));
    }
  }
}
