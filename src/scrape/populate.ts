import { addressLabel, type TargetGroup } from "../discovery/index.ts";
import { formatDuration, Labels, LabelsBuilder, parseDuration, quoteGo } from "../model/index.ts";
import { relabelBuilder } from "../codec/index.ts";
import { errorMessage, NarthexError } from "../base/index.ts";
import type { ScrapeConfig } from "./config.ts";

export const schemeLabel = "__scheme__";
export const metricsPathLabel = "__metrics_path__";
export const paramPrefix = "__param_";
export const unixSocketLabel = "__unix_socket__";
const intervalLabel = "__scrape_interval__";
const timeoutLabel = "__scrape_timeout__";
const metaPrefix = "__meta_";
const booleanLabels = {
  __convert_classic_histograms_to_nhcb__: "convert classic histograms to nhcb",
  __always_scrape_classic_histograms__: "always scrape classic histograms",
  __scrape_native_histograms__: "scrape native histograms",
} as const;

/** What is stored of the histograms of a target. */
export interface HistogramReading {
  readonly scrapesNative: boolean;
  /** Classic histograms are stored beside the native ones that they are, or are converted to. */
  readonly keepsClassic: boolean;
  readonly convertsClassic: boolean;
}

/** What target relabelling has made of a discovered target. */
export interface PopulatedTarget {
  readonly discovered: Labels;
  /** Undefined when a rule has dropped the target. Labels beginning with `__` are still there, but for `__meta_`. */
  readonly labels: Labels | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly histograms: HistogramReading;
}

/** Gives a discovered target the labels of its group and its job, relabels and checks it. Throws `bad_data`. */
export function populateTarget(config: ScrapeConfig, target: Labels, group: TargetGroup): PopulatedTarget {
  const builder = builderOf(target, group);
  const discovered = withDefaults(builder, config);
  if (!relabelBuilder(builder, config.relabelConfigs))
    return {
      discovered,
      labels: undefined,
      intervalMs: 0,
      timeoutMs: 0,
      histograms: histogramReading(builder),
    };
  const address = builder.get(addressLabel);
  if (address === "") refuse("no address");
  if (address.includes("/")) refuse(`${quoteGo(address)} is not a valid hostname`);
  const intervalMs = positiveDuration(builder, intervalLabel, "interval");
  const timeoutMs = positiveDuration(builder, timeoutLabel, "timeout");
  if (timeoutMs > intervalMs) {
    const [timeout, interval] = [timeoutLabel, intervalLabel].map((name) => quoteGo(builder.get(name)));
    refuse(`scrape timeout cannot be greater than scrape interval (${timeout} > ${interval})`);
  }
  for (const [name, what] of Object.entries(booleanLabels)) {
    if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False|)$/.test(builder.get(name))) {
      refuse(
        `error parsing ${what}: strconv.ParseBool: parsing ${quoteGo(builder.get(name))}: invalid syntax`,
      );
    }
  }
  for (const name of builder.names()) if (name.startsWith(metaPrefix)) builder.delete(name);
  if (builder.get("instance") === "") builder.set("instance", address);
  const labels = builder.labels();
  for (const [name, value] of labels) {
    if (!value.isWellFormed()) refuse(`invalid label value for ${quoteGo(name)}: ${quoteGo(value)}`);
  }
  return { discovered, labels, intervalMs, timeoutMs, histograms: histogramReading(builder) };
}

/** The labels that a discovered target has before relabelling. */
export function discoveredLabels(config: ScrapeConfig, target: Labels, group: TargetGroup): Labels {
  return withDefaults(builderOf(target, group), config);
}

function builderOf(target: Labels, group: TargetGroup): LabelsBuilder {
  const builder = new LabelsBuilder(group.labels);
  for (const [name, value] of target) builder.set(name, value);
  return builder;
}

function histogramReading(builder: LabelsBuilder): HistogramReading {
  const isTrue = (name: keyof typeof booleanLabels): boolean => /^(?:1|t|true)$/i.test(builder.get(name));
  return {
    scrapesNative: isTrue("__scrape_native_histograms__"),
    keepsClassic: isTrue("__always_scrape_classic_histograms__"),
    convertsClassic: isTrue("__convert_classic_histograms_to_nhcb__"),
  };
}

function withDefaults(builder: LabelsBuilder, config: ScrapeConfig): Labels {
  const defaults: Record<string, string> = {
    job: config.jobName,
    [intervalLabel]: formatDuration(config.scrapeIntervalMs),
    [timeoutLabel]: formatDuration(config.scrapeTimeoutMs),
    [metricsPathLabel]: config.metricsPath,
    [schemeLabel]: config.scheme,
    __convert_classic_histograms_to_nhcb__: String(config.convertClassicHistogramsToNhcb === true),
    __always_scrape_classic_histograms__: String(config.alwaysScrapeClassicHistograms === true),
    __scrape_native_histograms__: String(config.scrapeNativeHistograms === true),
  };
  for (const [name, values] of config.params)
    if (values.length > 0) defaults[paramPrefix + name] = values[0]!;
  for (const [name, value] of Object.entries(defaults))
    if (builder.get(name) === "") builder.set(name, value);
  return builder.labels();
}

function positiveDuration(builder: LabelsBuilder, label: string, what: string): number {
  let durationMs: number;
  try {
    durationMs = parseDuration(builder.get(label));
  } catch (error) {
    refuse(`error parsing scrape ${what}: ${errorMessage(error)}`);
  }
  if (durationMs === 0) refuse(`scrape ${what} cannot be 0`);
  return durationMs;
}

function refuse(message: string): never {
  throw new NarthexError("bad_data", message);
}
