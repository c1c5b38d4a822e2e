import { createHash } from "node:crypto";
import { NarthexError } from "../base/index.ts";
import { formatExponent, type Matcher } from "../model/index.ts";
import { parseMetricSelector } from "../promql/index.ts";
import { formatRfc3339 } from "../template/index.ts";
import type { Alert } from "./alert.ts";
import { AlertingRule } from "./alerting-rule.ts";
import type { RuleGroup } from "./group.ts";
import type { RuleManager } from "./manager.ts";
import type { Rule } from "./rule.ts";

/** Go's zero time, which upstream shows for "never". */
const never = "0001-01-01T00:00:00Z";

/** What to show of the rules; empty lists choose everything. */
export interface RuleListFilter {
  type?: "alert" | "record";
  ruleNames: readonly string[];
  groupNames: readonly string[];
  files: readonly string[];
  /** Selectors on the rules' labels; one of them must match. */
  matchers: readonly string[];
  excludeAlerts: boolean;
  /** Groups per page. */
  groupLimit?: number;
  groupNextToken?: string;
}

/** JSON-ready data for `/api/v1/rules`. Throws `bad_data` for a bad selector or page token. */
export function listRules(
  manager: RuleManager,
  filter: RuleListFilter,
): { groups: unknown[]; groupNextToken?: string } {
  const selectors = filter.matchers.map(parseMetricSelector);
  const groups: unknown[] = [];
  for (const group of fromPage(manager.groups, filter)) {
    if (filter.groupNames.length > 0 && !filter.groupNames.includes(group.name)) continue;
    if (filter.files.length > 0 && !filter.files.includes(group.file)) continue;
    const rules = group.rules.filter((rule) => isChosen(rule, filter, selectors));
    if (rules.length === 0) continue;
    if (groups.length === filter.groupLimit) return { groups, groupNextToken: pageToken(group) };
    groups.push(groupView(group, rules, filter));
  }
  return { groups };
}

/** JSON-ready data for `/api/v1/alerts`. */
export function listAlerts(manager: RuleManager): unknown[] {
  return manager.activeAlerts.map(alertView);
}

function fromPage(groups: readonly RuleGroup[], filter: RuleListFilter): readonly RuleGroup[] {
  const { groupLimit, groupNextToken } = filter;
  if (groupLimit === undefined || !groupNextToken) return groups;
  const first = groups.findIndex((group) => pageToken(group) === groupNextToken);
  if (first >= 0) return groups.slice(first);
  const reason = `invalid group_next_token '${groupNextToken}'. were rule groups changed?`;
  throw new NarthexError("bad_data", `invalid parameter "group_next_token": ${reason}`);
}

function pageToken(group: RuleGroup): string {
  return createHash("sha256").update(group.key).digest("hex");
}

function isChosen(rule: Rule, filter: RuleListFilter, selectors: readonly (readonly Matcher[])[]): boolean {
  if (filter.type !== undefined && (filter.type === "alert") !== rule instanceof AlertingRule) return false;
  if (filter.ruleNames.length > 0 && !filter.ruleNames.includes(rule.name)) return false;
  if (selectors.length === 0) return true;
  return selectors.some((matchers) =>
    matchers.every((matcher) => matcher.matches(rule.labels.get(matcher.name) ?? "")),
  );
}

function groupView(group: RuleGroup, rules: readonly Rule[], filter: RuleListFilter): unknown {
  return {
    name: group.name,
    file: group.file,
    rules: rules.map((rule) =>
      rule instanceof AlertingRule ? alertingRuleView(rule, filter.excludeAlerts) : recordingRuleView(rule),
    ),
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: group.evaluationMs / 1000,
    lastEvaluation: time(group.lastEvaluationMs),
  };
}

function alertingRuleView(rule: AlertingRule, excludeAlerts: boolean): unknown {
  return {
    state: rule.state,
    name: rule.name,
    query: rule.query,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    labels: Object.fromEntries(rule.labels),
    annotations: Object.fromEntries(rule.annotations),
    alerts: excludeAlerts ? null : rule.activeAlerts.map(alertView),
    ...evaluationView(rule),
    type: "alerting",
  };
}

function recordingRuleView(rule: Rule): unknown {
  return {
    name: rule.name,
    query: rule.query,
    labels: Object.fromEntries(rule.labels),
    ...evaluationView(rule),
    type: "recording",
  };
}

function evaluationView(rule: Rule): object {
  return {
    health: rule.health,
    ...(rule.lastError !== "" && { lastError: rule.lastError }),
    evaluationTime: rule.evaluationMs / 1000,
    lastEvaluation: time(rule.lastEvaluationMs),
  };
}

function alertView(alert: Alert): unknown {
  const { labels, annotations, state, activeAtMs, keepFiringSinceMs, value } = alert;
  return {
    labels: labels.toObject(),
    annotations: annotations.toObject(),
    state,
    activeAt: time(activeAtMs),
    ...(keepFiringSinceMs !== undefined && { keepFiringSince: time(keepFiringSinceMs) }),
    value: formatExponent(value),
  };
}

function time(unixMs: number | undefined): string {
  return unixMs === undefined ? never : formatRfc3339(unixMs);
}
