import type { Registry } from "@narthex/client";
import { globFiles, type Logger, systemClock, systemDisk } from "../base/index.ts";
import type { Config } from "../config/index.ts";
import { createDiscoveryMetrics, DiscoveryManager } from "../discovery/index.ts";
import { DialMetrics } from "../http/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { type Deliver, Notifier } from "../notifier/index.ts";
import { QueryService } from "../promql/index.ts";
import type { NameValidationScheme } from "../model/index.ts";
import { createLastSamples, RuleManager } from "../rules/index.ts";
import { ScrapeManager } from "../scrape/index.ts";
import type { Tsdb } from "../tsdb/index.ts";
import { exemplarLimitsOf } from "./exemplar-limits.ts";
import { floatEncodingOf } from "./float-encoding.ts";
import { retentionOf } from "./retention.ts";
import { parserOptionsOf } from "./features.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Shutdown } from "./shutdown.ts";
import { userAgent } from "./version.ts";

/** Shared memory that one query may use on one thread. */
const queryMemoryBytesMax = 1024 * 1024 * 1024;

/** The features for which scrapes look for since when counters count. */
const startFeatures = ["created-timestamp-zero-ingestion", "st-storage"];

/** Where the steps stand and what they write to; none of it is theirs. */
export interface StepsParts {
  options: ServerOptions;
  logger: Logger;
  registry: Registry;
  kernel: Kernel;
  tsdb: Tsdb;
  /** An Alertmanager in this process. */
  alertmanager?: { url: string; deliver: Deliver } | undefined;
}

/** The steps of the data's way around the storage: scrapes, queries, rules and notifications. */
export class Steps {
  readonly queries: QueryService;
  readonly notifier: Notifier;
  readonly rules: RuleManager;
  readonly scrape: ScrapeManager;
  readonly #notifyDiscovery: DiscoveryManager;
  readonly #tsdb: Tsdb;
  readonly #options: ServerOptions;
  #config: Config | undefined;
  #isScraping = false;

  /** Everything rests until a configuration is applied; `shutdown` ends it. */
  constructor(parts: StepsParts, shutdown: Shutdown) {
    const { options, registry, kernel, tsdb } = parts;
    const common = { disk: systemDisk, clock: systemClock, logger: parts.logger, registry, userAgent };
    const discoveryMetrics = createDiscoveryMetrics(registry);
    const dials = new DialMetrics(registry);
    this.#tsdb = tsdb;
    this.#options = options;
    this.queries = createQueries(parts);
    shutdown.add(() => this.queries.close());
    this.notifier = new Notifier({
      ...common,
      dials,
      queueAlertsMax: options.queueAlertsMax,
      batchAlertsMax: options.batchAlertsMax,
      drainOnShutdown: options.drainOnShutdown,
      ...(parts.alertmanager && { local: parts.alertmanager }),
    });
    shutdown.add(() => this.notifier.stop());
    this.#notifyDiscovery = new DiscoveryManager({
      ...common,
      name: "notify",
      metrics: discoveryMetrics,
      update: (groups) => {
        for (const [index, found] of groups) this.notifier.updateTargets(Number(index), found);
      },
    });
    shutdown.add(() => this.#notifyDiscovery.close());
    this.rules = new RuleManager({
      ...common,
      query: (text, timestampMs, ruleGroup) => this.queries.vector(text, timestampMs, { ruleGroup }),
      lastSamples: createLastSamples(tsdb.queryable, kernel),
      appendable: tsdb,
      notify: (alerts) => this.notifier.send(alerts),
      externalUrl: options.externalUrl,
      outageToleranceMs: options.outageToleranceMs,
      forGracePeriodMs: options.forGracePeriodMs,
      resendDelayMs: options.resendDelayMs,
    });
    shutdown.add(() => this.rules.stop());
    this.scrape = new ScrapeManager({
      ...common,
      kernel,
      appendable: tsdb,
      discoveryMetrics,
      dials,
      timestampToleranceMs: options.timestampToleranceMs,
      discoveryIntervalMs: options.discoveryIntervalMs,
      readsStarts: startFeatures.some((name) => options.features.includes(name)),
    });
    shutdown.add(() => this.scrape.close());
  }

  /**
   * Puts a configuration in force. Rejects when the query log cannot be opened or a rule file is bad; then nothing has changed. Scrapes begin
   * at once where the storage takes samples already.
   */
  async apply(config: Config): Promise<void> {
    await this.#applyFallible(config);
    const { global, alerting } = config;
    this.#config = config;
    this.#tsdb.setExemplarLimits(exemplarLimitsOf(this.#options, config));
    this.#tsdb.setRetention(retentionOf(config));
    this.#tsdb.setOutOfOrderWindow(config.storage.tsdb.outOfOrderTimeWindowMs);
    this.#tsdb.setFloatEncoding(floatEncodingOf(this.#options, config));
    this.#tsdb.setStaleSeriesThreshold(config.storage.tsdb.staleSeriesCompactionThreshold);
    this.queries.defaultStepMs = global.evaluationIntervalMs;
    this.notifier.applyConfig(alerting, global.externalLabels);
    this.#notifyDiscovery.apply(
      new Map(alerting.alertmanagers.map(({ discovery }, index) => [String(index), discovery])),
    );
    if (this.#tsdb.isAppendable) this.#startScraping(config);
  }

  async #applyFallible({ global, ruleFiles }: Config): Promise<void> {
    this.queries.logTo(global.queryLogFile);
    try {
      await this.rules.update({
        files: ruleFiles.flatMap((pattern) => globFiles(systemDisk, pattern)),
        evaluationIntervalMs: global.evaluationIntervalMs,
        queryOffsetMs: global.ruleQueryOffsetMs,
        externalLabels: global.externalLabels,
        file: {
          parser: parserOptionsOf(this.#options),
          nameValidationScheme: global.scrape.metricNameValidationScheme as NameValidationScheme,
        },
      });
    } catch (error) {
      this.queries.logTo(this.#config?.global.queryLogFile ?? "");
      throw error;
    }
  }

  /** The storage takes samples: scrapes, if it does not already. */
  beginScraping(): void {
    if (!this.#isScraping && this.#config) this.#startScraping(this.#config);
  }

  /** The storage is ready: evaluates the rules. */
  begin(): void {
    this.beginScraping();
    this.rules.start();
  }

  /** Scrapes what the configuration says: mostly from the start, while older samples are still read from the log. */
  #startScraping(config: Config): void {
    this.#isScraping = true;
    this.scrape.apply(config.allScrapeConfigs, config.global.externalLabels);
  }
}

function createQueries({ options, kernel, logger, registry, tsdb }: StepsParts): QueryService {
  const enabled = new Set(options.features);
  return new QueryService({
    kernel,
    queryable: tsdb.queryable,
    clock: systemClock,
    disk: systemDisk,
    directory: options.dataDirectory,
    logger: logger.with({ component: "query" }),
    registry,
    readers: options.readers,
    concurrencyMax: options.queryConcurrencyMax,
    timeoutMs: options.queryTimeoutMs,
    lookbackDeltaMs: options.lookbackDeltaMs,
    samplesMax: options.querySamplesMax,
    memoryBytesMax: queryMemoryBytesMax,
    parser: parserOptionsOf(options),
    features: {
      delayedNameRemoval: enabled.has("promql-delayed-name-removal"),
      typeAndUnitLabels: enabled.has("type-and-unit-labels"),
      startTimestamps: enabled.has("use-start-timestamps"),
    },
    perStepStats: enabled.has("promql-per-step-stats"),
  });
}
