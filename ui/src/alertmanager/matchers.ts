/** Matchers of silences as people write them: `severity=~"warning|critical"`. */
import type { Matcher } from "../api/alertmanager.ts";
import { quote, type Labels } from "../base/labels.ts";

export const operators = ["=", "!=", "=~", "!~"] as const;
export type Operator = (typeof operators)[number];

export function operatorOf({ isRegex, isEqual = true }: Matcher): Operator {
  if (isRegex) return isEqual ? "=~" : "!~";
  return isEqual ? "=" : "!=";
}

export const withOperator = (matcher: Matcher, operator: Operator): Matcher => ({
  ...matcher,
  isRegex: operator.endsWith("~"),
  isEqual: !operator.startsWith("!"),
});

export const formatMatcher = (matcher: Matcher): string =>
  `${matcher.name}${operatorOf(matcher)}${quote(matcher.value)}`;

export const newMatcher = (name = "", value = ""): Matcher => ({
  name,
  value,
  isRegex: false,
  isEqual: true,
});

/** One matcher for each label: exactly the alerts that carry them all. */
export const matchersOf = (labels: Labels): Matcher[] =>
  Object.entries(labels).map(([name, value]) => newMatcher(name, value));

/** Reads labels that a link carries as JSON; whatever else it carries counts as none. */
export function readLabels(text: string): Labels | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return undefined;
  }
}
