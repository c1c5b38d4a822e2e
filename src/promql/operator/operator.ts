import type { Columns, Row, SeriesRun } from "../../kernel/index.ts";
import type { HistogramSample, StartTimestamps } from "../../storage/index.ts";
import type { SeriesList } from "../series/series-list.ts";

export type { Row } from "../../kernel/index.ts";

/**
 * One node of a running query. It states its output series first; rows are pulled by number, in any order and as often as the
 * consumer likes, and are computed when they are pulled, so that memory follows what is kept and not what is read.
 *
 * A row is a column of f64 values and one of presence bytes in the query's scratch memory, one place per step. A presence byte of 0
 * means no value, 1 a float, 2 a native histogram, which the evaluation's histogram column has under the place of the value.
 */
export interface Operator {
  readonly steps: number;
  /** The series that may have values; some may turn out to have none. */
  series(): SeriesList;
  /** Valid until the next call of this operator. The consumer may not write to it. */
  row(series: number): Row;
}

/** The samples that windows slide over. Stale markers are not among them. */
export interface RangeReader {
  series(): SeriesList;
  /** The floats, valid until the next call. */
  read(series: number): Columns;
  /** The native histograms of the series that was read last. */
  histograms(series: number): readonly HistogramSample[];
  /** Since when the samples count that were read last, of both kinds. */
  starts(series: number): StartTimestamps;
  /** Has rows filled for many series at once from now on; whether that is possible. Absent where it is not. */
  fillAhead?(fill: FillRows): boolean;
  /** The row of a series that was filled in that way; undefined when it is to be computed from what `read` gives. */
  rowAhead?(series: number): Row | undefined;
}

/** Fills the rows of `series` series of a run, one behind the other. */
export type FillRows = (run: SeriesRun, series: number, out: Row) => void;
