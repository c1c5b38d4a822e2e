import type { LabelPair, MetricFamily, Sample } from "@narthex/client";

type Json = Record<string, unknown>;

/** Families as the JSON form of protobuf's `io.prometheus.client.MetricFamily`: whole numbers of 64 bits and special values are strings. */
export function encodeFamilies(families: readonly MetricFamily[]): Json[] {
  const filled = families.filter(({ samples }) => samples.length > 0);
  return filled.map((family) => ({
    name: family.name,
    help: family.help,
    type: family.type === "unknown" ? "UNTYPED" : family.type.toUpperCase(),
    metric: encodeMetrics(family),
    ...(family.unit !== "" && { unit: family.unit }),
  }));
}

/** Samples that differ in their bound alone are one metric. */
function encodeMetrics({ name, type, samples }: MetricFamily): Json[] {
  const groups = new Map<string, { labels: LabelPair[]; samples: Sample[] }>();
  for (const sample of samples) {
    const labels = sample.labels.filter(([label]) => label !== boundLabels[type]);
    const key = JSON.stringify(labels);
    const group = groups.get(key) ?? { labels, samples: [] };
    group.samples.push(sample);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, samples: own }) => ({
    ...(labels.length > 0 && { label: labels.map(([label, value]) => ({ name: label, value })) }),
    ...encodeValue(name, type, own),
  }));
}

const boundLabels: Readonly<Partial<Record<MetricFamily["type"], string>>> = {
  histogram: "le",
  summary: "quantile",
};

function encodeValue(name: string, type: MetricFamily["type"], samples: readonly Sample[]): Json {
  const valueOf = (suffix: string): number =>
    samples.find((sample) => sample.name === name + suffix)?.value ?? 0;
  const totals = { sampleCount: String(valueOf("_count")), sampleSum: encodeNumber(valueOf("_sum")) };
  switch (type) {
    case "counter":
    case "gauge":
      return { [type]: { value: encodeNumber(samples[0]!.value) } };
    case "histogram":
      return { histogram: { ...totals, ...unlessEmpty("bucket", encodeBuckets(name, samples)) } };
    case "summary":
      return { summary: { ...totals, ...unlessEmpty("quantile", encodeQuantiles(name, samples)) } };
    default:
      return { untyped: { value: encodeNumber(samples[0]!.value) } };
  }
}

/** The bucket without an upper bound is the count. */
function encodeBuckets(name: string, samples: readonly Sample[]): Json[] {
  return samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({ cumulativeCount: String(value), upperBound: boundOf(labels, "le") }))
    .filter(({ upperBound }) => Number.isFinite(upperBound));
}

function encodeQuantiles(name: string, samples: readonly Sample[]): Json[] {
  return samples
    .filter((sample) => sample.name === name)
    .map(({ labels, value }) => ({ quantile: boundOf(labels, "quantile"), value: encodeNumber(value) }));
}

function unlessEmpty(key: string, items: Json[]): Json {
  return items.length > 0 ? { [key]: items } : {};
}

function boundOf(labels: readonly LabelPair[], label: string): number {
  const text = labels.find(([name]) => name === label)?.[1];
  return text === "+Inf" ? Infinity : Number(text);
}

function encodeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
