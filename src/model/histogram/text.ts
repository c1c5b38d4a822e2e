import { formatShortest } from "../number.ts";
import { type Bucket, negativeBuckets, positiveBuckets, zeroBucket } from "./bucket.ts";
import { type Buckets, hasCustomBuckets, type Histogram } from "./histogram.ts";
import { compactHistogram } from "./layout.ts";

/**
 * `{count:3, sum:7.5, [-0.001,0.001]:1, (1,2]:2}` as labels, templates and dumps show a float histogram; buckets in ascending
 * order, empty ones left out.
 */
export function formatHistogram(histogram: Histogram): string {
  return formatBuckets(histogram, formatShortest);
}

/** The same of an integer histogram, whose counts have no exponent. */
export function formatIntegerHistogram(histogram: Histogram): string {
  return formatBuckets(histogram, (count) => BigInt(count).toString());
}

function formatBuckets(histogram: Histogram, formatCount: (count: number) => string): string {
  const parts = [`count:${formatCount(histogram.count)}`, `sum:${formatShortest(histogram.sum)}`];
  const add = (bucket: Bucket): void => {
    if (bucket.count === 0) return;
    const open = bucket.lowerInclusive ? "[" : "(";
    const close = bucket.upperInclusive ? "]" : ")";
    const range = `${formatShortest(bucket.lower)},${formatShortest(bucket.upper)}`;
    parts.push(`${open}${range}${close}:${formatCount(bucket.count)}`);
  };
  [...negativeBuckets(histogram)].toReversed().forEach(add);
  if (!hasCustomBuckets(histogram)) add(zeroBucket(histogram));
  for (const bucket of positiveBuckets(histogram)) add(bucket);
  return `{${parts.join(", ")}}`;
}

/** `{{schema:1 count:3 sum:7.5 offset:1 buckets:[2 1]}}`, which `parseHistogram` reads. */
export function formatNotation(histogram: Histogram): string {
  const { positive, negative, ...rest } = compactHistogram(histogram, Infinity);
  const side = (prefix: string, { indices, counts }: Buckets): [string, string | false][] => [
    [`${prefix}offset`, indices.length > 0 && indices[0] !== 0 && String(indices[0])],
    [`${prefix}buckets`, counts.length > 0 && formatList(counts)],
  ];
  const fields: [string, string | false][] = [
    ["schema", rest.schema !== 0 && String(rest.schema)],
    ["count", nonZero(rest.count)],
    ["sum", nonZero(rest.sum)],
    ["z_bucket", nonZero(rest.zeroCount)],
    ["z_bucket_w", nonZero(rest.zeroThreshold)],
    ["custom_values", hasCustomBuckets(histogram) && formatList(rest.customBounds)],
    ["counter_reset_hint", rest.counterReset !== "unknown" && rest.counterReset],
    ...side("", positive),
    ...side("n_", negative),
  ];
  const written = fields.filter(([, text]) => text !== false).map(([key, text]) => `${key}:${text}`);
  return `{{${written.join(" ")}}}`;
}

function nonZero(value: number): string | false {
  return value !== 0 && formatShortest(value);
}

function formatList(values: readonly number[]): string {
  return `[${values.map(formatShortest).join(" ")}]`;
}

/** Which ends belong to a bucket: 0 the upper, 1 the lower, 2 neither, 3 both. */
export type BoundaryRule = 0 | 1 | 2 | 3;

/** The HTTP API's form; every number is text in it. */
export interface HistogramJson {
  count: string;
  sum: string;
  /** Absent when every bucket is empty. */
  buckets?: [rule: BoundaryRule, lower: string, upper: string, count: string][];
}

/** That of a bucket. */
export function boundaryRule({ lowerInclusive, upperInclusive }: Bucket): BoundaryRule {
  if (lowerInclusive) return upperInclusive ? 3 : 1;
  return upperInclusive ? 0 : 2;
}
