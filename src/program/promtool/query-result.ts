import {
  compareStrings,
  formatPlain,
  formatShortest,
  type HistogramJson,
  Labels,
  parseNumber,
} from "../../model/index.ts";

type Metric = Readonly<Record<string, string>>;
type Point = readonly [seconds: number, value: string];
type HistogramPoint = readonly [seconds: number, histogram: HistogramJson];

interface Sample {
  readonly metric: Metric;
  readonly value?: Point;
  readonly histogram?: HistogramPoint;
}

interface Series {
  readonly metric: Metric;
  readonly values?: readonly Point[];
  readonly histograms?: readonly HistogramPoint[];
}

/** The `data` of the API's answer to a query. */
export type ResultData =
  | { readonly resultType: "scalar" | "string"; readonly result: Point }
  | { readonly resultType: "vector"; readonly result: readonly Sample[] }
  | { readonly resultType: "matrix"; readonly result: readonly Series[] };

/** A result as lines of text. */
export function formatResult(data: ResultData): string {
  switch (data.resultType) {
    case "string":
      return data.result[1];
    case "scalar":
      return `scalar: ${formatPoint(data.result)}`;
    case "vector":
      return data.result.map((sample) => `${metricText(sample.metric)} => ${sampleText(sample)}`).join("\n");
    case "matrix":
      return data.result
        .toSorted((a, b) => compareMetrics(a.metric, b.metric))
        .map(({ metric, values = [], histograms = [] }) => {
          const lines = [...values.map(formatPoint), ...histograms.map(formatHistogramPoint)];
          return `${metricText(metric)} =>\n${lines.join("\n")}`;
        })
        .join("\n");
  }
}

/** A set of labels with its name among them. */
export function formatLabelSet(metric: Metric): string {
  return Labels.from(metric).toString();
}

function metricText(metric: Metric): string {
  return Labels.from(metric).toMetricString();
}

function sampleText({ value, histogram }: Sample): string {
  return value ? formatPoint(value) : formatHistogramPoint(histogram!);
}

function formatPoint([seconds, value]: Point): string {
  return `${plain(value)} @[${seconds}]`;
}

function formatHistogramPoint([seconds, { count, sum, buckets = [] }]: HistogramPoint): string {
  const texts = buckets.map(([rule, lower, upper, bucketCount]) => {
    const open = rule === 1 || rule === 3 ? "[" : "(";
    const close = rule === 0 || rule === 3 ? "]" : ")";
    return `${open}${short(lower)},${short(upper)}${close}:${plain(bucketCount)}`;
  });
  const total = `Count: ${sixDigits(count)}, Sum: ${sixDigits(sum)}`;
  return `${total}, Buckets: [${texts.join(" ")}] @[${seconds}]`;
}

const number = (text: string): number => parseNumber(text) ?? NaN;
const plain = (text: string): string => formatPlain(number(text));
const short = (text: string): string => formatShortest(number(text));

/** With six digits behind the point, as Go's `%f`. */
function sixDigits(text: string): string {
  const value = number(text);
  if (!Number.isFinite(value)) return formatPlain(value);
  // From there on, `toFixed` would write an exponent.
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${formatPlain(value)}.000000`;
}

/** Upstream's order of metrics: fewer labels first, then the first label that differs. */
function compareMetrics(a: Metric, b: Metric): number {
  const names = Object.keys(a).sort(compareStrings);
  const sizes = names.length - Object.keys(b).length;
  if (sizes !== 0) return sizes;
  for (const name of names) {
    if (!Object.hasOwn(b, name)) return -1;
    const order = compareStrings(a[name]!, b[name]!);
    if (order !== 0) return order;
  }
  return 0;
}
