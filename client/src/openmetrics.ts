import type { Exemplar, LabelPair, MetricFamily, Sample } from "./family.ts";
import { escapeLabelValue, formatFloat, formatFloatCanonical, formatName, formatSeries } from "./format.ts";

/** Writes families in OpenMetrics 1.0 text, `# EOF` included. */
export function encodeOpenMetrics(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const { name, type } = openMetricsFamily(family);
    if (family.help !== "") text += `# HELP ${formatName(name)} ${escapeLabelValue(family.help)}\n`;
    text += `# TYPE ${formatName(name)} ${type}\n`;
    if (family.unit !== "") text += `# UNIT ${formatName(name)} ${family.unit}\n`;
    for (const sample of family.samples) text += formatSample(sample, family);
  }
  return `${text}# EOF\n`;
}

/** Counters are named without `_total` here; one whose name lacks it cannot be a counter in this format. */
function openMetricsFamily({ name, type }: MetricFamily): { name: string; type: string } {
  if (type !== "counter") return { name, type };
  if (!name.endsWith("_total")) return { name, type: "unknown" };
  return { name: name.slice(0, -"_total".length), type };
}

function formatSample(
  { name, labels, value, timestampMs, exemplar }: Sample,
  { type }: MetricFamily,
): string {
  const distribution = type === "histogram" || type === "gaugehistogram" || type === "summary";
  const series = formatSeries(name, distribution ? labels.map(canonicalBound) : labels);
  const integer = distribution && /_(?:bucket|g?count)$/.test(name);
  const number = integer ? formatFloat(value) : formatFloatCanonical(value);
  return `${series} ${number}${formatTimestamp(timestampMs)}${formatExemplar(exemplar)}\n`;
}

function formatExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  // Without a name in front, this is just the braces, which an exemplar must have even when they are empty.
  const labels = exemplar.labels.length === 0 ? "{}" : formatSeries("x", exemplar.labels).slice(1);
  return ` # ${labels} ${formatFloatCanonical(exemplar.value)}${formatTimestamp(exemplar.timestampMs)}`;
}

function formatTimestamp(timestampMs: number | undefined): string {
  return timestampMs === undefined ? "" : ` ${timestampMs / 1000}`;
}

/** The bound of a bucket or quantile, as a number that says it is a float: `1.0`. */
function canonicalBound(pair: LabelPair): LabelPair {
  const [name, value] = pair;
  return (name === "le" || name === "quantile") && /^-?[0-9]+$/.test(value) ? [name, `${value}.0`] : pair;
}
