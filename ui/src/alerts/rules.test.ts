import assert from "node:assert/strict";
import { test } from "node:test";
import type { AlertingRule, RecordingRule, Rule, RuleGroup } from "../api/types.ts";
import { byUrgency, countAlertStates, filterGroups } from "./rules.ts";

const common = { query: "up", health: "ok" as const, evaluationTime: 0, lastEvaluation: "" };
const alerting = (name: string, state: AlertingRule["state"]): AlertingRule => ({
  ...common,
  type: "alerting",
  name,
  state,
  duration: 0,
  alerts: state === "firing" ? [{ labels: { instance: "db1" }, annotations: {}, state, value: "1" }] : [],
});
const recording: RecordingRule = { ...common, type: "recording", name: "a:b", labels: { team: "x" } };
const group = (name: string, rules: Rule[]): RuleGroup => ({
  name,
  file: "f",
  interval: 1,
  evaluationTime: 0,
  lastEvaluation: "",
  rules,
});

const groups = [
  group("one", [alerting("Quiet", "inactive"), alerting("Loud", "firing")]),
  group("two", [recording]),
];
const all = (rule: Rule): rule is Rule => rule !== undefined;
const isAlerting = (rule: Rule): rule is AlertingRule => rule.type === "alerting";

test("groups without a fitting rule are left out", () => {
  assert.deepEqual(
    filterGroups(groups, isAlerting, "").map(({ group: { name }, rules }) => [name, rules.length]),
    [["one", 2]],
  );
});

test("a search looks at names, labels and the labels of active alerts", () => {
  assert.equal(filterGroups(groups, all, "db1")[0]!.rules[0]!.name, "Loud");
  assert.equal(filterGroups(groups, all, "team=x")[0]!.group.name, "two");
  assert.deepEqual(filterGroups(groups, all, "nothing"), []);
});

test("the urgent come first", () => {
  assert.deepEqual(countAlertStates(groups), { firing: 1, pending: 0, inactive: 1, unknown: 0 });
  assert.deepEqual(
    byUrgency(groups[0]!.rules.filter(isAlerting)).map(({ name }) => name),
    ["Loud", "Quiet"],
  );
});
