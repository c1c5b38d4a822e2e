import { type RelabelConfig, relabelBuilder } from "../codec/index.ts";
import {
  formatDuration,
  type Labels,
  LabelsBuilder,
  type Matcher,
  type MetricMetadata,
} from "../model/index.ts";
import { parseMetricSelector } from "../promql/index.ts";
import type { ScrapeManager } from "./manager.ts";
import { encodePoolConfig, type ScrapePool } from "./pool.ts";
import type { Target, TargetHealth } from "./target.ts";

/** A target as the API shows it. */
export interface ActiveTargetView {
  discoveredLabels: Record<string, string>;
  labels: Record<string, string>;
  scrapePool: string;
  scrapeUrl: string;
  /** The URL for those who come from elsewhere: local host names replaced by our external one. */
  globalUrl: string;
  lastError: string;
  /** RFC 3339. */
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: TargetHealth;
  scrapeInterval: string;
  scrapeTimeout: string;
}

export interface DroppedTargetView {
  discoveredLabels: Record<string, string>;
  scrapePool: string;
}

/** One relabelling rule, and what is left of a target's labels after it. */
export interface RelabelStepView {
  rule: Record<string, unknown>;
  output: Record<string, string>;
  keep: boolean;
}

export interface TargetMetadataView extends MetricMetadata {
  target: Record<string, string>;
  metric?: string;
}

const neverScraped = "0001-01-01T00:00:00Z";
const localHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What the scrape manager knows, in the API's shapes. */
export class ScrapeView {
  readonly #manager: ScrapeManager;
  readonly #externalUrl: URL;

  constructor(manager: ScrapeManager, externalUrl: URL) {
    this.#manager = manager;
    this.#externalUrl = externalUrl;
  }

  pools(): string[] {
    return this.#manager.pools().map(({ config }) => config.jobName);
  }

  /** The pool's part of the configuration as YAML, secrets masked; undefined when there is no such pool. */
  poolConfig(job: string): string | undefined {
    const pool = this.#manager.pool(job);
    return pool && encodePoolConfig(pool.config);
  }

  /** What the job's rules make of a target's labels, rule by rule; undefined when there is no such pool. */
  relabelSteps(job: string, labels: Labels): RelabelStepView[] | undefined {
    const builder = new LabelsBuilder(labels);
    let keep = true;
    return this.#manager.pool(job)?.config.relabelConfigs.map((rule) => {
      keep &&= relabelBuilder(builder, [rule]);
      return { rule: showRule(rule), output: keep ? builder.labels().toObject() : {}, keep };
    });
  }

  activeTargets(job?: string): ActiveTargetView[] {
    return this.#select(job).flatMap((pool) => pool.targets().map((target) => this.#show(pool, target)));
  }

  droppedTargets(job?: string): DroppedTargetView[] {
    return this.#select(job).flatMap(({ dropped, config }) =>
      dropped.map((discovered) => ({ discoveredLabels: discovered.toObject(), scrapePool: config.jobName })),
    );
  }

  /** All dropped targets by pool, those that `keep_dropped_targets` hides included. */
  droppedTargetCounts(): Record<string, number> {
    return Object.fromEntries(
      this.#manager.pools().map(({ config, droppedCount }) => [config.jobName, droppedCount]),
    );
  }

  /** Metadata by metric name, each distinct entry once. Limits below 0 are no limits. */
  metadata(
    metric: string | undefined,
    limitMetrics: number,
    limitPerMetric: number,
  ): Record<string, MetricMetadata[]> {
    const found = new Map<string, MetricMetadata[]>();
    for (const { target } of this.#targets()) {
      const entries = metric === undefined ? [...target.metadata] : pick(target, metric);
      for (const [family, entry] of entries) {
        let distinct = found.get(family);
        if (!distinct) {
          if (limitMetrics >= 0 && found.size >= limitMetrics) continue;
          found.set(family, (distinct = []));
        }
        if (limitPerMetric > 0 && distinct.length >= limitPerMetric) continue;
        if (!distinct.some((other) => equal(other, entry))) distinct.push({ ...entry });
      }
    }
    return Object.fromEntries(found);
  }

  /** What the first target that tells of them says of these families. */
  metadataOf(families: Iterable<string>): Map<string, MetricMetadata> {
    const wanted = new Set(families);
    const found = new Map<string, MetricMetadata>();
    for (const { target } of this.#targets()) {
      if (wanted.size === 0) break;
      for (const family of wanted) {
        const entry = target.metadata.get(family);
        if (!entry) continue;
        found.set(family, entry);
        wanted.delete(family);
      }
    }
    return found;
  }

  /** What the selected targets say, about one metric or about all. Throws `bad_data` when the selector does not parse. */
  targetMetadata(
    matchTarget: string | undefined,
    metric: string | undefined,
    limit: number,
  ): TargetMetadataView[] {
    const matchers = matchTarget ? parseMetricSelector(matchTarget) : [];
    const all: TargetMetadataView[] = [];
    for (const { target } of this.#targets()) {
      if (!matches(target.labels, matchers)) continue;
      const labels = target.labels.toObject();
      if (metric !== undefined && metric !== "") {
        for (const [, entry] of pick(target, metric)) all.push({ target: labels, ...entry });
      } else {
        for (const [family, entry] of target.metadata) all.push({ target: labels, metric: family, ...entry });
      }
      if (limit >= 0 && all.length >= limit) return all.slice(0, limit);
    }
    return all;
  }

  #select(job: string | undefined): ScrapePool[] {
    return this.#manager.pools().filter(({ config }) => job === undefined || config.jobName === job);
  }

  #targets(): { target: Target }[] {
    return this.#manager.pools().flatMap((pool) => pool.targets().map((target) => ({ target })));
  }

  #show(pool: ScrapePool, target: Target): ActiveTargetView {
    return {
      discoveredLabels: target.discovered.toObject(),
      labels: target.labels.toObject(),
      scrapePool: pool.config.jobName,
      scrapeUrl: target.url,
      globalUrl: this.#globalUrl(target.url),
      lastError: target.lastError,
      lastScrape: target.lastScrapeMs === 0 ? neverScraped : new Date(target.lastScrapeMs).toISOString(),
      lastScrapeDuration: Math.round(target.lastDurationMs * 1e6) / 1e9,
      health: target.health,
      scrapeInterval: formatDuration(target.intervalMs),
      scrapeTimeout: formatDuration(target.timeoutMs),
    };
  }

  #globalUrl(source: string): string {
    const url = URL.parse(source);
    if (!url || !localHosts.has(url.hostname)) return source;
    const own = url.port === this.#externalUrl.port;
    url.hostname = this.#externalUrl.hostname;
    // Our own address is known from outside with its scheme.
    if (own) url.protocol = this.#externalUrl.protocol;
    return url.href;
  }
}

/** As in the configuration; what is empty is left out. */
function showRule(rule: RelabelConfig): Record<string, unknown> {
  const { sourceLabels, separator, regex, modulus, targetLabel, replacement, action } = rule;
  return {
    ...(sourceLabels.length > 0 && { source_labels: sourceLabels }),
    separator,
    regex: regex.source,
    ...(modulus > 0 && { modulus }),
    ...(targetLabel !== "" && { target_label: targetLabel }),
    replacement,
    action,
  };
}

function pick(target: Target, metric: string): [string, MetricMetadata][] {
  const entry = target.metadata.get(metric);
  return entry ? [[metric, entry]] : [];
}

function equal(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.help === b.help && a.unit === b.unit;
}

function matches(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}
