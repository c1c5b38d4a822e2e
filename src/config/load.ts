import path from "node:path";
import { type Disk, errorMessage, globFiles, NarthexError, systemDisk } from "../base/index.ts";
import { Labels, quoteGo } from "../model/index.ts";
import { encodeYaml, failAt, Place } from "../codec/index.ts";
import { completeScrapeConfig, type ScrapeConfig } from "../scrape/index.ts";
import { type Config, configCodec, scrapeConfigFile } from "./config.ts";

export interface LoadOptions {
  disk?: Disk;
  /** For `external_labels`. Default the process's own. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Refuses what an agent has no use for. */
  agentMode?: boolean;
  /** Told what works otherwise than the file might make one believe. */
  warn?: (message: string) => void;
}

/**
 * Reads, completes and checks a configuration file and the scrape config files it names. Throws `bad_data` naming the file, line and
 * column of the first fault.
 */
export function loadConfig(file: string, options: LoadOptions = {}): Config {
  const disk = options.disk ?? systemDisk;
  return parseConfig(readText(disk, file), file, path.dirname(file), options);
}

/** As `loadConfig`, for a text that stands in no file of its own; relative names in it start at `directory`. */
export function parseConfig(
  text: string,
  file: string,
  directory: string,
  options: LoadOptions = {},
): Config {
  const disk = options.disk ?? systemDisk;
  const warn = options.warn ?? (() => {});
  const at = Place.parse(text, file, directory);
  const config = at.isNull() ? configCodec.default() : configCodec.decode(at);
  if (options.agentMode) refuseInAgentMode(config, at);
  const environment = options.environment ?? process.env;
  config.global.externalLabels = expandLabels(config.global.externalLabels, environment, warn);
  const allScrapeConfigs = [...config.scrapeConfigs, ...readScrapeConfigFiles(config, disk)];
  const whole = Object.assign(config, { allScrapeConfigs });
  warnOfUnsupported(whole, warn);
  return whole;
}

/** The configuration as YAML with all defaults, secrets masked: what `/api/v1/status/config` shows. */
export function encodeConfig(config: Config): string {
  return encodeYaml(configCodec.encode(config));
}

function readText(disk: Disk, file: string): string {
  try {
    return Buffer.from(disk.readFile(file)).toString("utf8");
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or directory" : errorMessage(error);
    throw new NarthexError("bad_data", `open ${file}: ${reason}`, { cause: error });
  }
}

function refuseInAgentMode(config: ReturnType<typeof configCodec.decode>, at: Place): void {
  const { alertmanagers, alertRelabelConfigs } = config.alerting;
  if (alertmanagers.length + alertRelabelConfigs.length > 0)
    at.fail("field alerting is not allowed in agent mode");
  if (config.ruleFiles.length > 0) at.fail("field rule_files is not allowed in agent mode");
  if (config.remoteRead.length > 0) at.fail("field remote_read is not allowed in agent mode");
}

/** `$NAME` and `${NAME}` become the variable's value, `$$` a dollar sign. */
function expandLabels(
  labels: Labels,
  environment: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): Labels {
  const expand = (value: string): string =>
    value.replace(/\$(?:(\$)|\{([^}]*)\}|(\w+))/g, (_, dollar?: string, braced?: string, bare?: string) => {
      if (dollar || braced === "$") return "$";
      const name = braced ?? bare!;
      const found = environment[name] ?? "";
      if (found === "") warn(`external_labels: environment variable ${name} is empty`);
      return found;
    });
  return Labels.from([...labels].map(([name, value]) => [name, expand(value)] as const));
}

function readScrapeConfigFiles(config: ReturnType<typeof configCodec.decode>, disk: Disk): ScrapeConfig[] {
  const firstFound = new Map(config.scrapeConfigs.map(({ jobName }) => [jobName, "main config file"]));
  const jobs: ScrapeConfig[] = [];
  for (const file of config.scrapeConfigFiles.flatMap((pattern) => globFiles(disk, pattern))) {
    const at = Place.parse(readText(disk, file), file, path.dirname(file));
    if (at.isNull()) continue;
    for (const job of scrapeConfigFile.decode(at).scrapeConfigs) {
      completeScrapeConfig(job, config.global.scrape);
      const first = firstFound.get(job.jobName);
      if (first !== undefined) {
        failAt(
          job,
          `found multiple scrape configs with job name ${quoteGo(job.jobName)}, first found in ${first}`,
        );
      }
      firstFound.set(job.jobName, quoteGo(path.resolve(file)));
      jobs.push(job);
    }
  }
  return jobs;
}

function warnOfUnsupported(config: Config, warn: (message: string) => void): void {
  const sections = [...config.allScrapeConfigs, ...config.alerting.alertmanagers].flatMap(
    ({ discovery }) => discovery,
  );
  for (const section of sections) {
    if (section.mechanism !== "unsupported") continue;
    warn(`${section.place}: ${section.name}_sd_configs is not supported yet: it finds no targets`);
  }
  if (config.remoteWrite.length > 0) warn("remote_write is not supported yet: nothing is sent");
  if (config.remoteRead.length > 0) warn("remote_read is not supported yet: nothing is read");
  if (config.tracing) warn("tracing is not supported yet: no spans are sent");
}
