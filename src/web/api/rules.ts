import type { Hono } from "hono";
import { successResponse } from "../../http/index.ts";
import { quoteGo } from "../../model/index.ts";
import { listAlerts, listRules, type RuleListFilter, type RuleManager } from "../../rules/index.ts";
import { boolParam, invalidParameter, urlParams } from "./params.ts";

/** `rules` and `alerts`. */
export function addRuleRoutes(api: Hono, rules: RuleManager): void {
  api.get("/alerts", () => successResponse({ alerts: listAlerts(rules) }));
  api.get("/rules", (c) => successResponse(listRules(rules, ruleFilter(urlParams(c)))));
}

function ruleFilter(params: URLSearchParams): RuleListFilter {
  const type = (params.get("type") ?? "").toLowerCase();
  if (type !== "" && type !== "alert" && type !== "record") {
    throw invalidParameter("type", `not supported value ${quoteGo(type)}`);
  }
  const groupLimit = params.get("group_limit") || null;
  const groupNextToken = params.get("group_next_token") || null;
  if (groupNextToken !== null && groupLimit === null) {
    throw invalidParameter(
      "group_next_token",
      "group_limit needs to be present in order to paginate over the groups",
    );
  }
  if (groupLimit !== null && !/^[+-]?\d+$/.test(groupLimit)) {
    throw invalidParameter(
      "group_limit",
      `group_limit needs to be a valid number: strconv.ParseInt: parsing ${quoteGo(groupLimit)}: invalid syntax`,
    );
  }
  if (groupLimit !== null && Number(groupLimit) <= 0)
    throw invalidParameter("group_limit", "group_limit needs to be greater than 0");
  return {
    type: type === "" ? undefined : type,
    ruleNames: params.getAll("rule_name[]"),
    groupNames: params.getAll("rule_group[]"),
    files: params.getAll("file[]"),
    matchers: params.getAll("match[]"),
    excludeAlerts: boolParam(params, "exclude_alerts", "error converting exclude_alerts"),
    groupLimit: groupLimit === null ? undefined : Number(groupLimit),
    groupNextToken: groupNextToken ?? undefined,
  };
}
