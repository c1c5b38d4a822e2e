import type { Registry } from "@narthex/client";
import type { Logger } from "../base/index.ts";
import type { QueryService } from "../promql/index.ts";

/** A target as `/api/v1/targets` shows it. */
export interface ActiveTargetView {
  discoveredLabels: Record<string, string>;
  labels: Record<string, string>;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl: string;
  lastError: string;
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: "up" | "down" | "unknown";
  scrapeInterval: string;
  scrapeTimeout: string;
}

export interface DroppedTargetView {
  discoveredLabels: Record<string, string>;
  scrapePool: string;
}

export interface MetadataView {
  type: string;
  help: string;
  unit: string;
}

export interface TargetMetadataView extends MetadataView {
  target: Record<string, string>;
  metric?: string;
}

/** What the scrape step tells the API. */
export interface ScrapeView {
  pools(): string[];
  /** The pool's part of the configuration as YAML, secrets masked; undefined when there is no such pool. */
  poolConfig(pool: string): string | undefined;
  activeTargets(pool?: string): ActiveTargetView[];
  droppedTargets(pool?: string): DroppedTargetView[];
  /** All dropped targets by pool, those that `keep_dropped_targets` hides included. */
  droppedTargetCounts(): Record<string, number>;
  /** Metadata by metric name, each distinct entry once. */
  metadata(
    metric: string | undefined,
    limitMetrics: number,
    limitPerMetric: number,
  ): Record<string, MetadataView[]>;
  /** `matchTarget` is a selector such as `{job="node"}`; it throws `bad_data` when it does not parse. */
  targetMetadata(
    matchTarget: string | undefined,
    metric: string | undefined,
    limit: number,
  ): TargetMetadataView[];
}

/** What the rule step tells the API; JSON-ready, in upstream's shapes. */
export interface RulesView {
  groups(filter: RuleFilter): { groups: unknown[]; groupNextToken?: string };
  alerts(): unknown[];
}

export interface RuleFilter {
  type?: "alert" | "record";
  ruleNames: string[];
  groupNames: string[];
  files: string[];
  matchers: string[];
  excludeAlerts: boolean;
  groupLimit?: number;
  groupNextToken?: string;
}

export interface AlertmanagersView {
  active(): string[];
  dropped(): string[];
}

export interface NameValue {
  name: string;
  value: number;
}

/** Cardinalities of the head, for `/api/v1/status/tsdb`. */
export interface TsdbStatus {
  headStats: {
    numSeries: number;
    numLabelPairs: number;
    chunkCount: number;
    minTime: number;
    maxTime: number;
  };
  seriesCountByMetricName: NameValue[];
  labelValueCountByLabelName: NameValue[];
  memoryInBytesByLabelName: NameValue[];
  seriesCountByLabelValuePair: NameValue[];
}

export interface StatusView {
  configYaml(): string;
  flags(): Record<string, string>;
  build(): BuildInfo;
  runtime(): Record<string, unknown>;
  tsdb(limit: number): TsdbStatus;
  walReplay(): { min: number; max: number; current: number };
}

export interface BuildInfo {
  version: string;
  revision: string;
  branch: string;
  buildUser: string;
  buildDate: string;
  goVersion: string;
}

export interface Lifecycle {
  /** Whether `/-/reload` and `/-/quit` may be used (`--web.enable-lifecycle`). */
  enabled: boolean;
  isReady: () => boolean;
  isStopping(): boolean;
  /** Throws with the reason when the new configuration was refused; the old one stays in force. */
  reload(): Promise<void>;
  quit(): void;
}

export interface UiOptions {
  /** The folder of built files. */
  directory: string;
  title: string;
  lookbackDelta: string;
}

/** Everything the web front shows or steers. It owns none of it. */
export interface WebParts {
  queries: QueryService;
  scrape: ScrapeView;
  rules: RulesView;
  alertmanagers: AlertmanagersView;
  status: StatusView;
  lifecycle: Lifecycle;
  registry: Registry;
  ui: UiOptions;
  /** Anchored regular expression of allowed origins (`--web.cors.origin`). */
  corsOrigin: string;
  /** "" or `/prefix`. */
  routePrefix: string;
  logger: Logger;
  nowMs: () => number;
}
