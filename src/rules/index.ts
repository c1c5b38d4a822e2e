/** Recording and alerting rules: their files, their evaluation, and what they tell the API and the notifier. */
export type { Alert, AlertState, OutgoingAlert } from "./alert.ts";
export { AlertingRule } from "./alerting-rule.ts";
export { RuleGroup } from "./group.ts";
export { createLastSamples } from "./last-samples.ts";
export { RuleManager, type RuleManagerOptions, type RuleSettings } from "./manager.ts";
export { RecordingRule } from "./recording-rule.ts";
export type { LastSample, LastSamplesFunction } from "./restore.ts";
export type { QueryFunction, Rule, RuleGroupName, RuleHealth, VectorSample } from "./rule.ts";
export {
  type AlertingRuleConfig,
  parseRuleFile,
  type RecordingRuleConfig,
  type RuleConfig,
  type RuleFile,
  RuleFileError,
  type RuleFileOptions,
  type RuleGroupConfig,
} from "./rule-file.ts";
export { lastSlot } from "./schedule.ts";
export {
  readUnitTestFile,
  runUnitTest,
  type UnitTest,
  type UnitTestFile,
  type UnitTestOptions,
} from "./unit-test/index.ts";
export { listAlerts, listRules, type RuleListFilter } from "./view.ts";
