import { NarthexError } from "../../base/index.ts";
import { type HistogramJson, Labels } from "../../model/index.ts";

type Point = readonly [seconds: number, value: string];

/** A series of the API's answer. */
export interface AnalyzedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly Point[];
  readonly histograms?: readonly (readonly [seconds: number, histogram: HistogramJson])[];
}

/** How many buckets a histogram has that are not empty, over time, and how many altogether. */
interface BucketStats {
  readonly min: number;
  readonly average: number;
  readonly max: number;
  readonly total: number;
}

const header = `Bucket stats for each histogram series over time
------------------------------------------------
First the min, avg, and max number of populated buckets, followed by the total
number of buckets (only if different from the max number of populated buckets
which is typical for classic but not native histograms).

`;
const footer = `
Aggregated bucket stats
-----------------------
Each line shows min/avg/max over the series above.
`;

/** Counts the buckets of the histograms that selectors find, of each what `ask` answers. Throws `execution` when their buckets are not of the same times. */
export async function analyzeHistograms(
  selectors: readonly string[],
  ask: (selector: string) => Promise<readonly AnalyzedSeries[]>,
  out: (text: string) => void,
): Promise<void> {
  const found: { native: BucketStats[]; classic: BucketStats[] } = { native: [], classic: [] };
  const take = (kind: keyof typeof found, name: string, stats: BucketStats | undefined): void => {
    if (stats === undefined) return;
    out(`- ${name} (${kind}): ${formatStats(stats)}\n`);
    found[kind].push(stats);
  };
  out(header);
  for (const selector of selectors) {
    const all = await ask(selector);
    // A series of both kinds counts as classic.
    for (const series of all)
      if (!isFloat(series)) take("native", Labels.from(series.metric).toMetricString(), nativeStats(series));
    const classic = Map.groupBy(all.filter(isBucket), classicName);
    for (const [name, buckets] of classic) take("classic", name, classicStats(buckets));
  }
  out(footer);
  if (found.native.length > 0) out(`\nNative ${summarize(found.native)}`);
  if (found.classic.length > 0) out(`\nClassic ${summarize(found.classic)}`);
}

function isFloat({ values = [] }: AnalyzedSeries): boolean {
  return values.length > 0;
}

function isBucket(series: AnalyzedSeries): boolean {
  const { __name__: name = "", le } = series.metric;
  return isFloat(series) && le !== undefined && name.endsWith("_bucket");
}

function classicName({ metric }: AnalyzedSeries): string {
  const { __name__: name, le: _, ...labels } = metric;
  return `${name}${Labels.from(labels).toString()}`;
}

/** Undefined of a single histogram. */
function nativeStats({ histograms = [] }: AnalyzedSeries): BucketStats | undefined {
  if (histograms.length < 2) return undefined;
  const buckets = histograms.map(([, histogram]) => histogram.buckets ?? []);
  const bounds = buckets.flat().map(([boundaries, lower, upper]) => `${boundaries} ${lower} ${upper}`);
  return statsOf(
    buckets.map(({ length }) => length),
    new Set(bounds).size,
  );
}

/** Undefined of a single sample. The series are the buckets. */
function classicStats(series: readonly AnalyzedSeries[]): BucketStats | undefined {
  const boundOf = ({ metric }: AnalyzedSeries): number => Number(metric["le"]!.replace("Inf", "Infinity"));
  const buckets = series.toSorted((a, b) => boundOf(a) - boundOf(b)).map(({ values = [] }) => values);
  if (buckets[0]!.length < 2) return undefined;
  return statsOf(
    buckets[0]!.map((_, time) => countPopulated(buckets, time)),
    buckets.length,
  );
}

/** Buckets that count more than the one before, as far as all have a sample. */
function countPopulated(buckets: readonly (readonly Point[])[], time: number): number {
  let populated = 0;
  let before: Point | undefined;
  for (const bucket of buckets) {
    const point = bucket[time];
    if (point === undefined) break;
    if (before !== undefined && before[0] !== point[0])
      throw new NarthexError("execution", "matrix result is not time aligned");
    if (Math.trunc(Number(point[1]) - Number(before?.[1] ?? 0)) !== 0) populated++;
    before = point;
  }
  return populated;
}

function statsOf(populated: readonly number[], total: number): BucketStats {
  return { ...distributionOf(populated), total };
}

function distributionOf(values: readonly number[]): Omit<BucketStats, "total"> {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { min: Math.min(...values), average, max: Math.max(...values) };
}

function formatStats(stats: BucketStats): string {
  const text = formatDistribution(stats);
  return stats.max === stats.total ? text : `${text}/${stats.total}`;
}

function formatDistribution({ min, average, max }: Omit<BucketStats, "total">): string {
  return `${min}/${average.toFixed(3)}/${max}`;
}

function summarize(all: readonly BucketStats[]): string {
  const line = (what: string, valueOf: (stats: BucketStats) => number): string =>
    `- ${what}: ${formatDistribution(distributionOf(all.map(valueOf)))}\n`;
  const [max, total] = [
    line("max populated", ({ max: value }) => value),
    line("total", ({ total: value }) => value),
  ];
  const hasMore = max.split(": ")[1] !== total.split(": ")[1];
  return [
    `histogram series (${all.length} in total):\n`,
    line("min populated", ({ min }) => min),
    line("avg populated", ({ average }) => Math.trunc(average)),
    max,
    hasMore ? total : "",
  ].join("");
}
