import { alertingConfig, completeAlertingConfig } from "../notifier/index.ts";
import { isLabelName, Labels, type NameValidationScheme, quoteGo } from "../model/index.ts";
import {
  type Codec,
  type CodecValue,
  durationMs,
  failAt,
  field,
  filePath,
  inline,
  list,
  type Mapping,
  mapOf,
  object,
  section,
  text,
  validateRelabelConfigs,
} from "../codec/index.ts";
import { remoteReadConfig, remoteWriteConfig } from "../remote/index.ts";
import { completeScrapeConfig, type ScrapeConfig, scrapeConfigs, scrapeDefaults } from "../scrape/index.ts";
import { otlpConfig, runtimeConfig, storageConfig, tracingConfig, translationFault } from "./sections.ts";

const labelSet: Codec<Labels> = {
  decode: (at) => Labels.from(mapOf(text).decode(at)),
  encode: (labels) => ({ ...labels.toObject() }),
};

const globalConfig = object(
  "config.plain",
  {
    scrape: inline(scrapeDefaults),
    evaluationIntervalMs: field("evaluation_interval", durationMs, 0),
    ruleQueryOffsetMs: field("rule_query_offset", durationMs, 0),
    queryLogFile: field("query_log_file", filePath, ""),
    /** Environment variables in the values are expanded by `loadConfig`. */
    externalLabels: field("external_labels", labelSet, Labels.empty),
  },
  (value, mapping) => {
    value.evaluationIntervalMs ||= 60_000;
    const scheme = value.scrape.metricNameValidationScheme as NameValidationScheme;
    for (const [name, labelValue] of value.externalLabels) {
      const at = mapping.place("external_labels");
      if (!isLabelName(name, scheme)) at.fail(`${quoteGo(name)} is not a valid label name`);
      if (!labelValue.isWellFormed()) at.fail(`${quoteGo(labelValue)} is not a valid label value`);
    }
    return value;
  },
);
export type GlobalConfig = CodecValue<typeof globalConfig>;

const filePattern = /^[^*]*(?:\*[^/]*)?$/;

/** `prometheus.yml` as a whole, before what it names besides itself is read. */
export const configCodec = object(
  "config.plain",
  {
    global: section("global", globalConfig),
    runtime: section("runtime", runtimeConfig),
    alerting: section("alerting", alertingConfig),
    ruleFiles: field("rule_files", list(filePath), []),
    scrapeConfigFiles: field("scrape_config_files", list(filePath), []),
    scrapeConfigs: field("scrape_configs", scrapeConfigs, []),
    storage: section("storage", storageConfig),
    tracing: field("tracing", tracingConfig),
    remoteWrite: field(
      "remote_write",
      list(remoteWriteConfig, "empty or null remote write config section"),
      [],
    ),
    remoteRead: field("remote_read", list(remoteReadConfig, "empty or null remote read config section"), []),
    otlp: section("otlp", otlpConfig),
  },
  (value, mapping) => {
    checkPatterns(mapping, "rule_files", "rule");
    checkPatterns(mapping, "scrape_config_files", "scrape config");
    const { scrape } = value.global;
    const scheme = scrape.metricNameValidationScheme as NameValidationScheme;
    const jobs = new Set<string>();
    for (const job of value.scrapeConfigs) {
      completeScrapeConfig(job, scrape);
      if (jobs.has(job.jobName))
        failAt(job, `found multiple scrape configs with job name ${quoteGo(job.jobName)}`);
      jobs.add(job.jobName);
    }
    completeAlertingConfig(value.alerting, scheme);
    for (const each of value.remoteWrite) validateRelabelConfigs(each.writeRelabelConfigs, scheme);
    refuseSameNames(value.remoteWrite, "write");
    refuseSameNames(value.remoteRead, "read");
    const fault = translationFault(value.otlp.translationStrategy, scheme);
    if (fault !== undefined) mapping.place("otlp").fail(fault);
    return value;
  },
);

/** A configuration as it is used. `scrapeConfigs` has those of the main file only: see `allScrapeConfigs`. */
export type Config = CodecValue<typeof configCodec> & {
  /** The jobs of the main file and of all `scrape_config_files`. */
  readonly allScrapeConfigs: readonly ScrapeConfig[];
};

/** A file that `scrape_config_files` names. */
export const scrapeConfigFile = object("config.ScrapeConfigs", {
  scrapeConfigs: field("scrape_configs", scrapeConfigs, []),
});

function checkPatterns(mapping: Mapping, key: string, kind: string): void {
  for (const at of mapping.get(key)?.items() ?? []) {
    const pattern = at.scalar()?.text ?? "";
    if (!filePattern.test(pattern)) at.fail(`invalid ${kind} file path ${quoteGo(pattern)}`);
  }
}

function refuseSameNames(configs: readonly { name: string }[], kind: string): void {
  const names = new Set<string>();
  for (const config of configs) {
    if (config.name !== "" && names.has(config.name)) {
      failAt(config, `found multiple remote ${kind} configs with job name ${quoteGo(config.name)}`);
    }
    names.add(config.name);
  }
}
