/**
 * Functions over windows (t − range, t] at the steps t = start + k × step. Each takes the samples of one series, oldest first, and writes per
 * step a value and whether there is one. Staleness markers must not be among the samples (`decodeSeries` drops them on request).
 */
export const windowFunction = {
  rate: 0,
  increase: 1,
  delta: 2,
  irate: 3,
  idelta: 4,
  deriv: 5,
  /** arg: seconds to look ahead; `offsetMs`: how far the selector's offset moved the steps back. */
  predict_linear: 6,
  changes: 7,
  resets: 8,
  sum_over_time: 9,
  avg_over_time: 10,
  min_over_time: 11,
  max_over_time: 12,
  count_over_time: 13,
  stddev_over_time: 14,
  stdvar_over_time: 15,
  last_over_time: 16,
  first_over_time: 17,
  present_over_time: 18,
  /** arg: the quantile. */
  quantile_over_time: 19,
  mad_over_time: 20,
  ts_of_min_over_time: 21,
  ts_of_max_over_time: 22,
  ts_of_last_over_time: 23,
  ts_of_first_over_time: 24,
} as const;
export type WindowFunctionName = keyof typeof windowFunction;

/** Whether a function needs nothing but samples: neither an argument nor scratch memory. */
export function takesNoArguments(name: WindowFunctionName): boolean {
  return !["predict_linear", "quantile_over_time", "mad_over_time"].includes(name);
}

/** The steps of a query, moved back by the selector's offset: `startMs` is the first step's time minus the offset. */
export interface Steps {
  readonly startMs: number;
  /** ≥ 1 unless `count` is 1. */
  readonly stepMs: number;
  readonly count: number;
}

/** Samples of one series: f64 milliseconds ascending, f64 values. */
export interface Columns {
  readonly tsPtr: number;
  readonly vsPtr: number;
  readonly count: number;
}

/** Where a function writes: f64 per step and u8 (0 or 1) per step. Values of absent steps are unspecified. */
export interface Row {
  readonly valuesPtr: number;
  readonly presentPtr: number;
}

export interface WindowArguments {
  /** f64 per step: the function's parameter. Needed by predict_linear and quantile_over_time. */
  readonly argPtr?: number;
  /** predict_linear: the selector's offset. */
  readonly offsetMs?: number;
}
