import type { LabelPair, MetricFamily } from "./family.ts";
import { escapeHelp, escapeLabelValue, formatFloat } from "./format.ts";

/** Writes families in the text format 0.0.4. */
export function encodeText(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    text += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
    for (const sample of family.samples) {
      const timestamp = sample.timestampMs === undefined ? "" : ` ${Math.trunc(sample.timestampMs)}`;
      text += `${sample.name}${formatLabels(sample.labels)} ${formatFloat(sample.value)}${timestamp}\n`;
    }
  }
  return text;
}

function formatLabels(labels: readonly LabelPair[]): string {
  if (labels.length === 0) return "";
  let text = "{";
  for (const [name, value] of labels) {
    text += `${text.length > 1 ? "," : ""}${name}="${escapeLabelValue(value)}"`;
  }
  return `${text}}`;
}
