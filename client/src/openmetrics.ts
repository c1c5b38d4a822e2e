import type { LabelPair, MetricFamily, Sample } from "./family.ts";
import { escapeLabelValue, formatFloat, formatFloatCanonical } from "./format.ts";

/** Writes families in OpenMetrics 1.0 text, `# EOF` included. */
export function encodeOpenMetrics(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const { name, type } = openMetricsFamily(family);
    text += `# HELP ${name} ${escapeLabelValue(family.help)}\n# TYPE ${name} ${type}\n`;
    if (family.unit !== "") text += `# UNIT ${name} ${family.unit}\n`;
    for (const sample of family.samples) text += formatSample(sample, family);
  }
  return `${text}# EOF\n`;
}

/** Counters are named without `_total` here; one whose name lacks it cannot be a counter in this format. */
function openMetricsFamily(family: MetricFamily): { name: string; type: string } {
  if (family.type === "untyped") return { name: family.name, type: "unknown" };
  if (family.type !== "counter") return { name: family.name, type: family.type };
  if (!family.name.endsWith("_total")) return { name: family.name, type: "unknown" };
  return { name: family.name.slice(0, -"_total".length), type: "counter" };
}

function formatSample(sample: Sample, family: MetricFamily): string {
  const counts = sample.name.endsWith("_count") || sample.name.endsWith("_bucket");
  const integer = counts && (family.type === "histogram" || family.type === "summary");
  const value = integer ? formatFloat(sample.value) : formatFloatCanonical(sample.value);
  const timestamp = sample.timestampMs === undefined ? "" : ` ${sample.timestampMs / 1000}`;
  return `${sample.name}${formatLabels(sample.labels)} ${value}${timestamp}\n`;
}

function formatLabels(labels: readonly LabelPair[]): string {
  if (labels.length === 0) return "";
  let text = "{";
  for (const [name, value] of labels) {
    const canonical = name === "le" || name === "quantile" ? canonicalBound(value) : escapeLabelValue(value);
    text += `${text.length > 1 ? "," : ""}${name}="${canonical}"`;
  }
  return `${text}}`;
}

function canonicalBound(value: string): string {
  return /^-?[0-9]+$/.test(value) ? `${value}.0` : escapeLabelValue(value);
}
