import type { MetricFamily, MetricType } from "./family.ts";
import { escapeHelp, formatFloat, formatName, formatSeries } from "./format.ts";

/** Writes families in the text format 0.0.4. It has no place for units and exemplars, which are left out. */
export function encodeText(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const name = formatName(family.name);
    if (family.help !== "") text += `# HELP ${name} ${escapeHelp(family.help)}\n`;
    text += `# TYPE ${name} ${textType(family.type)}\n`;
    for (const sample of family.samples) {
      const timestamp = sample.timestampMs === undefined ? "" : ` ${Math.trunc(sample.timestampMs)}`;
      text += `${formatSeries(sample.name, sample.labels)} ${formatFloat(sample.value)}${timestamp}\n`;
    }
  }
  return text;
}

/** The types this format knows are fewer. */
function textType(type: MetricType): string {
  if (type === "info" || type === "stateset") return "gauge";
  return type === "unknown" || type === "gaugehistogram" ? "untyped" : type;
}
