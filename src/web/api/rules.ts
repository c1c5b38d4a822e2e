import type { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { quoteGo } from "../../model/index.ts";
import { listAlerts, listRules, type RuleListFilter, type RuleManager } from "../../rules/index.ts";
import { invalidParameter, urlParams } from "./params.ts";

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
  const groupLimit = params.get("group_limit");
  const groupNextToken = params.get("group_next_token");
  if (groupNextToken !== null && groupLimit === null) {
    throw new NarthexError(
      "bad_data",
      "invalid parameter group_limit: group_limit needs to be present in order to paginate over the groups",
    );
  }
  if (groupLimit !== null && !(/^\d+$/.test(groupLimit) && Number(groupLimit) > 0)) {
    throw new NarthexError(
      "bad_data",
      "invalid parameter group_limit: group_limit needs to be greater than 0",
    );
  }
  return {
    type: type === "" ? undefined : type,
    ruleNames: params.getAll("rule_name[]"),
    groupNames: params.getAll("rule_group[]"),
    files: params.getAll("file[]"),
    matchers: params.getAll("match[]"),
    excludeAlerts: booleanParam(params, "exclude_alerts"),
    groupLimit: groupLimit === null ? undefined : Number(groupLimit),
    groupNextToken: groupNextToken ?? undefined,
  };
}

function booleanParam(params: URLSearchParams, name: string): boolean {
  const text = params.get(name) ?? "";
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["", "0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw invalidParameter(name, `strconv.ParseBool: parsing ${quoteGo(text)}: invalid syntax`);
}
