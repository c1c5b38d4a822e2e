/** Label sets as text, in PromQL's spelling. */

export type Labels = Readonly<Record<string, string>>;

const legacyName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const legacyMetricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** A PromQL string literal in double quotes. */
export function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}

/** A label's name as PromQL takes it: in quotes where it is no plain word. */
export const formatLabelName = (name: string): string => (legacyName.test(name) ? name : quote(name));

/** The labels but for `__name__`, in the order the server sent them. */
export const labelPairs = (labels: Labels): [name: string, value: string][] =>
  Object.entries(labels).filter(([name]) => name !== "__name__");

/** `name{a="b"}`, with a UTF-8 name inside the braces: `{"my.name", a="b"}`; the empty label set is `{}`. */
export function formatLabels(labels: Labels): string {
  const name = labels["__name__"];
  const pairs = labelPairs(labels).map(([label, value]) => `${formatLabelName(label)}=${quote(value)}`);
  if (name === undefined) return `{${pairs.join(", ")}}`;
  if (!legacyMetricName.test(name)) return `{${[quote(name), ...pairs].join(", ")}}`;
  return pairs.length === 0 ? name : `${name}{${pairs.join(", ")}}`;
}

/**
 * The label names whose values differ among the sets, `__name__` included: what a legend has to show.
 * A single set shows everything it has.
 */
export function varyingLabels(sets: readonly Labels[]): Set<string> {
  const first = sets[0];
  const varying = new Set<string>();
  if (first === undefined) return varying;
  for (const labels of sets) {
    for (const name of [...Object.keys(labels), ...Object.keys(first)]) {
      if (sets.length === 1 || labels[name] !== first[name]) varying.add(name);
    }
  }
  return varying;
}

/** Whether every word of the search occurs in one of the texts, letter case aside. An empty search matches all. */
export function matchesSearch(search: string, texts: readonly string[]): boolean {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return true;
  const lower = texts.map((text) => text.toLowerCase());
  return words.every((word) => lower.some((text) => text.includes(word)));
}

/** What a label set offers to `matchesSearch`: each pair as `name="value"` and as `name=value`. */
export const searchTexts = (labels: Labels): string[] =>
  Object.entries(labels).flatMap(([name, value]) => [`${name}="${value}"`, `${name}=${value}`]);
