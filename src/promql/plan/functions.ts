import { windowFunction } from "../../kernel/index.ts";

/** Window functions that are not in the kernel. */
const ownWindowFunctions = new Set(["absent_over_time", "double_exponential_smoothing"]);

/** Functions of a range, evaluated window by window. */
export function isWindowFunction(name: string): boolean {
  return Object.hasOwn(windowFunction, name) || ownWindowFunctions.has(name);
}

/** Functions whose result may differ from step to step though their arguments do not. */
export const changesWithTime: ReadonlySet<string> = new Set([
  "days_in_month",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "hour",
  "minute",
  "month",
  "year",
  "predict_linear",
  "time",
  "timestamp",
]);

/** Functions that take each element of a vector by itself and drop its metric name. */
export const elementwiseFunctions: ReadonlySet<string> = new Set([
  "abs",
  "acos",
  "acosh",
  "asin",
  "asinh",
  "atan",
  "atanh",
  "ceil",
  "clamp",
  "clamp_max",
  "clamp_min",
  "cos",
  "cosh",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "days_in_month",
  "deg",
  "exp",
  "floor",
  "hour",
  "ln",
  "log10",
  "log2",
  "minute",
  "month",
  "rad",
  "round",
  "sgn",
  "sin",
  "sinh",
  "sqrt",
  "tan",
  "tanh",
  "timestamp",
  "year",
]);
