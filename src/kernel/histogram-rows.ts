/** Places in the row of a decoded native histogram, in f64; the positive buckets come first. */
export const histogramRow = { timestampMs: 0, count: 1, zeroCount: 2, sum: 3, buckets: 4 } as const;

/** Decoded histograms of one layout, a row of f64 for each. */
export interface HistogramRows {
  readonly rowsPtr: number;
  /** From one row to the next, in f64. */
  readonly stride: number;
}
