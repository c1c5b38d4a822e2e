import { functions, type FunctionSignature } from "../../../src/promql/index.ts";
import type { Exactness } from "./query-tree.ts";

export interface DialectOptions {
  /** Whether the peer knows what came with versions 2.43 to 3.14. */
  current: boolean;
  /** Whether the order in which numbers are added is left open. */
  addsInAnyOrder?: boolean;
  startMs: number;
  durationMs: number;
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

const floats = words(
  "requests_total errors_total temperature sparse build_info latency_seconds_bucket fast_total slow odd",
);
/** What is drawn with arguments of its own. */
const drawnApart = new Set(
  words(
    "label_replace label_join histogram_quantile histogram_quantiles histogram_fraction absent absent_over_time info scalar start_timestamp",
  ),
);
/** What 2.42 does not know, knows by another name, or makes something else of. */
const since242 = new Set(
  words(
    "histogram_avg histogram_stddev histogram_stdvar first_over_time double_exponential_smoothing histogram_quantiles info max_of min_of",
  ),
);

/** Whose results may differ in the last digits: other libraries compute them. */
const inexact = words(
  "exp ln log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh ^ atan2",
);
/** What depends on the order of its numbers, or did before sums were compensated. */
const dependsOnOrder = words(
  `avg avg_over_time stddev stdvar stddev_over_time stdvar_over_time deriv predict_linear rate increase delta irate idelta quantile
  quantile_over_time histogram_quantile histogram_fraction sum_over_time`,
);
/** Whole numbers stay whole. */
const keepsWhole = new Set(
  words(
    `abs ceil floor sgn clamp_max clamp_min clamp last_over_time first_over_time min_over_time max_over_time idelta sum min max topk
    bottomk limitk limit_ratio sort sort_desc sort_by_label sort_by_label_desc + - == != > < >= <= and or unless vector`,
  ),
);
const makesWhole = new Set(
  words("count group count_values changes resets count_over_time present_over_time"),
);
/** What small differences in the argument do not make larger, nor move to another label or time. */
const tolerant = new Set(
  words(
    `abs sqrt min max count group min_over_time max_over_time last_over_time first_over_time count_over_time present_over_time
    clamp_max clamp_min clamp timestamp sort sort_desc sort_by_label sort_by_label_desc deg rad ts_of_first_over_time ts_of_last_over_time`,
  ),
);
const extendable = words("rate increase delta resets changes");
const smoothable = words("rate increase delta");

/** What the generator may draw, and how exactly it is to be compared: one for the peer's version. */
export class Dialect {
  readonly startMs: number;
  readonly durationMs: number;
  readonly aligned: boolean;
  readonly metrics: readonly string[];
  readonly histograms: readonly string[];
  readonly functions: readonly string[];
  readonly scalarFunctions: readonly string[];
  readonly aggregations: readonly string[];
  /** How many of the first elements to ask for. */
  readonly firsts: readonly string[];
  readonly trimOperators: readonly string[];
  /** Whether native histograms may be drawn wherever floats may. */
  readonly histogramsEverywhere: boolean;
  readonly vectorAtan2: boolean;
  readonly info: boolean;
  readonly startTimestamps: boolean;
  /** Whether names may be any text. */
  readonly quotedNames: boolean;
  readonly durationExpressions: boolean;
  readonly extendedRanges: boolean;
  readonly fillModifiers: boolean;
  readonly histogramQuantiles: boolean;
  readonly histogramFractions: boolean;
  readonly addsInAnyOrder: boolean;
  readonly #inexact: ReadonlySet<string>;

  constructor({ current, addsInAnyOrder = !current, startMs, durationMs }: DialectOptions) {
    this.startMs = startMs;
    this.durationMs = durationMs;
    this.aligned = current;
    this.histograms = current ? ["sizes", "sizes_gauge", "mixed", "custom"] : ["sizes", "sizes_gauge"];
    this.metrics = current ? [...floats, "http.requests", ...this.histograms] : floats;
    this.histogramsEverywhere = current;
    this.vectorAtan2 = current;
    this.functions = [...functions.values()]
      .filter(({ name, returnType, experimental }) => {
        if (drawnApart.has(name) || returnType !== "vector") return false;
        return current || (!experimental && !since242.has(name));
      })
      .map(({ name }) => name);
    this.scalarFunctions = current ? words("start() end() step() range() max_of(1,2) min_of(time(),1)") : [];
    this.aggregations = words("sum avg min max count group stddev stdvar topk bottomk quantile count_values");
    if (current) this.aggregations = [...this.aggregations, "limitk", "limit_ratio"];
    this.firsts = current ? words("1 2 3 5 0 -1 1.9") : words("1 0 -1 100");
    this.trimOperators = current ? ["</", ">/"] : [];
    this.info = current;
    this.startTimestamps = current;
    this.quotedNames = current;
    this.durationExpressions = current;
    this.extendedRanges = current;
    this.fillModifiers = current;
    this.histogramQuantiles = current;
    this.histogramFractions = current;
    this.addsInAnyOrder = addsInAnyOrder;
    this.#inexact = new Set(addsInAnyOrder ? [...inexact, ...dependsOnOrder] : inexact);
  }

  signature(name: string): FunctionSignature {
    return functions.get(name)!;
  }

  /** What a function or an operator leaves of the exactness of its arguments. */
  exactness(name: string): Exactness {
    const [operator] = name.split(" ") as [string];
    if (this.#inexact.has(operator)) return "close";
    return keepsWhole.has(operator) ? "whole" : "same";
  }

  makesWhole(name: string): boolean {
    return makesWhole.has(name);
  }

  /** Whether the function is to be asked about counters only. */
  needsCounters(name: string): boolean {
    return !this.histogramsEverywhere && (name === "rate" || name === "increase" || name === "irate");
  }

  isTolerant(name: string): boolean {
    return tolerant.has(name);
  }

  extensions(name: string): readonly string[] {
    if (smoothable.includes(name)) return ["anchored", "smoothed"];
    return extendable.includes(name) ? ["anchored"] : [];
  }
}
