import { type Clock, type Disk, errorMessage, type Logger, NarthexError } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { LabelsBuilder, metricNameLabel, parseNumber } from "../../model/index.ts";
import {
  lastSlot,
  parseRuleFile,
  type RecordingRuleConfig,
  type RuleGroupConfig,
} from "../../rules/index.ts";
import { createBlocks, type LabelledSample } from "../../tsdb/index.ts";

/** A series of a range query's answer, as the API has it. */
export interface RangeSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [seconds: number, value: string])[];
}

export interface RuleImport {
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Answers `query_range`. */
  readonly queryRange: (
    query: string,
    startMs: number,
    endMs: number,
    stepMs: number,
  ) => Promise<readonly RangeSeries[]>;
  readonly ruleFiles: readonly string[];
  readonly dataDirectory: string;
  /** Both included. */
  readonly startMs: number;
  readonly endMs: number;
  /** Of groups that name no interval. */
  readonly intervalMs: number;
  readonly blockRangeMs: number;
}

/**
 * Creates blocks of what recording rules would have yielded in the past, a block for each rule and range that has samples; alerting rules are left out. Rejects with `bad_data` when a rule file
 * is bad, with `execution` when some rules failed: what is wrong was logged, the others are done.
 */
export async function importRules(options: RuleImport): Promise<void> {
  const { disk, logger, ruleFiles, dataDirectory } = options;
  const groups = ruleFiles.flatMap(
    (file) => parseRuleFile(Buffer.from(disk.readFile(file)).toString(), file).groups,
  );
  disk.makeDirectory(dataDirectory);
  let failures = 0;
  for (const group of groups) {
    logger.info("processing group", { component: "backfiller", name: group.name });
    for (const [id, rule] of group.rules.entries()) {
      if (rule.kind !== "recording") continue;
      logger.info("processing rule", { component: "backfiller", id, name: rule.name });
      try {
        await importRule(options, group, rule);
      } catch (error) {
        logger.error("rule importer error", { name: rule.name, err: errorMessage(error) });
        failures++;
      }
    }
  }
  if (failures > 0) throw new NarthexError("execution", "error importing rules");
}

async function importRule(
  options: RuleImport,
  group: RuleGroupConfig,
  rule: RecordingRuleConfig,
): Promise<void> {
  const { startMs, endMs, blockRangeMs, dataDirectory } = options;
  const intervalMs = group.intervalMs ?? options.intervalMs;
  for (
    let fromMs = Math.floor(startMs / blockRangeMs) * blockRangeMs;
    fromMs <= endMs;
    fromMs += blockRangeMs
  ) {
    const firstMs = Math.max(fromMs, startMs);
    // The slots are those at which a server evaluates the group.
    const slotMs = lastSlot(group, intervalMs, firstMs);
    const queryStartMs = slotMs < firstMs ? slotMs + intervalMs : slotMs;
    const queryEndMs = Math.min(fromMs + blockRangeMs - 1, endMs);
    if (queryEndMs < queryStartMs) continue;
    const series = await options.queryRange(rule.query, queryStartMs, queryEndMs, intervalMs);
    createBlocks({ ...options, dataDirectory }, () => samplesOf(series, rule));
  }
}

function* samplesOf(all: readonly RangeSeries[], rule: RecordingRuleConfig): Generator<LabelledSample> {
  for (const { metric, values = [] } of all) {
    const builder = new LabelsBuilder();
    for (const [name, value] of Object.entries(metric)) builder.set(name, value);
    for (const [name, value] of rule.labels) builder.set(name, value);
    builder.set(metricNameLabel, rule.name);
    const labels = builder.labels();
    for (const [seconds, text] of values)
      yield { labels, timestampMs: Math.round(seconds * 1000), value: parseNumber(text) ?? NaN };
  }
}
