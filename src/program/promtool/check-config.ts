import { type Disk, errorMessage, globFiles, NarthexError } from "../../base/index.ts";
import { type Config, loadConfig } from "../../config/index.ts";
import type { DiscoveryConfig } from "../../discovery/index.ts";
import { formatDuration, quoteGo } from "../../model/index.ts";
import { checkRuleFiles, type Findings, type RuleCheck } from "./check-rules.ts";
import type { Streams } from "./command.ts";

export interface ConfigCheck extends RuleCheck {
  /** Leaves alone what the file names besides itself. */
  readonly isSyntaxOnly: boolean;
  readonly agentMode: boolean;
  /** Scrape intervals of this length are complained of; 0: of none. */
  readonly lookbackDeltaMs: number;
}

/** Checks configuration files and, for each, the rule files it names, telling of each. */
export function checkConfigFiles(
  disk: Disk,
  files: readonly string[],
  check: ConfigCheck,
  streams: Streams,
): Findings {
  const { out, err } = streams;
  const findings: Findings = { hasErrors: false, hasComplaints: false };
  for (const file of files) {
    out(`Checking ${file}\n`);
    let config: Config;
    let ruleFiles: string[];
    try {
      config = loadConfig(file, {
        disk,
        agentMode: check.agentMode,
        warn: (message) => out(`  WARNING: ${message}\n`),
      });
      ruleFiles = check.isSyntaxOnly ? [] : findRuleFiles(disk, config);
      if (!check.isSyntaxOnly) checkNamedFiles(disk, config, streams);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      err(`  FAILED: ${errorMessage(error)}\n`);
      out("\n");
      findings.hasErrors = true;
      continue;
    }
    if (ruleFiles.length > 0) out(`  SUCCESS: ${ruleFiles.length} rule files found\n`);
    out(` SUCCESS: ${file} is valid prometheus config file syntax\n\n`);
    if (check.isSyntaxOnly) continue;
    const rules = checkRuleFiles(disk, ruleFiles, check, streams);
    findings.hasErrors ||= rules.hasErrors;
    findings.hasComplaints ||= rules.hasComplaints || hasTooLongInterval(config, check, streams);
  }
  return findings;
}

function findRuleFiles(disk: Disk, { ruleFiles }: Config): string[] {
  return ruleFiles.flatMap((pattern) => {
    const found = globFiles(disk, pattern);
    if (found.length === 0 && !pattern.includes("*"))
      throw new NarthexError("bad_data", `${quoteGo(pattern)} does not point to an existing file`);
    return found;
  });
}

function checkNamedFiles(disk: Disk, { allScrapeConfigs, alerting }: Config, streams: Streams): void {
  for (const { httpClient, discovery, jobName } of allScrapeConfigs) {
    const { authorization, tls } = httpClient;
    checkExists(disk, "authorization credentials or bearer token file", authorization?.credentialsFile);
    checkExists(disk, "client cert file", tls?.certFile);
    checkExists(disk, "client key file", tls?.keyFile);
    warnOfMissingTargetFiles(disk, discovery, `file_sd in scrape job ${quoteGo(jobName)}`, streams);
  }
  for (const { discovery } of alerting.alertmanagers)
    warnOfMissingTargetFiles(disk, discovery, "file_sd in alertmanager config", streams);
}

function checkExists(disk: Disk, what: string, file = ""): void {
  if (file !== "" && disk.stat(file) === undefined)
    throw new NarthexError(
      "bad_data",
      `error checking ${what} ${quoteGo(file)}: stat ${file}: no such file or directory`,
    );
}

function warnOfMissingTargetFiles(
  disk: Disk,
  discovery: readonly DiscoveryConfig[],
  where: string,
  { out }: Streams,
): void {
  for (const mechanism of discovery)
    if (mechanism.mechanism === "file")
      for (const file of mechanism.files)
        if (globFiles(disk, file).length === 0)
          out(`  WARNING: file ${quoteGo(file)} for ${where} does not exist\n`);
}

function hasTooLongInterval(
  { allScrapeConfigs }: Config,
  { lookbackDeltaMs }: ConfigCheck,
  { err }: Streams,
): boolean {
  const job = allScrapeConfigs.find(
    ({ scrapeIntervalMs }) => lookbackDeltaMs > 0 && scrapeIntervalMs >= lookbackDeltaMs,
  );
  if (job === undefined) return false;
  const interval = formatDuration(job.scrapeIntervalMs);
  err(
    `  FAILED: too long scrape interval found, data point will be marked as stale - job: ${job.jobName}, interval: ${interval}\n`,
  );
  return true;
}
