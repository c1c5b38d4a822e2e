/** How numbers, strings and series are printed in both text formats. */

import type { LabelPair } from "./family.ts";
import { isMetricName, isPlainLabelName } from "./name.ts";

/** The shortest decimal that reads back as `value`, in the form of Go's `%g`: `1e+06`, `0.25`, `+Inf`, `NaN`. */
export function formatFloat(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return String(value);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const text = value.toExponential();
  const digits = text.length - text.indexOf("e") - 2;
  return digits === 1 ? `${text.slice(0, -1)}0${text.slice(-1)}` : text;
}

/** As {@link formatFloat}, but never an integer literal: `1.0`. OpenMetrics wants it so for `le` and `quantile`. */
export function formatFloatCanonical(value: number): string {
  const text = formatFloat(value);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

export function escapeHelp(help: string): string {
  return /[\\\n]/.test(help) ? help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n") : help;
}

/** For label values everywhere, and for help texts in OpenMetrics. */
export function escapeLabelValue(value: string): string {
  if (!/[\\\n"]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** `name{a="b"}`, or `{"my.name","my.label"="b"}` where a name needs quotes. */
export function formatSeries(name: string, labels: readonly LabelPair[]): string {
  const plain = isMetricName(name);
  if (plain && labels.length === 0) return name;
  let text = plain ? `${name}{` : `{${formatName(name)}`;
  let separator = plain ? "" : ",";
  for (const [label, value] of labels) {
    text += `${separator}${isPlainLabelName(label) ? label : `"${escapeLabelValue(label)}"`}="${escapeLabelValue(value)}"`;
    separator = ",";
  }
  return `${text}}`;
}

/** A metric name as it stands in `# HELP` and `# TYPE` lines: in quotes where it needs them. */
export function formatName(name: string): string {
  return isMetricName(name) ? name : `"${escapeLabelValue(name)}"`;
}
