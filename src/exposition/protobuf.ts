import { formatFloatCanonical } from "@narthex/client";
import { errorMessage, NarthexError } from "../base/index.ts";
import {
  assembleHistogram,
  ClassicHistogram,
  compactHistogram,
  countsFromDeltas,
  type Histogram,
  isLabelName,
  isMetricName,
  Labels,
  metricNameLabel,
  type MetricMetadata,
  quoteGo,
  withCounterReset,
} from "../model/index.ts";
import type { EntryOptions, FloatEntry, HistogramEntry, ScrapedEntry } from "./entry.ts";
import type { ParsedExemplar } from "./parser.ts";
import { type MetricMessage, type HistogramMessage, readFamily } from "./protobuf-messages.ts";
import { WireReader } from "./wire.ts";

type FamilyHead = MetricMetadata & { name: string };

/**
 * Reads a scraped body of length-delimited `io.prometheus.client.MetricFamily` messages: of each family itself, then its samples in
 * upstream's order. Histograms come without empty buckets, and are not yet validated. Throws `bad_data` where the bytes are malformed;
 * what came before stands.
 */
export function* decodeProtobuf(bytes: Uint8Array, options: EntryOptions = {}): Generator<ScrapedEntry> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new WireReader(buffer);
  while (!reader.isAtEnd) {
    const { metrics, ...family } = readFamily(reader.delimited());
    if (!isMetricName(family.name)) throw malformed(`invalid metric name: ${family.name}`);
    yield { kind: "family", ...family };
    for (const metric of metrics) yield* new MetricSamples(family, metric(), options).all();
  }
}

/** The samples that one metric stands for. */
class MetricSamples {
  readonly #family: FamilyHead;
  readonly #metric: MetricMessage;
  readonly #options: EntryOptions;

  constructor(family: FamilyHead, metric: MetricMessage, options: EntryOptions) {
    this.#family = family;
    this.#metric = metric;
    this.#options = options;
  }

  *all(): Generator<ScrapedEntry> {
    const { value, exemplar } = this.#metric;
    const { type } = this.#family;
    if (type === "summary") yield* this.#summary();
    else if (type === "histogram" || type === "gaugehistogram") yield* this.#histogram();
    else yield this.#float("", value, undefined, exemplar);
  }

  *#summary(): Generator<ScrapedEntry> {
    const { count, sum, quantiles } = this.#metric;
    yield this.#float("_count", count);
    yield this.#float("_sum", sum);
    for (const { quantile, value } of quantiles) yield this.#float("", value, ["quantile", quantile]);
  }

  *#histogram(): Generator<ScrapedEntry> {
    const { histogram } = this.#metric;
    const { ignoreNativeHistograms, keepClassicHistograms, convertClassicHistograms } = this.#options;
    if (isNative(histogram) && ignoreNativeHistograms !== true) {
      yield this.#native(nativeHistogram(this.#family, histogram));
      if (keepClassicHistograms === true && histogram.buckets.length > 0) yield* this.#classic();
      return;
    }
    const converts = convertClassicHistograms === true;
    if (!converts || keepClassicHistograms === true) yield* this.#classic();
    if (converts) yield this.#native(convertedHistogram(this.#family, histogram));
  }

  *#classic(): Generator<ScrapedEntry> {
    const { histogram } = this.#metric;
    const count = observations(histogram);
    yield this.#float("_count", count);
    yield this.#float("_sum", histogram.sum);
    let last = -Infinity;
    for (const { upperBound, count: upTo, exemplar } of histogram.buckets) {
      yield this.#float("_bucket", upTo, ["le", (last = upperBound)], exemplar);
      if (last === Infinity) return;
    }
    yield this.#float("_bucket", count, ["le", Infinity]);
  }

  #float(
    suffix: string,
    value: number,
    bound?: [name: string, value: number],
    exemplar?: ParsedExemplar,
  ): FloatEntry {
    const exemplars = exemplar === undefined ? [] : [exemplar];
    return { kind: "float", value, exemplars, ...this.#about(suffix, bound) };
  }

  #native(histogram: { histogram: Histogram; isFloat: boolean }): HistogramEntry {
    const exemplars = nativeExemplars(this.#metric.histogram);
    return { kind: "histogram", ...histogram, exemplars, ...this.#about("") };
  }

  #about(
    suffix: string,
    bound?: [name: string, value: number],
  ): Pick<FloatEntry, "key" | "labels" | "timestampMs" | "startTimestampMs"> {
    const { labelsKey, timestampMs, startTimestampMs } = this.#metric;
    const name = this.#family.name + suffix;
    // Each part shows where it ends, the last one at the end.
    const key = `${suffix}|${bound?.[1] ?? ""}|${labelsKey}|${name}`;
    return { key, labels: () => labelsOf(name, this.#metric, bound), timestampMs, startTimestampMs };
  }
}

function observations({ count, countFloat }: HistogramMessage): number {
  return countFloat || count;
}

function convertedHistogram(
  { name, type }: FamilyHead,
  message: HistogramMessage,
): { histogram: Histogram; isFloat: boolean } {
  const classic = new ClassicHistogram();
  try {
    classic.setCount(observations(message));
    classic.setSum(message.sum);
    for (const { upperBound, count } of message.buckets) classic.setBucket(upperBound, count);
    const { histogram, isFloat } = classic.convert();
    const hint = type === "gaugehistogram" ? "gauge" : "unknown";
    return { histogram: withCounterReset(histogram, hint), isFloat };
  } catch (error) {
    throw malformed(`histogram ${quoteGo(name)}: ${errorMessage(error)}`);
  }
}

/** A native histogram that has not observed anything says so with a span of no buckets. */
function isNative(histogram: HistogramMessage): boolean {
  const { positiveSpans, negativeSpans, zeroThreshold, zeroCount } = histogram;
  return positiveSpans.length > 0 || negativeSpans.length > 0 || zeroThreshold > 0 || zeroCount > 0;
}

function nativeHistogram(
  family: FamilyHead,
  message: HistogramMessage,
): { histogram: Histogram; isFloat: boolean } {
  const isFloat = message.countFloat > 0 || message.zeroCountFloat > 0;
  const positiveCounts = isFloat ? message.positiveCounts : countsFromDeltas(message.positiveDeltas);
  const negativeCounts = isFloat ? message.negativeCounts : countsFromDeltas(message.negativeDeltas);
  checkSpans(family.name, "positive", message.positiveSpans, positiveCounts.length);
  checkSpans(family.name, "negative", message.negativeSpans, negativeCounts.length);
  const { schema, zeroThreshold, sum, positiveSpans, negativeSpans } = message;
  try {
    const histogram = assembleHistogram({
      schema,
      zeroThreshold,
      sum,
      counterReset: family.type === "gaugehistogram" ? "gauge" : "unknown",
      count: isFloat ? message.countFloat : message.count,
      zeroCount: isFloat ? message.zeroCountFloat : message.zeroCount,
      positiveSpans,
      negativeSpans,
      positiveCounts,
      negativeCounts,
    });
    return { histogram: compactHistogram(histogram), isFloat };
  } catch (error) {
    throw malformed(`histogram ${quoteGo(family.name)}: ${errorMessage(error)}`);
  }
}

function checkSpans(name: string, side: string, spans: readonly { length: number }[], counts: number): void {
  const total = spans.reduce((sum, { length }) => sum + length, 0);
  if (total === counts) return;
  throw malformed(`histogram ${quoteGo(name)}: ${side} side: spans require ${total} buckets, have ${counts}`);
}

/** Only those with a time can be told apart later; where the histogram has none of its own, its classic buckets may. */
function nativeExemplars({ exemplars, buckets }: HistogramMessage): ParsedExemplar[] {
  const all = exemplars.length > 0 ? exemplars : buckets.flatMap(({ exemplar }) => exemplar ?? []);
  return all.filter(({ timestampMs }) => timestampMs !== undefined);
}

function labelsOf(name: string, { labels }: MetricMessage, bound?: [name: string, value: number]): Labels {
  const all = new Map([[metricNameLabel, name]]);
  const add = (label: string, value: string): void => {
    if (!isLabelName(label)) throw malformed(`invalid label name: ${label}`);
    if (all.has(label))
      throw malformed(`metric ${quoteGo(name)}: label name ${quoteGo(label)} is not unique`);
    all.set(label, value);
  };
  for (const [label, value] of labels()) add(label, value);
  if (bound !== undefined) add(bound[0], formatFloatCanonical(bound[1]));
  return Labels.from(all);
}

function malformed(reason: string): NarthexError {
  return new NarthexError("bad_data", reason);
}
