import type { Row } from "../../kernel/index.ts";
import { histogramPresent } from "../histogram/column.ts";
import type { Evaluation } from "./evaluation.ts";

/** Rows one behind the other in scratch memory. */
export class RowBlock {
  readonly valuesPtr: number;
  readonly presentPtr: number;
  readonly #steps: number;

  constructor(valuesPtr: number, presentPtr: number, steps: number) {
    this.valuesPtr = valuesPtr;
    this.presentPtr = presentPtr;
    this.#steps = steps;
  }

  row(index: number): Row {
    return {
      valuesPtr: this.valuesPtr + index * this.#steps * 8,
      presentPtr: this.presentPtr + index * this.#steps,
    };
  }
}

export function copyRow(evaluation: Evaluation, from: Row, to: Row, steps: number): void {
  const { f64, u8 } = evaluation;
  f64.copyWithin(to.valuesPtr / 8, from.valuesPtr / 8, from.valuesPtr / 8 + steps);
  u8.copyWithin(to.presentPtr, from.presentPtr, from.presentPtr + steps);
  evaluation.histograms.copyRow(u8, from, to, steps);
}

export function clearRow(evaluation: Evaluation, row: Row, steps: number): void {
  evaluation.u8.fill(0, row.presentPtr, row.presentPtr + steps);
}

/** Makes every step equal to the first. */
export function repeatFirst(evaluation: Evaluation, row: Row, steps: number): void {
  const { f64, u8 } = evaluation;
  const value = row.valuesPtr / 8;
  f64.fill(f64[value]!, value, value + steps);
  u8.fill(u8[row.presentPtr]!, row.presentPtr, row.presentPtr + steps);
  if (u8[row.presentPtr] !== histogramPresent) return;
  for (let step = 1; step < steps; step++) evaluation.histograms.copy(value, value + step);
}

/** Fills a row with one value that is present everywhere. */
export function fillRow(evaluation: Evaluation, row: Row, steps: number, value: number): void {
  evaluation.f64.fill(value, row.valuesPtr / 8, row.valuesPtr / 8 + steps);
  evaluation.u8.fill(1, row.presentPtr, row.presentPtr + steps);
}

export function countPresent(evaluation: Evaluation, row: Row, steps: number): number {
  const { u8 } = evaluation;
  let count = 0;
  for (let i = row.presentPtr, end = i + steps; i < end; i++) count += Number(u8[i] !== 0);
  return count;
}

export function isEmpty(evaluation: Evaluation, row: Row, steps: number): boolean {
  const { u8 } = evaluation;
  for (let i = row.presentPtr, end = i + steps; i < end; i++) if (u8[i] !== 0) return false;
  return true;
}
