import type { Row } from "../../kernel/index.ts";
import { type HistogramColumn, histogramPresent } from "../histogram/column.ts";

/** The memory that a query's rows are in: the shared memory by element, and the histograms beside it. */
export interface RowMemory {
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly histograms: HistogramColumn;
}

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

export function copyRow(memory: RowMemory, from: Row, to: Row, steps: number): void {
  const { f64, u8 } = memory;
  f64.copyWithin(to.valuesPtr / 8, from.valuesPtr / 8, from.valuesPtr / 8 + steps);
  u8.copyWithin(to.presentPtr, from.presentPtr, from.presentPtr + steps);
  memory.histograms.copyRow(u8, from, to, steps);
}

export function clearRow(memory: RowMemory, row: Row, steps: number): void {
  memory.u8.fill(0, row.presentPtr, row.presentPtr + steps);
}

/** Makes every step equal to the first. */
export function repeatFirst(memory: RowMemory, row: Row, steps: number): void {
  const { f64, u8 } = memory;
  const value = row.valuesPtr / 8;
  f64.fill(f64[value]!, value, value + steps);
  u8.fill(u8[row.presentPtr]!, row.presentPtr, row.presentPtr + steps);
  if (u8[row.presentPtr] !== histogramPresent) return;
  for (let step = 1; step < steps; step++) memory.histograms.copy(value, value + step);
}

/** Fills a row with one value that is present everywhere. */
export function fillRow(memory: RowMemory, row: Row, steps: number, value: number): void {
  memory.f64.fill(value, row.valuesPtr / 8, row.valuesPtr / 8 + steps);
  memory.u8.fill(1, row.presentPtr, row.presentPtr + steps);
}

export function countPresent(memory: RowMemory, row: Row, steps: number): number {
  const { u8 } = memory;
  let count = 0;
  for (let i = row.presentPtr, end = i + steps; i < end; i++) count += Number(u8[i] !== 0);
  return count;
}

export function isEmpty(memory: RowMemory, row: Row, steps: number): boolean {
  const { u8 } = memory;
  for (let i = row.presentPtr, end = i + steps; i < end; i++) if (u8[i] !== 0) return false;
  return true;
}
