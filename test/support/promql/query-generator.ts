import { randomNumbers } from "../promql-data.ts";
import type { Dialect } from "./dialect.ts";
import type { Exactness, Optional, QueryNode, ValueKind } from "./query-tree.ts";

type Part = QueryNode["parts"][number];

/** A query and when it is asked, in milliseconds. */
export interface GeneratedQuery {
  readonly node: QueryNode;
  readonly timeMs: number;
  readonly range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number };
}

const labelNames = ["job", "instance", "path", "sensor", "le", "version", "kind", "missing"];
const groupings = [
  "job",
  "job, instance",
  "path",
  "instance",
  "missing",
  "job, instance, path",
  "",
  "le",
  "job, le",
];
const quotedGroupings = ['"data.center"', 'job, "data.center"', '"job", instance'];
const matchers = [
  'job="api"',
  'job!="api"',
  'instance=~"a.*|c.*"',
  'instance!~"(a|b):1"',
  'path=~"/.+"',
  'path=~"/|/x"',
  'job=~"a?pi|web"',
  'sensor=""',
  'missing!=""',
  'instance=~".*:1"',
  'job=~"(?i)API"',
  'path!=""',
];
const quotedMatchers = ['"data.center"="eü"', '"data.center"!=""', '"job"="api"'];
const durations = ["1m", "90s", "3m", "7m", "1m30s500ms", "20s", "10m", "4m10s"];
const numbers = [
  "0",
  "1",
  "2",
  "-1",
  "0.5",
  "3",
  "7",
  "10",
  "100",
  "-3.5",
  "1e3",
  "0x1F",
  "1e-3",
  "Inf",
  "-Inf",
  "NaN",
  "5m",
];
const arithmetic = ["+", "-", "*", "/", "%"];
const comparisons = ["==", "!=", ">", "<", ">=", "<="];
const setOperators = ["and", "or", "unless"];

/** Draws valid queries, most of which find something, over everything that a dialect has. The same seed draws the same queries. */
export class QueryGenerator {
  readonly #dialect: Dialect;
  readonly #random: () => number;

  constructor(dialect: Dialect, seed: number) {
    this.#dialect = dialect;
    this.#random = randomNumbers(seed);
  }

  query(): GeneratedQuery {
    const { startMs, durationMs, aligned } = this.#dialect;
    const offMs = aligned && this.#chance(0.6) ? 0 : 777;
    const at = (): number => startMs + this.#below(durationMs / 15_000) * 15_000 + offMs;
    const stepMs = this.#pick([15_000, 30_000, 97_000, 60_000, 300_000]);
    const rangeStartMs = at();
    const endMs = rangeStartMs + this.#below(30) * stepMs;
    return { node: this.#top(), timeMs: at(), range: { startMs: rangeStartMs, endMs, stepMs } };
  }

  #top(): QueryNode {
    const depth = 1 + this.#below(4);
    const drawn = this.#random();
    if (drawn < 0.03 && !this.#dialect.histogramsEverywhere) return this.#histogram();
    if (drawn < 0.86) return this.#vector(depth, "close");
    if (drawn < 0.93) return this.#scalar(depth, "close");
    if (drawn < 0.98) return this.#matrix(depth, "close");
    return {
      kind: "string",
      exactness: "whole",
      parts: [this.#pick(['"a\\n\\u00e9"', "'it\\'s'", "`raw\\`"])],
    };
  }

  /** A vector that is at least as exact as asked for. */
  #vector(depth: number, atLeast: Exactness): QueryNode {
    for (let tries = 0; tries < 20; tries++) {
      const node = this.#anyVector(depth);
      if (isAtLeast(node.exactness, atLeast)) return node;
    }
    return this.#selector();
  }

  #anyVector(depth: number): QueryNode {
    if (depth <= 0) return this.#selector();
    const productions: [weight: number, produce: () => QueryNode][] = [
      [2, () => this.#selector()],
      [5, () => this.#call(this.#pick(this.#dialect.functions), depth)],
      [4, () => this.#aggregation(depth)],
      [4, () => this.#binary(depth)],
      [1, () => this.#rewrapped(depth)],
      [1, () => this.#labelFunction(depth)],
      [1, () => this.#histogramQuantile(depth)],
      [0.5, () => this.#absent(depth)],
      [this.#dialect.info ? 0.4 : 0, () => this.#info(depth)],
      [this.#dialect.startTimestamps ? 0.3 : 0, () => this.#startTimestamp(depth)],
      [this.#dialect.histogramsEverywhere ? 0 : 1, () => this.#histogramSummary()],
    ];
    return this.#weighted(productions)();
  }

  #rewrapped(depth: number): QueryNode {
    const inner = this.#vector(depth - 1, "close");
    const [before, after] = this.#pick([
      ["(", ")"],
      ["-", ""],
      ["+", ""],
      ["-(", ")"],
    ] as const);
    return node("vector", inner.exactness, [before, inner, after]);
  }

  #selector(metric = this.#pick(this.#dialect.metrics)): QueryNode {
    return node("vector", exactnessOf(metric), [
      this.#selectorText(metric),
      ...this.#modifiers(),
      ...this.#extension(["smoothed"]),
    ]);
  }

  #selectorText(metric: string): string {
    const drawn = this.#random();
    const filters = this.#some(this.#dialect.quotedNames ? [...matchers, ...quotedMatchers] : matchers, 2);
    if (drawn < 0.05)
      return `{__name__=~"${metric}|build_info",job=~".+"${filters.map((each) => `,${each}`).join("")}}`;
    if (/\W/.test(metric) || (this.#dialect.quotedNames && drawn > 0.95))
      return `{${[`"${metric}"`, ...filters].join(", ")}}`;
    if (drawn < 0.45 || filters.length === 0) return metric;
    return `${metric}{${filters.join(",")}}`;
  }

  #modifiers(): Optional[] {
    const all: Optional[] = [];
    if (this.#chance(0.15))
      all.push({ optional: ` offset ${this.#pick(["90s", "-45s", "5m", "10m", ...this.#durationExpr()])}` });
    if (this.#chance(0.08))
      all.push({ optional: ` @ ${this.#pick(["start()", "end()", this.#atTimestamp()])}` });
    return this.#chance(0.5) ? all.toReversed() : all;
  }

  #atTimestamp(): string {
    const { startMs, durationMs } = this.#dialect;
    return ((startMs + this.#below(durationMs / 15_000) * 15_000) / 1000).toFixed(this.#below(4));
  }

  #durationExpr(): string[] {
    if (!this.#dialect.durationExpressions) return [];
    return [
      "(1m + 30s)",
      "(2 * step())",
      "max_of(step(), 1m)",
      "(10m - 3m)",
      "(5m / 2)",
      "-(1m)",
      "(range() / 2)",
      "min_of(step(), 90s)",
    ];
  }

  #extension(words: readonly string[]): Optional[] {
    if (!this.#dialect.extendedRanges || !this.#chance(0.1)) return [];
    return [{ optional: ` ${this.#pick(words)}` }];
  }

  #matrix(depth: number, atLeast: Exactness, extensions: readonly string[] = []): QueryNode {
    if (depth <= 0 || this.#chance(0.7)) {
      const metric = this.#pick(this.#dialect.metrics);
      const range = this.#pick([
        ...durations,
        ...this.#durationExpr().filter((text) => !text.startsWith("-")),
      ]);
      const extension = extensions.length > 0 ? this.#extension(extensions) : [];
      return node("matrix", exactnessOf(metric), [
        this.#selectorText(metric),
        `[${range}]`,
        ...extension,
        ...this.#modifiers(),
      ]);
    }
    const inner = this.#chance(0.9) ? this.#vector(depth - 1, atLeast) : this.#scalar(depth - 1, atLeast);
    const [range, step] = this.#pick([
      ["5m", "1m"],
      ["3m", "20s"],
      ["10m", "2m"],
      ["2m", "15s"],
      ["4m", ""],
    ] as const);
    const odd = this.#dialect.aligned && this.#chance(0.6) ? "" : "7ms";
    return node("matrix", inner.exactness, ["(", inner, `)[${range}${odd}:${step}]`, ...this.#modifiers()]);
  }

  #counterMatrix(): QueryNode {
    const text = this.#selectorText(
      this.#pick(["requests_total", "errors_total", "fast_total", "latency_seconds_bucket"]),
    );
    const [before, after] = this.#pick([
      ["", `[${this.#pick(durations)}]`],
      ["", "[5m7ms:1m]"],
      ["sum by (job) (", ")[7m7ms:30s]"],
    ] as const);
    return node("matrix", "same", [before, text, after, ...this.#modifiers()]);
  }

  #scalar(depth: number, atLeast: Exactness): QueryNode {
    if (depth <= 0) return this.#number();
    const drawn = this.#below(8);
    if (drawn < 2) return this.#number();
    if (drawn === 2) return node("scalar", "whole", [this.#pick(["pi()", ...this.#dialect.scalarFunctions])]);
    // Between whole seconds it is no multiple of 1/64.
    if (drawn === 3) return node("scalar", "same", ["time()"]);
    if (drawn === 4) {
      const inner = this.#vector(depth - 1, atLeast);
      return node("scalar", inner.exactness, ["scalar(", inner, ")"]);
    }
    if (drawn === 5) {
      const inner = this.#scalar(depth - 1, atLeast);
      return node(
        "scalar",
        inner.exactness,
        this.#pick([
          ["-", inner],
          ["(", inner, ")"],
          ["+", inner],
        ]),
      );
    }
    const isComparison = this.#chance(0.3);
    const [left, right] = [this.#scalar(depth - 1, "same"), this.#scalar(depth - 1, "same")];
    const power = !isComparison && atLeast === "close" && this.#chance(0.2);
    const operator = isComparison
      ? `${this.#pick(comparisons)} bool`
      : power
        ? this.#pick(["^", "atan2"])
        : this.#pick(arithmetic);
    return operation("scalar", power ? "close" : "same", left, [` ${operator} `], right);
  }

  #number(): QueryNode {
    const known = this.#dialect.durationExpressions ? numbers : numbers.filter((text) => !text.endsWith("m"));
    return node("scalar", "whole", [this.#pick(known)]);
  }

  /** Calls a function that takes ranges, vectors or scalars. */
  #call(name: string, depth: number): QueryNode {
    const { argTypes, variadic } = this.#dialect.signature(name);
    const own = this.#dialect.exactness(name);
    const needed = own !== "close" && this.#dialect.isTolerant(name) ? "close" : "same";
    const count = variadic > 0 && this.#chance(0.3) ? argTypes.length - 1 : argTypes.length;
    const args = argTypes.slice(0, count).map((type): QueryNode => {
      if (type === "matrix" && this.#dialect.needsCounters(name)) return this.#counterMatrix();
      if (type === "matrix") return this.#matrix(depth - 1, needed, this.#dialect.extensions(name));
      if (type === "string") return node("string", "whole", [`"${this.#pick(labelNames)}"`]);
      if (type === "vector") return this.#vector(depth - 1, needed);
      // What is infinitely far away depends on the last digit of the slope.
      if (name === "predict_linear") return node("scalar", "whole", [this.#pick(["60", "600.5", "-30"])]);
      return this.#scalar(depth - 2, "same");
    });
    // Where exponentials overflow differs between Go's processors.
    const isExponential = name === "exp" || name === "sinh" || name === "cosh";
    const text = args.flatMap((arg, i): Part[] => (i === 0 ? [arg] : [", ", arg]));
    if (isExponential) text.splice(0, 1, "clamp(", text[0]!, ", -700, 700)");
    const outcome = leastExact([own, ...args.map(({ exactness }) => exactness)]);
    const exactness = this.#dialect.makesWhole(name) ? "whole" : outcome;
    return node("vector", exactness, [`${name}(`, ...text, ")"]);
  }

  #aggregation(depth: number): QueryNode {
    const name = this.#pick(this.#dialect.aggregations);
    const own = this.#dialect.exactness(name);
    const inner = this.#vector(
      depth - 1,
      own !== "close" && this.#dialect.isTolerant(name) ? "close" : "same",
    );
    const by = this.#chance(0.65)
      ? [{ optional: ` ${this.#pick(["by", "without"])} (${this.#grouping()}) ` }]
      : [];
    const param = this.#aggregationParam(name, depth);
    // Before, NaN and infinities had a spread, and the last NaN was the first element.
    const isOrder = name === "topk" || name === "bottomk";
    const isFiltered = !this.#dialect.histogramsEverywhere && (isOrder || name.startsWith("std"));
    const argument: Part[] = isFiltered ? ["(", inner, ") < 1e300 > -1e300"] : [inner];
    const args: Part[] = ["(", ...param, ...argument, ")"];
    const sums = name === "sum" || name === "avg";
    let exactness = leastExact([own, inner.exactness]);
    if (sums && this.#dialect.addsInAnyOrder)
      exactness = name === "sum" && inner.exactness === "whole" ? "whole" : "close";
    if (name === "count" || name === "group" || name === "count_values") exactness = "whole";
    return node("vector", exactness, this.#chance(0.7) ? [name, ...by, ...args] : [name, ...args, ...by]);
  }

  #aggregationParam(name: string, depth: number): Part[] {
    if (name === "count_values") return [`"${this.#pick(["v", "job", "version"])}", `];
    if (name === "topk" || name === "bottomk" || name === "limitk") {
      const isLiteral = !this.#dialect.histogramsEverywhere || this.#chance(0.8);
      return [isLiteral ? this.#pick(this.#dialect.firsts) : this.#scalar(depth - 2, "same"), ", "];
    }
    if (name === "limit_ratio") return [this.#pick(["0.5", "-0.5", "0.1", "-0.9", "1", "0", "-1"]), ", "];
    if (name === "quantile")
      return [this.#chance(0.8) ? this.#quantile() : this.#scalar(depth - 2, "same"), ", "];
    return [];
  }

  #quantile(): string {
    return this.#pick(["0.5", "0.9", "0", "1", "0.25", "0.999", "1.5", "-1", "NaN"]);
  }

  #binary(depth: number): QueryNode {
    const drawn = this.#random();
    if (drawn < 0.35) return this.#withScalar(depth);
    if (drawn < 0.55) return this.#setOperation(depth);
    return this.#vectorBinary(depth);
  }

  #withScalar(depth: number): QueryNode {
    const operator = this.#operator();
    // Adding may cancel what both have in common, and comparing decides by the last digit.
    const scales = operator.startsWith("*") || operator.startsWith("/");
    const vector = this.#vector(depth - 1, scales ? "close" : "same");
    const scalar = this.#scalar(depth - 2, "same");
    const exactness = leastExact([vector.exactness, scalar.exactness, this.#dialect.exactness(operator)]);
    const [left, right] = this.#chance(0.6) ? [vector, scalar] : [scalar, vector];
    return operation("vector", exactness, left, [` ${operator} `], right);
  }

  #operator(): string {
    const drawn = this.#random();
    if (drawn < 0.5) return this.#pick(arithmetic);
    if (drawn < 0.6)
      return this.#pick([
        "^",
        ...(this.#dialect.vectorAtan2 ? ["atan2"] : []),
        ...this.#dialect.trimOperators,
      ]);
    return this.#pick(comparisons) + (this.#chance(0.3) ? " bool" : "");
  }

  #setOperation(depth: number): QueryNode {
    const [left, right] = [this.#vector(depth - 1, "close"), this.#vector(depth - 1, "close")];
    const on = this.#chance(0.6)
      ? [{ optional: `${this.#pick(["on", "ignoring"])} (${this.#grouping()}) ` }]
      : [];
    const exactness = leastExact([left.exactness, right.exactness]);
    return operation("vector", exactness, left, [` ${this.#pick(setOperators)} `, ...on], right);
  }

  /** Two vectors that share enough labels to find one another, mostly. */
  #vectorBinary(depth: number): QueryNode {
    const operator = this.#operator();
    const needed: Exactness = operator === "*" || operator === "/" ? "close" : "same";
    const [left, right] = [this.#vector(depth - 1, needed), this.#vector(depth - 1, needed)];
    const labels = this.#grouping();
    const drawn = this.#random();
    let [sides, matching]: [[Part, Part], string] = [[left, right], ""];
    if (drawn < 0.4) {
      const grouped = (inner: QueryNode): QueryNode =>
        node("vector", inner.exactness, [this.#pick(["max", "min"]), ` by (${labels}) (`, inner, ")"]);
      sides = [grouped(left), grouped(right)];
      matching = this.#pick(["", ` on (${labels})`, ` ignoring (missing)`]);
    } else if (drawn < 0.7) {
      const isLeft = this.#chance(0.5);
      const one = node("vector", right.exactness, [`max by (${labels}) (`, right, ")"]);
      sides = isLeft ? [left, one] : [one, left];
      const include = this.#pick(["()", "()", "(version)", "(job, missing)"]);
      matching = ` on (${labels}) group_${isLeft ? "left" : "right"} ${include}`;
    } else if (drawn < 0.9) {
      sides = [left, left];
      matching = this.#pick([
        "",
        "",
        " ignoring (missing)",
        " on (job, instance, path, sensor, le, version, kind)",
      ]);
    } else matching = this.#pick([` on (${labels})`, ` ignoring (${labels})`, ""]);
    const fill = this.#fill();
    const exactness = leastExact([left.exactness, right.exactness, this.#dialect.exactness(operator)]);
    return operation("vector", exactness, sides[0], [` ${operator}${matching}`, ...fill, " "], sides[1]);
  }

  #fill(): Optional[] {
    if (!this.#dialect.fillModifiers || !this.#chance(0.2)) return [];
    return [
      {
        optional: ` ${this.#pick(["fill", "fill_left", "fill_right", "fill_left(0) fill_right"])}(${this.#pick(["0", "-1", "NaN", "5"])})`,
      },
    ];
  }

  #labelFunction(depth: number): QueryNode {
    const inner = this.#vector(depth - 1, "close");
    const target = this.#pick(["job", "new", "path", "__name__", "instance"]);
    const source = this.#pick(labelNames);
    if (this.#chance(0.5)) {
      const replacement = this.#pick(["$1", "x-$1-y", "", "${name}", "$2$1"]);
      const pattern = this.#pick(["(.*)", "(a)(.*)", "(?P<name>.+):.*", ".*", "/(.?)", ""]);
      const rest = `"${target}", "${replacement}", "${source}", "${pattern}"`;
      return node("vector", inner.exactness, ["label_replace(", inner, `, ${rest})`]);
    }
    const sources = [...this.#some(labelNames, 3), source].map((name) => `"${name}"`).join(", ");
    const rest = `"${target}", "${this.#pick(["-", "", "::"])}", ${sources}`;
    return node("vector", inner.exactness, ["label_join(", inner, `, ${rest})`]);
  }

  #histogramQuantile(depth: number): QueryNode {
    const source = this.#chance(0.6)
      ? node("vector", "same", [
          this.#pick(
            this.#dialect.histogramsEverywhere ? ["rate", "increase", "delta"] : ["rate", "increase"],
          ),
          "(",
          this.#pick(
            this.#dialect.histogramsEverywhere
              ? ["latency_seconds_bucket", ...this.#dialect.histograms]
              : ["latency_seconds_bucket"],
          ),
          "[5m])",
        ])
      : this.#vector(depth - 1, "same");
    const grouped = this.#chance(0.5)
      ? node("vector", source.exactness, [
          "sum by (",
          this.#pick(["le", "le, job", "job"]),
          ") (",
          source,
          ")",
        ])
      : source;
    const drawn = this.#random();
    const exactness = this.#dialect.exactness("histogram_quantile");
    if (drawn < 0.7)
      return node("vector", exactness, ["histogram_quantile(", this.#quantile(), ", ", grouped, ")"]);
    if (!this.#dialect.histogramFractions)
      return node("vector", exactness, ["histogram_quantile(0.7, ", grouped, ")"]);
    const bounds = this.#pick(["0, 1", "-1, 0.3", "0.1, Inf", "2, 1", "-Inf, 0.5", "0.5, 7"]);
    if (drawn < 0.9 || !this.#dialect.histogramQuantiles)
      return node("vector", exactness, [`histogram_fraction(${bounds}, `, grouped, ")"]);
    const label = this.#chance(0.8) ? "q" : this.#pick(labelNames);
    const first = this.#chance(0.7) ? this.#quantile() : "time() % 100 / 100";
    return node("vector", exactness, ["histogram_quantiles(", grouped, `, "${label}", ${first}, 0.3)`]);
  }

  /** What has been made of native histograms from the beginning. */
  #histogram(): QueryNode {
    const selector = this.#selector(this.#pick(this.#dialect.histograms));
    const counter = this.#pick(["rate", "increase"]);
    const source = this.#pick([
      selector,
      node("vector", "close", [`${counter}(sizes[${this.#pick(durations)}]`, ...this.#modifiers(), ")"]),
      node("vector", "same", [`delta(sizes_gauge[${this.#pick(durations)}])`]),
    ]);
    return source;
  }

  #histogramSummary(): QueryNode {
    const name = this.#pick(["histogram_count", "histogram_sum"]);
    return node("vector", "close", [`${name}(`, this.#histogram(), ")"]);
  }

  #absent(depth: number): QueryNode {
    if (this.#chance(0.5)) return node("vector", "whole", ["absent(", this.#vector(depth - 1, "close"), ")"]);
    const selector = `nothing{${this.#some(matchers, 3).join(",")}}`;
    return this.#chance(0.5)
      ? node("vector", "whole", [`absent(${selector}`, ...this.#modifiers(), ")"])
      : node("vector", "whole", [
          "absent_over_time(",
          this.#chance(0.5) ? this.#matrix(depth - 1, "close") : node("matrix", "whole", [selector, "[5m]"]),
          ")",
        ]);
  }

  #grouping(): string {
    return this.#pick(this.#dialect.quotedNames ? [...groupings, ...quotedGroupings] : groupings);
  }

  #startTimestamp(depth: number): QueryNode {
    const inner = this.#chance(0.8) ? this.#selector() : this.#vector(depth - 1, "close");
    return node("vector", "same", ["start_timestamp(", inner, ")"]);
  }

  #info(depth: number): QueryNode {
    const inner = this.#vector(depth - 1, "close");
    const which = this.#pick([
      "",
      ', {region=~".+"}',
      ', {__name__="build_info"}',
      ', {version="1.3"}',
      ', {__name__=~".+_info",version!=""}',
    ]);
    return node("vector", inner.exactness, ["info(", inner, { optional: which }, ")"]);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #some<T>(list: readonly T[], max: number): T[] {
    return Array.from({ length: this.#below(max + 1) }, () => this.#pick(list));
  }

  #weighted<T>(choices: readonly [weight: number, choice: T][]): T {
    let rest = this.#random() * choices.reduce((sum, [weight]) => sum + weight, 0);
    return (choices.find(([weight]) => (rest -= weight) < 0) ?? choices[0]!)[1];
  }
}

const ranks: Record<Exactness, number> = { close: 0, same: 1, whole: 2 };

function isAtLeast(exactness: Exactness, wanted: Exactness): boolean {
  return ranks[exactness] >= ranks[wanted];
}

function leastExact(all: readonly Exactness[]): Exactness {
  return all.reduce((least, each) => (ranks[each] < ranks[least] ? each : least));
}

function exactnessOf(metric: string): Exactness {
  return metric === "odd" ? "same" : "whole";
}

/**
 * Without parentheses the text is another tree than the one that was drawn, which is to be tried as well, but not where the last digits
 * might be made much of.
 */
function operation(
  kind: ValueKind,
  exactness: Exactness,
  left: Part,
  operator: readonly Part[],
  right: Part,
): QueryNode {
  if (exactness !== "close") return node(kind, exactness, [left, ...operator, right]);
  return node(kind, exactness, ["((", left, ")", ...operator, "(", right, "))"]);
}

function node(kind: ValueKind, exactness: Exactness, parts: readonly Part[]): QueryNode {
  return { kind, exactness, parts };
}
