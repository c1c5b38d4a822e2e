import { type EscapingScheme, type ScrapeProtocol, scrapeProtocols } from "../exposition/index.ts";
import { checkStaticTargets, discoveryConfigs } from "../discovery/index.ts";
import { httpClientConfig } from "../http/index.ts";
import { type NameValidationScheme, quoteGo } from "../model/index.ts";
import {
  bool,
  byteSize,
  type CodecValue,
  durationMs,
  failAt,
  field,
  filePath,
  float,
  inline,
  integer,
  list,
  mapOf,
  object,
  oneOf,
  relabelConfigs,
  text,
  validateRelabelConfigs,
} from "../codec/index.ts";

export const defaultScrapeProtocols: readonly ScrapeProtocol[] = [
  "OpenMetricsText1.0.0",
  "OpenMetricsText0.0.1",
  "PrometheusText1.0.0",
  "PrometheusText0.0.4",
];
const protoFirstScrapeProtocols: readonly ScrapeProtocol[] = ["PrometheusProto", ...defaultScrapeProtocols];

export const validationScheme = oneOf(
  ["", "utf8", "legacy"],
  (value) => `unrecognized ValidationScheme: ${quoteGo(value)}`,
);

/** Keys that a job may set and otherwise takes from `global`. 0, "" and undefined stand for "not set". */
const inheritedParts = {
  scrapeIntervalMs: field("scrape_interval", durationMs, 0),
  scrapeTimeoutMs: field("scrape_timeout", durationMs, 0),
  scrapeProtocols: field("scrape_protocols", list(text), []),
  scrapeFailureLogFile: field("scrape_failure_log_file", filePath, ""),
  /** Decompressed bytes; 0, here and below, is no limit. */
  bodySizeLimitBytes: field("body_size_limit", byteSize, 0),
  sampleLimit: field("sample_limit", integer("uint"), 0),
  targetLimit: field("target_limit", integer("uint"), 0),
  labelLimit: field("label_limit", integer("uint"), 0),
  labelNameLengthLimit: field("label_name_length_limit", integer("uint"), 0),
  labelValueLengthLimit: field("label_value_length_limit", integer("uint"), 0),
  keepDroppedTargets: field("keep_dropped_targets", integer("uint"), 0),
  metricNameValidationScheme: field("metric_name_validation_scheme", validationScheme, ""),
  metricNameEscapingScheme: field("metric_name_escaping_scheme", text, ""),
  scrapeNativeHistograms: field("scrape_native_histograms", bool),
  convertClassicHistogramsToNhcb: field("convert_classic_histograms_to_nhcb", bool),
  alwaysScrapeClassicHistograms: field("always_scrape_classic_histograms", bool),
  extraScrapeMetrics: field("extra_scrape_metrics", bool),
};

/** What `global` says about scraping. */
export const scrapeDefaults = object("config.plain", inheritedParts, (value, mapping) => {
  value.scrapeIntervalMs ||= 60_000;
  if (value.scrapeTimeoutMs > value.scrapeIntervalMs) {
    mapping.place("scrape_timeout").fail("global scrape timeout greater than scrape interval");
  }
  value.scrapeTimeoutMs ||= Math.min(10_000, value.scrapeIntervalMs);
  value.metricNameValidationScheme ||= "utf8";
  value.scrapeNativeHistograms ??= false;
  value.extraScrapeMetrics ??= false;
  if (mapping.get("scrape_protocols")) {
    const fault = protocolsFault(value.scrapeProtocols);
    if (fault !== undefined) mapping.place("scrape_protocols").fail(`${fault} for global config`);
  }
  return value;
});
export type ScrapeDefaults = CodecValue<typeof scrapeDefaults>;

export const scrapeConfig = object(
  "config.ScrapeConfig",
  {
    jobName: field("job_name", text, ""),
    honorLabels: field("honor_labels", bool, false),
    honorTimestamps: field("honor_timestamps", bool, true, { printAlways: true }),
    trackTimestampsStaleness: field("track_timestamps_staleness", bool, false, { printAlways: true }),
    params: field("params", mapOf(list(text)), new Map()),
    ...inheritedParts,
    fallbackScrapeProtocol: field("fallback_scrape_protocol", text, ""),
    metricsPath: field("metrics_path", text, "/metrics"),
    scheme: field("scheme", text, "http"),
    enableCompression: field("enable_compression", bool, true, { printAlways: true }),
    nativeHistogramBucketLimit: field("native_histogram_bucket_limit", integer("uint"), 0),
    nativeHistogramMinBucketFactor: field("native_histogram_min_bucket_factor", float, 0),
    httpClient: inline(httpClientConfig),
    relabelConfigs: field(
      "relabel_configs",
      relabelConfigs("empty or null target relabeling rule in scrape config"),
      [],
    ),
    metricRelabelConfigs: field(
      "metric_relabel_configs",
      relabelConfigs("empty or null metric relabeling rule in scrape config"),
      [],
    ),
    discovery: discoveryConfigs,
  },
  (value, mapping) => {
    if (value.jobName === "") mapping.place("job_name").fail("job_name is empty");
    if (value.relabelConfigs.length === 0) checkStaticTargets(value.discovery);
    return value;
  },
);
export type ScrapeConfig = CodecValue<typeof scrapeConfig>;

/** A list of jobs, as `scrape_configs` of the main file and of `scrape_config_files` have it. */
export const scrapeConfigs = list(scrapeConfig, "empty or null scrape config section");

const inheritedKeys = [
  "bodySizeLimitBytes",
  "sampleLimit",
  "targetLimit",
  "labelLimit",
  "labelNameLengthLimit",
  "labelValueLengthLimit",
  "keepDroppedTargets",
] as const;

/** Fills what a job leaves to `global`, in place, and refuses what does not fit together. Throws `bad_data` with the job's place. */
export function completeScrapeConfig(config: ScrapeConfig, defaults: ScrapeDefaults): void {
  const forJob = `for scrape config with job name ${quoteGo(config.jobName)}`;
  config.scrapeIntervalMs ||= defaults.scrapeIntervalMs;
  if (config.scrapeTimeoutMs > config.scrapeIntervalMs) {
    failAt(config, `scrape timeout greater than scrape interval ${forJob}`);
  }
  config.scrapeTimeoutMs ||= Math.min(defaults.scrapeTimeoutMs, config.scrapeIntervalMs);
  for (const key of inheritedKeys) config[key] ||= defaults[key];
  config.scrapeFailureLogFile ||= defaults.scrapeFailureLogFile;
  config.scrapeNativeHistograms ??= defaults.scrapeNativeHistograms;
  config.extraScrapeMetrics ??= defaults.extraScrapeMetrics;
  config.convertClassicHistogramsToNhcb ??= defaults.convertClassicHistogramsToNhcb ?? false;
  config.alwaysScrapeClassicHistograms ??= defaults.alwaysScrapeClassicHistograms ?? false;
  completeProtocols(config, defaults, forJob);
  completeNameSchemes(config, defaults);
  const scheme = config.metricNameValidationScheme as NameValidationScheme;
  validateRelabelConfigs(config.relabelConfigs, scheme);
  validateRelabelConfigs(config.metricRelabelConfigs, scheme);
}

/** The job with protobuf asked for first, unless it has a list of its own: protobuf tells most reliably since when samples count. */
export function preferProtobuf(config: ScrapeConfig): ScrapeConfig {
  const isDefault = config.scrapeProtocols.join() === defaultScrapeProtocols.join();
  return isDefault ? { ...config, scrapeProtocols: [...protoFirstScrapeProtocols] } : config;
}

function completeProtocols(config: ScrapeConfig, defaults: ScrapeDefaults, forJob: string): void {
  if (config.scrapeProtocols.length === 0) {
    const own = config.scrapeNativeHistograms ? protoFirstScrapeProtocols : defaultScrapeProtocols;
    config.scrapeProtocols = [...(defaults.scrapeProtocols.length > 0 ? defaults.scrapeProtocols : own)];
  }
  const fault = protocolsFault(config.scrapeProtocols);
  if (fault !== undefined) failAt(config, `${fault} ${forJob}`);
  const fallbackFault =
    config.fallbackScrapeProtocol === "" ? undefined : protocolFault(config.fallbackScrapeProtocol);
  if (fallbackFault !== undefined)
    failAt(config, `invalid fallback_scrape_protocol ${forJob}: ${fallbackFault}`);
}

function protocolFault(name: string): string | undefined {
  if ((scrapeProtocols as readonly string[]).includes(name)) return undefined;
  return `unknown scrape protocol ${name}, supported: [${[...scrapeProtocols].sort().join(" ")}]`;
}

function protocolsFault(names: readonly string[]): string | undefined {
  if (names.length === 0) return "scrape_protocols cannot be empty";
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase()))
      return `duplicated protocol in scrape_protocols, got [${names.join(" ")}]`;
    const fault = protocolFault(name);
    if (fault !== undefined) return `scrape_protocols: ${fault}`;
    seen.add(name.toLowerCase());
  }
  return undefined;
}

const escapingSchemes: readonly EscapingScheme[] = ["allow-utf-8", "underscores", "dots", "values"];
const escapingSchemeNames = "'allow-utf-8', 'underscores', 'dots', or 'values'";

function completeNameSchemes(config: ScrapeConfig, defaults: ScrapeDefaults): void {
  const globalEscaping =
    defaults.metricNameEscapingScheme || escapingFor(defaults.metricNameValidationScheme);
  if (!isEscapingScheme(globalEscaping)) {
    failAt(
      defaults,
      `unknown global name escaping method specified, must be one of ${escapingSchemeNames}, got ${quoteGo(globalEscaping)}`,
    );
  }
  const own = config.metricNameValidationScheme;
  config.metricNameValidationScheme ||= defaults.metricNameValidationScheme;
  config.metricNameEscapingScheme ||= own === "" ? globalEscaping : escapingFor(own);
  if (!isEscapingScheme(config.metricNameEscapingScheme)) {
    failAt(
      config,
      `unknown scrape config name escaping method specified, must be one of ${escapingSchemeNames}, got ${quoteGo(config.metricNameEscapingScheme)}`,
    );
  }
  if (config.metricNameEscapingScheme === "allow-utf-8" && config.metricNameValidationScheme !== "utf8") {
    failAt(config, "utf8 metric names requested but validation scheme is not set to UTF8");
  }
}

function escapingFor(scheme: string): EscapingScheme {
  return scheme === "legacy" ? "underscores" : "allow-utf-8";
}

function isEscapingScheme(name: string): boolean {
  return (escapingSchemes as readonly string[]).includes(name);
}
