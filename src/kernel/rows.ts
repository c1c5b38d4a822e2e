/** Aggregations that go row by row: per step one state, fed with series in order, so that compensated sums equal upstream's. */
export const rowAggregation = {
  sum: 0,
  avg: 1,
  count: 2,
  min: 3,
  max: 4,
  group: 5,
  stddev: 6,
  stdvar: 7,
} as const;
export type RowAggregationName = keyof typeof rowAggregation;

/** Bytes of state per step; a state is { f64 value, f64 compensation, f64 count, f64 flags or mean } for every aggregation. */
export const aggregateStateBytes = 32;

/** Arithmetic and comparison on rows. `pow` and `atan2` are not here: they are not single instructions anywhere. */
export const rowOperator = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  modulo: 4,
  equal: 5,
  notEqual: 6,
  greater: 7,
  less: 8,
  greaterOrEqual: 9,
  lessOrEqual: 10,
} as const;
export type RowOperatorName = keyof typeof rowOperator;

export interface BinaryRowsOptions {
  /** Comparisons give 0 or 1 instead of filtering. */
  readonly returnBool?: boolean;
  /** Filtering comparisons keep the right side's value (when the left is a scalar). */
  readonly keepRight?: boolean;
}
