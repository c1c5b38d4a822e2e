/** Which rules a page shows. */
import type { AlertingRule, Rule, RuleGroup } from "../api/types.ts";
import { matchesSearch, searchTexts } from "../base/labels.ts";

export type AlertState = AlertingRule["state"];

export const alertStates: readonly AlertState[] = ["firing", "pending", "inactive", "unknown"];

export interface ShownGroup<R extends Rule> {
  group: RuleGroup;
  rules: R[];
}

/** The groups with the rules a filter lets through; groups that it empties are left out. */
export function filterGroups<R extends Rule>(
  groups: readonly RuleGroup[],
  isShown: (rule: Rule) => rule is R,
  search: string,
): ShownGroup<R>[] {
  return groups
    .map((group) => ({
      group,
      rules: group.rules
        .filter(isShown)
        .filter((rule) =>
          matchesSearch(search, [
            rule.name,
            group.name,
            ...searchTexts(rule.labels ?? {}),
            ...alertTexts(rule),
          ]),
        ),
    }))
    .filter(({ rules }) => rules.length > 0);
}

const alertTexts = (rule: Rule): string[] =>
  rule.type === "alerting" ? rule.alerts.flatMap(({ labels }) => searchTexts(labels)) : [];

export function countAlertStates(groups: readonly RuleGroup[]): Record<AlertState, number> {
  const counts = { firing: 0, pending: 0, inactive: 0, unknown: 0 };
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    if (rule.type === "alerting") counts[rule.state]++;
  }
  return counts;
}

/** The most urgent first; equals stay in the order of the file. */
export function byUrgency(rules: readonly AlertingRule[]): AlertingRule[] {
  return rules.toSorted((a, b) => alertStates.indexOf(a.state) - alertStates.indexOf(b.state));
}
