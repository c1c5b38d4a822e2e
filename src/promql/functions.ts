import type { FunctionSignature, ValueType } from "./ast.ts";

const table = new Map<string, FunctionSignature>();

/** Enters the functions named in `names` that share a signature. */
function define(
  names: string,
  argTypes: readonly ValueType[],
  returnType: ValueType,
  { variadic = 0, experimental = false } = {},
): void {
  for (const name of names.split(" "))
    table.set(name, { name, argTypes, variadic, returnType, experimental });
}

const experimental = { experimental: true };

define("abs absent ceil exp floor ln log10 log2 sgn sort sort_desc sqrt timestamp", ["vector"], "vector");
define("acos acosh asin asinh atan atanh cos cosh deg rad sin sinh tan tanh", ["vector"], "vector");
define("histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum", ["vector"], "vector");
define("clamp", ["vector", "scalar", "scalar"], "vector");
define("clamp_max clamp_min", ["vector", "scalar"], "vector");
define("round", ["vector", "scalar"], "vector", { variadic: 1 });
define("day_of_month day_of_week day_of_year days_in_month hour minute month year", ["vector"], "vector", {
  variadic: 1,
});
define("histogram_quantile", ["scalar", "vector"], "vector");
define("histogram_fraction", ["scalar", "scalar", "vector"], "vector");
define("label_replace", ["vector", "string", "string", "string", "string"], "vector");
define("label_join", ["vector", "string", "string", "string"], "vector", { variadic: -1 });
define("scalar", ["vector"], "scalar");
define("vector", ["scalar"], "vector");
define("pi time", [], "scalar");

define("absent_over_time avg_over_time count_over_time first_over_time last_over_time", ["matrix"], "vector");
define("max_over_time min_over_time present_over_time stddev_over_time stdvar_over_time", [
  "matrix",
], "vector");
define("changes delta deriv idelta increase irate rate resets sum_over_time", ["matrix"], "vector");
define("predict_linear", ["matrix", "scalar"], "vector");
define("quantile_over_time", ["scalar", "matrix"], "vector");

define("end range start step", [], "scalar", experimental);
define("max_of min_of", ["scalar", "scalar"], "scalar", experimental);
define("mad_over_time ts_of_first_over_time ts_of_last_over_time", ["matrix"], "vector", experimental);
define("ts_of_max_over_time ts_of_min_over_time", ["matrix"], "vector", experimental);
define("double_exponential_smoothing", ["matrix", "scalar", "scalar"], "vector", experimental);
define("sort_by_label sort_by_label_desc", ["vector", "string"], "vector", {
  variadic: -1,
  experimental: true,
});
define("histogram_quantiles", ["vector", "string", "scalar", "scalar"], "vector", {
  variadic: 9,
  experimental: true,
});
define("info", ["vector", "vector"], "vector", { variadic: 1, experimental: true });
define("start_timestamp", ["vector"], "vector", experimental);

/** Every function of PromQL by name. */
export const functions: ReadonlyMap<string, FunctionSignature> = table;
