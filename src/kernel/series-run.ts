/** One entry of the table of a run: offsets in bytes. */
export const runSeries = {
  bytes: 16,
  /** u32: the series, filled in by whoever reads it. */
  ref: 0,
  /** u32: index of its first sample in the columns. */
  first: 4,
  /** u32: its samples. */
  samples: 8,
} as const;

/** Series that are read together: their samples lie one behind the other in shared columns, and a table of `runSeries` says whose they are. */
export interface SeriesRun {
  readonly tablePtr: number;
  /** Series that the table has room for. */
  readonly seriesMax: number;
  readonly timestamps: number;
  readonly values: number;
  /** Samples that fit. */
  readonly capacity: number;
}
