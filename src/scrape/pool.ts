import { errorMessage, type Logger } from "../base/index.ts";
import type { TargetGroup } from "../discovery/index.ts";
import { createHttpClient, type HttpClient } from "../http/index.ts";
import { fingerprint, formatDuration, type Labels } from "../model/index.ts";
import { encodeYaml } from "../codec/index.ts";
import { type ScrapeConfig, scrapeConfig } from "./config.ts";
import { createHttpFetcher, type Fetcher } from "./fetcher.ts";
import { type ScrapeContext, ScrapeLoop } from "./loop.ts";
import { forgetJob } from "./metrics.ts";
import { populateTarget } from "./populate.ts";
import { Target } from "./target.ts";

/** Makes the fetcher of a target; tests put their own here. */
export type CreateFetcher = (target: Target, config: ScrapeConfig, client: HttpClient) => Fetcher;

/** The targets of one job. */
export class ScrapePool {
  readonly #context: ScrapeContext;
  readonly #createFetcher: CreateFetcher;
  readonly #logger: Logger;
  readonly #userAgent: string;
  readonly #loops = new Map<string, ScrapeLoop>();
  #config: ScrapeConfig;
  #client: HttpClient;
  #groups: readonly TargetGroup[] = [];
  /** Targets that relabelling dropped, before relabelling; at most `keep_dropped_targets` of them. */
  dropped: Labels[] = [];
  droppedCount = 0;

  constructor(
    config: ScrapeConfig,
    context: ScrapeContext,
    logger: Logger,
    userAgent: string,
    createFetcher?: CreateFetcher,
  ) {
    this.#config = config;
    this.#context = context;
    this.#logger = logger.with({ scrape_pool: config.jobName });
    this.#userAgent = userAgent;
    this.#createFetcher = createFetcher ?? createHttpFetcher;
    this.#client = this.#createClient();
    context.metrics.pools.inc();
    context.metrics.syncFailed.labels({ scrape_job: config.jobName });
  }

  get config(): ScrapeConfig {
    return this.#config;
  }

  /** Targets in the order of their URLs. */
  targets(): Target[] {
    const targets = [...this.#loops.values()].map(({ target }) => target);
    return targets.sort((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0));
  }

  /** Goes on under another configuration. Loops whose target stays keep the lines they know. */
  reload(config: ScrapeConfig): void {
    const before = this.#config;
    if (fingerprint(before) === fingerprint(config)) return;
    const { metrics, clock } = this.#context;
    const startMs = clock.monotonicMs();
    this.#config = config;
    metrics.poolReloads.inc();
    const oldClient = this.#client;
    this.#client = this.#createClient();
    const relabels = rulesOf(before) !== rulesOf(config);
    this.sync(this.#groups);
    const changes = [...this.#loops.values()].map((loop) =>
      loop.reconfigure(config, this.#fetcher(loop.target), relabels),
    );
    Promise.all(changes)
      .then(() => oldClient.close())
      .catch((error: unknown) =>
        this.#logger.debug("Closing connections failed", { err: errorMessage(error) }),
      );
    const interval = formatDuration(config.scrapeIntervalMs);
    metrics.reloadLength.labels({ interval }).observe((clock.monotonicMs() - startMs) / 1000);
  }

  /** Takes the discovered groups: starts loops for new targets, ends those of targets that are gone. */
  sync(groups: readonly TargetGroup[]): void {
    const { metrics, clock } = this.#context;
    const startMs = clock.monotonicMs();
    const label = { scrape_job: this.#config.jobName };
    this.#groups = groups;
    const wanted = this.#populate(groups);
    for (const [key, loop] of this.#loops) {
      if (wanted.has(key)) continue;
      this.#loops.delete(key);
      this.#stop(loop, true);
    }
    const fresh: ScrapeLoop[] = [];
    for (const [key, target] of wanted) {
      const known = this.#loops.get(key)?.target;
      if (known) {
        known.discovered = target.discovered;
        known.intervalMs = target.intervalMs;
        known.timeoutMs = target.timeoutMs;
        known.histograms = target.histograms;
        continue;
      }
      const loop = this.#createLoop(target);
      if (!loop) continue;
      this.#loops.set(key, loop);
      fresh.push(loop);
    }
    this.#limitTargets();
    for (const loop of fresh) loop.start();
    metrics.targets.labels(label).set(this.#loops.size);
    metrics.targetLimit.labels(label).set(this.#config.targetLimit);
    metrics.syncs.labels(label).inc();
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.syncLength.labels(label).observe(seconds);
    metrics.syncLengthHistogram.labels(label).observe(seconds);
  }

  /** Ends all loops; with `markStale`, their series end too. */
  async stop(markStale: boolean): Promise<void> {
    const loops = [...this.#loops.values()];
    this.#loops.clear();
    await Promise.all(loops.map((loop) => loop.stop(markStale)));
    await this.#client.close();
    this.#context.dials?.forget(this.#config.jobName);
    forgetJob(this.#context.metrics, this.#config.jobName);
  }

  #populate(groups: readonly TargetGroup[]): Map<string, Target> {
    const { jobName, keepDroppedTargets, params } = this.#config;
    const wanted = new Map<string, Target>();
    this.dropped = [];
    this.droppedCount = 0;
    for (const group of groups) {
      for (const found of group.targets) {
        try {
          const populated = populateTarget(this.#config, found, group);
          if (populated.labels) {
            const target = new Target({ ...populated, labels: populated.labels }, params);
            if (!wanted.has(target.key)) wanted.set(target.key, target);
          } else {
            if (keepDroppedTargets === 0 || this.dropped.length < keepDroppedTargets)
              this.dropped.push(populated.discovered);
            this.droppedCount++;
          }
        } catch (error) {
          this.#context.metrics.syncFailed.labels({ scrape_job: jobName }).inc();
          this.#logger.error("Creating target failed", {
            target: found.toString(),
            err: errorMessage(error),
          });
        }
      }
    }
    return wanted;
  }

  #createClient(): HttpClient {
    const { httpClient, jobName } = this.#config;
    const dialer = this.#context.dials?.dialer(jobName);
    return createHttpClient(httpClient, { userAgent: this.#userAgent, ...(dialer && { dialer }) });
  }

  #createLoop(target: Target): ScrapeLoop | undefined {
    try {
      return new ScrapeLoop(target, this.#config, this.#fetcher(target), this.#context, this.#logger);
    } catch (error) {
      this.#context.metrics.syncFailed.labels({ scrape_job: this.#config.jobName }).inc();
      this.#logger.error("Creating target failed", { target: target.url, err: errorMessage(error) });
      return undefined;
    }
  }

  #fetcher(target: Target): Fetcher {
    return this.#createFetcher(target, this.#config, this.#client);
  }

  #limitTargets(): void {
    const limit = this.#config.targetLimit;
    const exceeded = limit > 0 && this.#loops.size > limit;
    if (exceeded) this.#context.metrics.exceededTargetLimit.inc();
    const error = exceeded
      ? `target_limit exceeded (number of targets: ${this.#loops.size}, limit: ${limit})`
      : "";
    for (const loop of this.#loops.values()) loop.forcedError = error;
  }

  #stop(loop: ScrapeLoop, markStale: boolean): void {
    loop.stop(markStale).catch((error: unknown) => {
      this.#logger.error("Stopping a scrape loop failed", { err: errorMessage(error) });
    });
  }
}

/** A text that differs whenever two configurations may give a line other labels or another fate. */
function rulesOf(config: ScrapeConfig): string {
  return fingerprint([
    config.honorLabels,
    config.metricRelabelConfigs,
    config.metricNameValidationScheme,
    config.labelLimit,
    config.labelNameLengthLimit,
    config.labelValueLengthLimit,
    config.honorTimestamps,
    config.trackTimestampsStaleness,
    config.sampleLimit,
    config.nativeHistogramBucketLimit,
    config.nativeHistogramMinBucketFactor,
  ]);
}

/** The job's part of the configuration as YAML, secrets masked. */
export function encodePoolConfig(config: ScrapeConfig): string {
  return encodeYaml(scrapeConfig.encode(config));
}
