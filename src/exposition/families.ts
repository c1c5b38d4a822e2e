import type { Exemplar, LabelPair, MetricFamily, MetricType, Sample } from "@narthex/client";
import { type Labels, metricNameLabel } from "../model/index.ts";
import { createParser, type TextFormat } from "./create-parser.ts";
import type { ParsedExemplar } from "./parser.ts";

/** The endings of sample names, by the type of the family they belong to. */
const suffixes: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  gaugehistogram: ["_bucket", "_gsum", "_gcount"],
  summary: ["_sum", "_count", "_created"],
  info: ["_info"],
  stateset: [],
  unknown: [],
};
const allSuffixes = [...new Set(Object.values(suffixes).flat())];

interface FamilyDraft {
  name: string;
  type: MetricType;
  help: string;
  unit: string;
  samples: Sample[];
}

/**
 * Reads a whole text into families, in the order in which they first appear. Samples without a declared family make one of
 * type `unknown`. OpenMetrics counters get their `_total` back in the family's name. Throws `ExpositionError`.
 */
export function decodeFamilies(bytes: Uint8Array, format: TextFormat): MetricFamily[] {
  const families = new Map<string, FamilyDraft>();
  const parser = createParser(bytes, format, { boundsAsWritten: true });
  for (let kind = parser.next(); kind !== "end"; kind = parser.next()) {
    switch (kind) {
      case "type":
        draft(families, parser.metricName()).type = parser.type;
        break;
      case "help":
        draft(families, parser.metricName()).help = parser.text();
        break;
      case "unit":
        draft(families, parser.metricName()).unit = parser.text();
        break;
      case "series": {
        const name = parser.metricName();
        (familyOf(families, name) ?? draft(families, name)).samples.push({
          name,
          labels: withoutName(parser.labels()),
          value: parser.value,
          timestampMs: parser.timestampMs,
          exemplar: toExemplar(parser.exemplar()),
        });
        break;
      }
      case "comment":
        break;
    }
  }
  const found = [...families.values()];
  if (format === "openmetrics") for (const family of found) restoreTotal(family);
  return found;
}

function draft(families: Map<string, FamilyDraft>, name: string): FamilyDraft {
  let family = families.get(name);
  if (family === undefined) {
    family = { name, type: "unknown", help: "", unit: "", samples: [] };
    families.set(name, family);
  }
  return family;
}

function familyOf(families: ReadonlyMap<string, FamilyDraft>, sampleName: string): FamilyDraft | undefined {
  for (const suffix of allSuffixes) {
    if (!sampleName.endsWith(suffix)) continue;
    const family = families.get(sampleName.slice(0, -suffix.length));
    if (family !== undefined && suffixes[family.type].includes(suffix)) return family;
  }
  return families.get(sampleName);
}

function restoreTotal(family: FamilyDraft): void {
  if (family.type === "counter" && !family.name.endsWith("_total")) family.name += "_total";
}

function toExemplar(exemplar: ParsedExemplar | undefined): Exemplar | undefined {
  return exemplar && { ...exemplar, labels: [...exemplar.labels] };
}

function withoutName(labels: Labels): LabelPair[] {
  return [...labels].filter(([name]) => name !== metricNameLabel);
}
