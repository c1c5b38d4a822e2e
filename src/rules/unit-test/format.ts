import { formatExponent, formatNotation, formatShortest, type Labels } from "../../model/index.ts";
import type { MatrixSeries } from "../../promql/index.ts";
import type { AlertTexts } from "./file.ts";

/** A sample as it is compared: its value, or its histogram in the notation of test series. */
export interface ComparedSample {
  readonly labels: Labels;
  readonly value: number;
  /** Empty for a float. */
  readonly histogram: string;
}

export function formatSamples(samples: readonly ComparedSample[]): string {
  if (samples.length === 0) return "nil";
  return samples
    .map(({ labels, value, histogram }) => `${labels.toString()} ${histogram || formatUpperExponent(value)}`)
    .join(", ");
}

function formatUpperExponent(value: number): string {
  return formatExponent(value).replace("e", "E");
}

/** Numbered and indented, so that two lists can be laid side by side. */
export function formatAlerts(alerts: readonly AlertTexts[]): string {
  if (alerts.length === 0) return "[]";
  const items = alerts.map(({ labels, annotations }, i) => {
    const text = `\nLabels:${labels.toString()}\nAnnotations:${annotations.toString()}`;
    return `${i}:${indentLines(text, "  ")}`;
  });
  return `[\n${items.join(",\n")}\n]`;
}

/** Every line but the first gets the indent. */
export function indentLines(text: string, indent: string): string {
  return text.replaceAll("\n", `\n${indent}`);
}

/** All samples of a range, each on a line. */
export function formatMatrix(all: readonly MatrixSeries[]): string {
  return all
    .map(({ labels, timestampsMs, values, histograms = [] }) => {
      const floats = values.map((value, i) => ({
        timestampMs: timestampsMs[i]!,
        text: formatShortest(value),
      }));
      const others = histograms.map(({ timestampMs, histogram }) => ({
        timestampMs,
        text: formatNotation(histogram),
      }));
      const lines = [...floats, ...others]
        .sort((a, b) => a.timestampMs - b.timestampMs)
        .map(({ timestampMs, text }) => `${text} @[${timestampMs}]`);
      return `${labels.toMetricString()} =>\n${lines.join("\n")}`;
    })
    .join("\n");
}
