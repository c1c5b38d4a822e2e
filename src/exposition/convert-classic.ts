import { NarthexError } from "../base/index.ts";
import {
  ClassicHistogram,
  Labels,
  LabelsBuilder,
  metricNameLabel,
  parseNumber,
  validateFloatHistogram,
  validateIntegerHistogram,
} from "../model/index.ts";
import type { FloatEntry, HistogramEntry, ScrapedEntry } from "./entry.ts";
import type { ParsedExemplar } from "./parser.ts";

const suffixPattern = /_(?:bucket|count|sum)$/;
const boundLabel = "le";

/** The series of one classic histogram that have come so far; they follow one another. */
interface Gathered {
  /** Of the native histogram. */
  readonly labels: Labels;
  readonly key: string;
  readonly startTimestampMs: number | undefined;
  readonly exemplars: ParsedExemplar[];
  classic: ClassicHistogram | undefined;
  timestampMs: number | undefined;
}

/**
 * Puts native histograms with custom buckets behind the classic ones of a text, or in their place. Only series whose family was said to be of
 * type histogram count. A classic histogram that contradicts itself has no native one, as upstream.
 */
export function* convertClassicHistograms(
  entries: Iterable<ScrapedEntry>,
  keepsClassic: boolean,
): Generator<ScrapedEntry> {
  let family = "";
  let gathered: Gathered | undefined;
  for (const entry of entries) {
    const exposed = entry.kind === "float" ? entry.labels() : undefined;
    const labels = exposed && classicLabels(exposed, family);
    const key = labels?.key();
    if (gathered !== undefined && gathered.key !== key) {
      yield* convert(gathered);
      gathered = undefined;
    }
    if (entry.kind === "family" && entry.type !== undefined)
      family = entry.type === "histogram" ? entry.name : "";
    if (entry.kind === "float" && labels !== undefined && key !== undefined) {
      const { startTimestampMs, timestampMs } = entry;
      const classic = new ClassicHistogram();
      gathered ??= { labels, key, startTimestampMs, exemplars: [], classic, timestampMs };
      gather(gathered, exposed!, entry);
      if (!keepsClassic) continue;
    }
    yield entry;
  }
  if (gathered !== undefined) yield* convert(gathered);
}

/** The labels of the native histogram that the series is a part of; undefined when it is none. */
function classicLabels(labels: Labels, family: string): Labels | undefined {
  const name = labels.get(metricNameLabel);
  const suffix = suffixPattern.exec(name)?.[0];
  if (suffix === undefined || family === "" || name.slice(0, -suffix.length) !== family) return undefined;
  const isBucket = suffix === "_bucket";
  const bound = parseNumber(labels.get(boundLabel));
  if (isBucket && (bound === undefined || Number.isNaN(bound))) return undefined;
  const builder = new LabelsBuilder(labels).set(metricNameLabel, family);
  if (isBucket) builder.delete(boundLabel);
  return builder.labels();
}

function gather(gathered: Gathered, exposed: Labels, { value, timestampMs, exemplars }: FloatEntry): void {
  const name = exposed.get(metricNameLabel);
  gathered.timestampMs = timestampMs;
  gathered.exemplars.push(...exemplars);
  try {
    if (name.endsWith("_bucket")) gathered.classic?.setBucket(parseNumber(exposed.get(boundLabel))!, value);
    else if (name.endsWith("_count")) gathered.classic?.setCount(value);
    else gathered.classic?.setSum(value);
  } catch (error) {
    forgive(error);
    gathered.classic = undefined;
  }
}

function* convert({ classic, labels, ...sample }: Gathered): Generator<HistogramEntry> {
  if (classic === undefined) return;
  try {
    const { histogram, isFloat } = classic.convert();
    if (isFloat) validateFloatHistogram(histogram);
    else validateIntegerHistogram(histogram);
    yield { kind: "histogram", histogram, isFloat, ...sample, labels: () => labels };
  } catch (error) {
    forgive(error);
  }
}

function forgive(error: unknown): void {
  if (!(error instanceof NarthexError) || error.code !== "bad_data") throw error;
}
