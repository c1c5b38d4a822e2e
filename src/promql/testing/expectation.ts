import {
  type Buckets,
  compactHistogram,
  formatNotation,
  formatPlain,
  hasCustomBuckets,
  type Histogram,
  type Labels,
  sameNumbers,
} from "../../model/index.ts";
import type { DescribedHistogram, DescribedValue } from "../series-description.ts";
import type { EvalCommand, ExpectedSeries, TextMatch } from "./script.ts";

/** What an engine answered. */
export interface Answer {
  value: AnswerValue;
  warnings: readonly string[];
  infos: readonly string[];
}

export type AnswerValue =
  | { type: "scalar"; value: number }
  | { type: "string"; value: string }
  | { type: "vector"; samples: readonly AnswerSample[] }
  | { type: "matrix"; series: readonly AnswerSeries[] };

export interface AnswerSample {
  labels: Labels;
  value: number;
  /** Instead of the value. */
  histogram?: Histogram | undefined;
}

export interface AnswerSeries {
  labels: Labels;
  timestampsMs: ArrayLike<number>;
  values: ArrayLike<number>;
  /** Samples beside those of the values. */
  histograms?: readonly { timestampMs: number; histogram: Histogram }[];
}

/** Relative difference that upstream's own tests allow. */
const tolerance = 1e-6;
const smallestNormal = 2.2250738585072014e-308;

/** Whether two results are equal up to the order in which sums may be formed. */
export function almostEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < smallestNormal) return difference < tolerance * smallestNormal;
  return difference / Math.min(sum, Number.MAX_VALUE) < tolerance;
}

/** Why an answer is not the expected one; undefined when it is. */
export function compareAnswer(command: EvalCommand, answer: Answer): string | undefined {
  const { expected } = command;
  if (expected.fail) return "expected the query to fail, but it did not";
  return (
    compareTexts("warning", expected.warnings, answer.warnings) ??
    compareTexts("info", expected.infos, answer.infos) ??
    compareValue(command, answer.value)
  );
}

/** Why one step of a range query is not what the instant query would be; of its order only that it is that of the labels. */
export function compareStep(
  command: EvalCommand,
  value: AnswerValue,
  timestampMs: number,
): string | undefined {
  if (value.type !== "matrix") return `expected a matrix, got a ${value.type}`;
  const { expected } = command;
  const unsorted = unsortedSeries(value.series);
  if (unsorted !== undefined || expected.ordered) return unsorted;
  const samples = value.series.flatMap((series): AnswerSample[] => {
    const { labels, timestampsMs, values, histograms } = series;
    const histogram = histograms?.find((each) => each.timestampMs === timestampMs)?.histogram;
    const place = Array.from(timestampsMs).indexOf(timestampMs);
    if (place < 0 && histogram === undefined) return [];
    return [{ labels, value: place < 0 ? 0 : values[place]!, histogram }];
  });
  return expected.scalar === undefined
    ? compareVector(command, samples)
    : compareValue(command, { type: "scalar", value: samples[0]?.value ?? NaN });
}

/** Why an error is not the expected one; undefined when it is. */
export function compareError(command: EvalCommand, message: string): string | undefined {
  const { fail } = command.expected;
  if (!fail) return `the query failed: ${message}`;
  return fail.matches(message)
    ? undefined
    : `expected an error that matches ${fail.description}, got: ${message}`;
}

function compareTexts(
  kind: string,
  expected: readonly TextMatch[] | undefined,
  actual: readonly string[],
): string | undefined {
  if (!expected) return undefined;
  const missing = expected.find((match) => !actual.some((text) => match.matches(text)));
  if (missing)
    return `expected ${kind} annotation that matches ${missing.description}, got: ${JSON.stringify(actual)}`;
  const surplus = actual.find((text) => !expected.some((match) => match.matches(text)));
  return surplus === undefined ? undefined : `unexpected ${kind}: ${surplus}`;
}

function compareValue(command: EvalCommand, value: AnswerValue): string | undefined {
  const { expected } = command;
  switch (value.type) {
    case "scalar":
      if (expected.scalar === undefined) return `unexpected scalar ${value.value}`;
      return prefixed("scalar", compareNumber(expected.scalar, value.value));
    case "string":
      return value.value === expected.string
        ? undefined
        : `expected string ${JSON.stringify(expected.string)}, got ${JSON.stringify(value.value)}`;
    case "vector":
      return expected.scalar === undefined
        ? compareVector(command, value.samples)
        : `expected scalar ${expected.scalar}, got a vector`;
    case "matrix":
      return expected.scalar === undefined
        ? compareMatrix(command, value.series)
        : `expected scalar ${expected.scalar}, got a matrix`;
  }
}

function compareNumber(expected: number, actual: number): string | undefined {
  if (almostEqual(expected, actual)) return undefined;
  return `expected ${formatPlain(expected)}, got ${formatPlain(actual)}`;
}

function prefixed(what: string, failure: string | undefined): string | undefined {
  return failure === undefined ? undefined : `${what}: ${failure}`;
}

function compareVector({ expected }: EvalCommand, samples: readonly AnswerSample[]): string | undefined {
  return compareSeries(expected.series, samples, expected.ordered, (wanted, sample) => {
    const [value] = wanted.values;
    const { labels, histogram } = sample;
    const actual: AnswerSeries =
      histogram === undefined
        ? { labels, timestampsMs: [0], values: [sample.value] }
        : { labels, timestampsMs: [], values: [], histograms: [{ timestampMs: 0, histogram }] };
    return comparePoints(value ? [value] : [], [0], actual);
  });
}

function compareMatrix(
  { startMs, stepMs, expected }: EvalCommand,
  series: readonly AnswerSeries[],
): string | undefined {
  const grid = expected.grid ?? { startMs, stepMs };
  const unsorted = unsortedSeries(series);
  if (unsorted !== undefined) return unsorted;
  return compareSeries(expected.series, series, false, (wanted, actual) => {
    const timestampsMs = wanted.values.map((_, i) => grid.startMs + i * grid.stepMs);
    return comparePoints(wanted.values, timestampsMs, actual);
  });
}

function unsortedSeries(series: readonly AnswerSeries[]): string | undefined {
  const unsorted = series.findIndex((one, i) => i > 0 && series[i - 1]!.labels.compare(one.labels) > 0);
  return unsorted < 0 ? undefined : `series are not sorted at ${series[unsorted]!.labels.toMetricString()}`;
}

function compareSeries<T extends { labels: Labels }>(
  expected: readonly ExpectedSeries[],
  actual: readonly T[],
  ordered: boolean,
  compare: (expected: ExpectedSeries, actual: T) => string | undefined,
): string | undefined {
  const wanted = new Map(expected.map((series, position) => [series.labels.key(), { series, position }]));
  const seen = new Set<string>();
  for (const [position, series] of actual.entries()) {
    const key = series.labels.key();
    const match = wanted.get(key);
    const name = series.labels.toMetricString();
    if (!match) return `unexpected series ${name}`;
    if (seen.has(key)) return `series ${name} comes twice`;
    seen.add(key);
    if (ordered && match.position !== position) {
      return `expected ${name} at position ${match.position + 1}, got it at ${position + 1}`;
    }
    const failure = compare(match.series, series);
    if (failure !== undefined) return `${name}: ${failure}`;
  }
  const missing = expected.find((series) => !seen.has(series.labels.key()));
  return missing && `series ${missing.labels.toMetricString()} is missing`;
}

function comparePoints(
  expected: readonly DescribedValue[],
  timestampsMs: readonly number[],
  actual: AnswerSeries,
): string | undefined {
  const points = pointsOf(actual);
  let next = 0;
  for (const [i, value] of expected.entries()) {
    if (value.kind === "omitted") continue;
    const at = timestampsMs[i]!;
    const point = points[next++];
    if (point === undefined) return `no value at ${at} ms`;
    if (point.timestampMs !== at) return `expected a value at ${at} ms, got one at ${point.timestampMs}`;
    const failure = prefixed(`value at ${at} ms`, comparePoint(value, point));
    if (failure !== undefined) return failure;
  }
  return next === points.length ? undefined : `${points.length - next} values too many`;
}

interface Point {
  timestampMs: number;
  value: number | Histogram;
}

function pointsOf({ timestampsMs, values, histograms = [] }: AnswerSeries): Point[] {
  const points: Point[] = Array.from(values, (value, i) => ({ timestampMs: timestampsMs[i]!, value }));
  for (const { timestampMs, histogram } of histograms) points.push({ timestampMs, value: histogram });
  return points.sort((a, b) => a.timestampMs - b.timestampMs);
}

function comparePoint(expected: DescribedValue, { value }: Point): string | undefined {
  if (expected.kind === "float" && typeof value === "number") return compareNumber(expected.value, value);
  if (expected.kind === "histogram" && typeof value !== "number") return compareHistogram(expected, value);
  return `expected a ${expected.kind}, got ${typeof value === "number" ? "a float" : formatNotation(value)}`;
}

function compareHistogram({ histogram, hasHint }: DescribedHistogram, value: Histogram): string | undefined {
  const expected = compactHistogram(histogram);
  const actual = compactHistogram(value);
  const isEqual =
    expected.schema === actual.schema &&
    expected.zeroThreshold === actual.zeroThreshold &&
    almostEqual(expected.count, actual.count) &&
    almostEqual(expected.sum, actual.sum) &&
    almostEqual(expected.zeroCount, actual.zeroCount) &&
    (!hasCustomBuckets(expected) || sameNumbers(expected.customBounds, actual.customBounds)) &&
    areAlmostEqual(expected.positive, actual.positive) &&
    areAlmostEqual(expected.negative, actual.negative) &&
    (!hasHint || expected.counterReset === actual.counterReset);
  return isEqual ? undefined : `expected ${formatNotation(histogram)}, got ${formatNotation(value)}`;
}

function areAlmostEqual(a: Buckets, b: Buckets): boolean {
  return sameNumbers(a.indices, b.indices) && a.counts.every((count, i) => almostEqual(count, b.counts[i]!));
}
