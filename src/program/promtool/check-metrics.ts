import { decodeFamilies, type MetricFamily } from "../../exposition/index.ts";
import { compareStrings } from "../../model/index.ts";

/** A breach of the conventions for metrics. */
export interface Problem {
  readonly metric: string;
  readonly text: string;
}

type Rule = (family: MetricFamily) => string[];

const when = (isBroken: boolean, text: string): string[] => (isBroken ? [text] : []);
const isTyped = ({ type }: MetricFamily): boolean => type !== "unknown";
const hasLabel = ({ samples }: MetricFamily, label: string): boolean =>
  samples.some(({ labels }) => labels.some(([name]) => name === label));

const baseUnits: Readonly<Record<string, readonly string[]>> = {
  amperes: [],
  bytes: ["bits"],
  celsius: ["fahrenheit", "rankine"],
  grams: ["pounds", "ounces"],
  joules: ["calories"],
  kelvin: ["kelvins"],
  meters: ["metres", "inches", "yards", "miles"],
  moles: [],
  seconds: ["minutes", "hours", "days", "weeks"],
  volts: [],
};
const baseOf = new Map(
  Object.entries(baseUnits).flatMap(([base, others]) => [base, ...others].map((unit) => [unit, base])),
);
const prefix =
  /^(?:pico|nano|micro|milli|centi|deci|deca|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi)/;
const typeNames = ["counter", "gauge", "summary", "histogram", "gauge_histogram"];
const abbreviation = /_(?:s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(?:_|$)/;
const camelCase = /[a-z][A-Z]/;

const rules: readonly Rule[] = [
  ({ help }) => when(help === "", "no help text"),
  ({ name }) => {
    for (const part of name.split("_")) {
      const base = baseOf.get(part) ?? baseOf.get(part.replace(prefix, ""));
      if (base !== undefined)
        return when(
          part !== base,
          `use base unit ${JSON.stringify(base)} instead of ${JSON.stringify(part)}`,
        );
    }
    return [];
  },
  (family) => {
    if (!isTyped(family)) return [];
    const hasSuffix = family.name.endsWith("_total");
    return family.type === "counter"
      ? when(!hasSuffix, 'counter metrics should have "_total" suffix')
      : when(hasSuffix, 'non-counter metrics should not have "_total" suffix');
  },
  (family) => {
    if (!isTyped(family)) return [];
    const { name, type } = family;
    const isHistogram = type === "histogram";
    const isSummary = type === "summary";
    return [
      ...when(
        !isHistogram && name.endsWith("_bucket"),
        'non-histogram metrics should not have "_bucket" suffix',
      ),
      ...["_count", "_sum"].flatMap((suffix) =>
        when(
          !isHistogram && !isSummary && name.endsWith(suffix),
          `non-histogram and non-summary metrics should not have "${suffix}" suffix`,
        ),
      ),
      ...when(!isHistogram && hasLabel(family, "le"), 'non-histogram metrics should not have "le" label'),
      ...when(
        !isSummary && hasLabel(family, "quantile"),
        'non-summary metrics should not have "quantile" label',
      ),
    ];
  },
  (family) => {
    const name = `${family.name.toLowerCase()}_`;
    const found = isTyped(family) ? typeNames.filter((type) => name.includes(`_${type}_`)) : [];
    return found.map((type) => `metric name should not include type '${type}'`);
  },
  ({ name }) => when(name.includes(":"), "metric names should not contain ':'"),
  ({ name }) => when(camelCase.test(name), "metric names should be written in 'snake_case' not 'camelCase'"),
  ({ samples }) =>
    samples
      .flatMap(({ labels }) => labels.filter(([name]) => camelCase.test(name)))
      .map(() => "label names should be written in 'snake_case' not 'camelCase'"),
  ({ name }) =>
    when(abbreviation.test(name.toLowerCase()), "metric names should not contain abbreviated units"),
];

/** What an exposition does against the conventions, by metric. Throws ExpositionError. */
export function lintMetrics(bytes: Uint8Array): Problem[] {
  return decodeFamilies(bytes, "text")
    .flatMap((family) => rules.flatMap((rule) => rule(family)).map((text) => ({ metric: family.name, text })))
    .sort((a, b) => compareStrings(a.metric, b.metric) || compareStrings(a.text, b.text));
}

/** A table of how many series each metric has, most first. Throws ExpositionError. */
export function formatCardinality(bytes: Uint8Array): string {
  const families = decodeFamilies(bytes, "text").filter(({ samples }) => samples.length > 0);
  const total = families.reduce((sum, { samples }) => sum + samples.length, 0);
  const rows = families
    .map(({ name, samples }) => ({ name, count: samples.length }))
    .sort((a, b) => b.count - a.count)
    .map(({ name, count }) => [name, String(count), `${((100 * count) / total).toFixed(2)}%`]);
  const cells = [["Metric", "Cardinality", "Percentage"], ...rows, ["Total", String(total), "100%"]];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)) + 4);
  return cells.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i]!)).join("")}\n`).join("");
}
