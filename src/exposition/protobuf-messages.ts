import { NarthexError } from "../base/index.ts";
import { Labels, type MetricType, type Span } from "../model/index.ts";
import type { ParsedExemplar } from "./parser.ts";
import type { WireReader } from "./wire.ts";

/** The messages of `io.prometheus.client`, field by field as metrics.proto numbers them. What is absent is zero or empty. */
export interface FamilyMessage {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly unit: string;
  /** Each is read when it is called, so that a large family is never in memory as a whole. */
  readonly metrics: readonly (() => MetricMessage)[];
}

export interface MetricMessage {
  /** The bytes of the labels: most are known from the scrape before, and need not be read. */
  labelsKey: string;
  labels: () => [name: string, value: string][];
  /** Of a counter, gauge or untyped metric. */
  value: number;
  exemplar: ParsedExemplar | undefined;
  /** Of a summary. */
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
  histogram: HistogramMessage;
  timestampMs: number | undefined;
  startTimestampMs: number | undefined;
}

export interface HistogramMessage {
  count: number;
  countFloat: number;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  zeroCountFloat: number;
  buckets: { count: number; upperBound: number; exemplar: ParsedExemplar | undefined }[];
  positiveSpans: Span[];
  negativeSpans: Span[];
  positiveDeltas: number[];
  negativeDeltas: number[];
  positiveCounts: number[];
  negativeCounts: number[];
  exemplars: ParsedExemplar[];
}

/** Every bucket and quantile becomes a series with all labels, so a small message could ask for many: beyond these it is refused. */
const labelsMax = 1_000;
const bucketsMax = 20_000;

const types: readonly MetricType[] = [
  "counter",
  "gauge",
  "summary",
  "unknown",
  "histogram",
  "gaugehistogram",
];

export function readFamily(reader: WireReader): FamilyMessage {
  let name = "";
  let help = "";
  let unit = "";
  let type = 0;
  const metrics: WireReader[] = [];
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) help = reader.text();
    else if (reader.field === 3) type = reader.uint();
    else if (reader.field === 4) metrics.push(reader.message());
    else if (reader.field === 5) unit = reader.text();
  }
  const known = types[type];
  if (known === undefined)
    throw new NarthexError("bad_data", `unknown metric type for metric ${JSON.stringify(name)}: ${type}`);
  return { name, help, unit, type: known, metrics: metrics.map((metric) => () => readMetric(metric)) };
}

function readMetric(reader: WireReader): MetricMessage {
  const labels: WireReader[] = [];
  const metric: MetricMessage = {
    labelsKey: "",
    labels: () => labels.map((label) => readLabel(label.again())),
    value: 0,
    exemplar: undefined,
    count: 0,
    sum: 0,
    quantiles: [],
    histogram: noHistogram,
    timestampMs: undefined,
    startTimestampMs: undefined,
  };
  while (reader.next()) {
    if (reader.field === 1) {
      const label = reader.message();
      labels.push(label);
      metric.labelsKey += label.latin1();
      checkCount("labels", labels.length, labelsMax);
    } else if (reader.field === 2 || reader.field === 5) metric.value = readValue(reader.message());
    else if (reader.field === 3) readCounter(reader.message(), metric);
    else if (reader.field === 4) readSummary(reader.message(), metric);
    else if (reader.field === 6) metric.timestampMs = reader.int() || undefined;
    else if (reader.field === 7) readHistogram(reader.message(), metric);
  }
  return metric;
}

function readValue(reader: WireReader): number {
  let value = 0;
  while (reader.next()) if (reader.field === 1) value = reader.double();
  return value;
}

function readCounter(reader: WireReader, metric: MetricMessage): void {
  while (reader.next()) {
    if (reader.field === 1) metric.value = reader.double();
    else if (reader.field === 2) metric.exemplar = readExemplar(reader.message());
    else if (reader.field === 3) metric.startTimestampMs = readTimestamp(reader.message());
  }
}

function readSummary(reader: WireReader, metric: MetricMessage): void {
  while (reader.next()) {
    if (reader.field === 1) metric.count = reader.uint();
    else if (reader.field === 2) metric.sum = reader.double();
    else if (reader.field === 3) {
      metric.quantiles.push(readQuantile(reader.message()));
      checkCount("quantiles", metric.quantiles.length, bucketsMax);
    } else if (reader.field === 4) metric.startTimestampMs = readTimestamp(reader.message());
  }
}

function readQuantile(reader: WireReader): { quantile: number; value: number } {
  const quantile = { quantile: 0, value: 0 };
  while (reader.next()) {
    if (reader.field === 1) quantile.quantile = reader.double();
    else if (reader.field === 2) quantile.value = reader.double();
  }
  return quantile;
}

function readHistogram(reader: WireReader, metric: MetricMessage): void {
  const histogram = metric.histogram === noHistogram ? emptyHistogram() : metric.histogram;
  metric.histogram = histogram;
  const readers: Readonly<Record<number, () => void>> = {
    1: () => (histogram.count = reader.uint()),
    2: () => (histogram.sum = reader.double()),
    3: () => histogram.buckets.push(readBucket(reader.message())),
    4: () => (histogram.countFloat = reader.double()),
    5: () => (histogram.schema = reader.sint()),
    6: () => (histogram.zeroThreshold = reader.double()),
    7: () => (histogram.zeroCount = reader.uint()),
    8: () => (histogram.zeroCountFloat = reader.double()),
    9: () => histogram.negativeSpans.push(readSpan(reader.message())),
    10: () => reader.pushSints(histogram.negativeDeltas),
    11: () => reader.pushDoubles(histogram.negativeCounts),
    12: () => histogram.positiveSpans.push(readSpan(reader.message())),
    13: () => reader.pushSints(histogram.positiveDeltas),
    14: () => reader.pushDoubles(histogram.positiveCounts),
    15: () => (metric.startTimestampMs = readTimestamp(reader.message())),
    16: () => histogram.exemplars.push(readExemplar(reader.message())),
  };
  while (reader.next()) readers[reader.field]?.();
  checkCount("buckets", histogram.buckets.length, bucketsMax);
}

function emptyHistogram(): HistogramMessage {
  return {
    count: 0,
    countFloat: 0,
    sum: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    zeroCountFloat: 0,
    buckets: [],
    positiveSpans: [],
    negativeSpans: [],
    positiveDeltas: [],
    negativeDeltas: [],
    positiveCounts: [],
    negativeCounts: [],
    exemplars: [],
  };
}

const noHistogram = emptyHistogram();

function readBucket(reader: WireReader): HistogramMessage["buckets"][number] {
  let count = 0;
  let countFloat = 0;
  let upperBound = 0;
  let exemplar: ParsedExemplar | undefined;
  while (reader.next()) {
    if (reader.field === 1) count = reader.uint();
    else if (reader.field === 2) upperBound = reader.double();
    else if (reader.field === 3) exemplar = readExemplar(reader.message());
    else if (reader.field === 4) countFloat = reader.double();
  }
  return { count: countFloat || count, upperBound, exemplar };
}

function readSpan(reader: WireReader): Span {
  const span = { offset: 0, length: 0 };
  while (reader.next()) {
    if (reader.field === 1) span.offset = reader.sint();
    else if (reader.field === 2) span.length = reader.uint();
  }
  return span;
}

function readExemplar(reader: WireReader): ParsedExemplar {
  const labels: [string, string][] = [];
  let value = 0;
  let timestampMs: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) {
      labels.push(readLabel(reader.message()));
      checkCount("labels", labels.length, labelsMax);
    } else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) timestampMs = readTimestamp(reader.message());
  }
  return { labels: Labels.from(labels), value, timestampMs };
}

function readLabel(reader: WireReader): [name: string, value: string] {
  let name = "";
  let value = "";
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) value = reader.text();
  }
  return [name, value];
}

/** A `google.protobuf.Timestamp`, in milliseconds. */
function readTimestamp(reader: WireReader): number {
  let seconds = 0;
  let nanoseconds = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int();
    else if (reader.field === 2) nanoseconds = reader.int();
  }
  return seconds * 1000 + Math.trunc(nanoseconds / 1_000_000);
}

function checkCount(what: string, count: number, max: number): void {
  if (count > max) throw new NarthexError("bad_data", `protobuf: a metric has more than ${max} ${what}`);
}
