import { type Row, runSeries, type SeriesRun } from "../../kernel/index.ts";
import type { SeriesSet } from "../../storage/index.ts";
import type { Selector } from "../plan/plan.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FillRows } from "./operator.ts";
import type { RowBlock } from "./rows.ts";

/** Samples, and values of rows, that are computed together at most: they stay in a core's cache. */
const samplesMax = 8192;
const valuesMax = 16_384;
const seriesMax = 128;
/** Rows that are computed when it seems that they are asked for in order; four times as many each time that they are. */
const seriesAtFirst = 4;
const growth = 4;

/**
 * The rows of a selector's series that need nothing but their own floats: when they are asked for in the order of the series, many are read and computed with a few calls of the
 * kernel.
 */
export class RowsAhead {
  readonly #evaluation: Evaluation;
  readonly #selector: Selector;
  readonly #dropStale: boolean;
  readonly #steps: number;
  readonly #fill: FillRows;
  readonly #row = { valuesPtr: 0, presentPtr: 0 };
  #run: SeriesRun | undefined;
  #block: RowBlock | undefined;
  /** The series that were computed, and how many shall be the next time. */
  #first = 0;
  #end = 0;
  #wanted = seriesAtFirst;

  constructor(evaluation: Evaluation, selector: Selector, dropStale: boolean, steps: number, fill: FillRows) {
    this.#evaluation = evaluation;
    this.#selector = selector;
    this.#dropStale = dropStale;
    this.#steps = steps;
    this.#fill = fill;
  }

  /** The row of a series of `set`, valid until the next call; undefined when it has to be computed by itself. */
  row(set: SeriesSet, series: number): Row | undefined {
    if (!this.#has(series)) this.#move(set, series);
    if (!this.#has(series)) return undefined;
    const place = series - this.#first;
    const { u32 } = this.#evaluation.kernel.views;
    const entry = this.#run!.tablePtr + place * runSeries.bytes;
    this.#evaluation.passSamples(u32[(entry + runSeries.samples) >>> 2]!);
    this.#row.valuesPtr = this.#block!.valuesPtr + place * this.#steps * 8;
    this.#row.presentPtr = this.#block!.presentPtr + place * this.#steps;
    return this.#row;
  }

  #has(series: number): boolean {
    return series >= this.#first && series < this.#end;
  }

  /** Computes the rows from `series` on, if it is the next in line; else expects the one behind it. */
  #move(set: SeriesSet, series: number): void {
    const isNext = series === this.#end;
    const count = isNext ? this.#compute(set, series) : 0;
    this.#wanted = count > 0 ? this.#wanted * growth : seriesAtFirst;
    this.#first = count > 0 ? series : series + 1;
    this.#end = count > 0 ? series + count : series + 1;
  }

  #compute(set: SeriesSet, series: number): number {
    if (set.readRun === undefined) return 0;
    const run = (this.#run ??= this.#allocate());
    const seriesWanted = Math.min(this.#wanted, run.seriesMax);
    const { minTimestampMs, maxTimestampMs } = this.#selector;
    const part = { ...run, seriesMax: seriesWanted };
    const count = set.readRun(series, minTimestampMs, maxTimestampMs, this.#dropStale, part);
    if (count > 0) this.#fill(run, count, this.#block!);
    return count;
  }

  #allocate(): SeriesRun {
    const evaluation = this.#evaluation;
    const rows = Math.max(1, Math.min(seriesMax, Math.floor(valuesMax / this.#steps)));
    this.#block = evaluation.rows(rows, this.#steps);
    return {
      tablePtr: evaluation.allocate(rows * runSeries.bytes),
      seriesMax: rows,
      timestamps: evaluation.allocate(samplesMax * 8),
      values: evaluation.allocate(samplesMax * 8),
      capacity: samplesMax,
    };
  }
}
