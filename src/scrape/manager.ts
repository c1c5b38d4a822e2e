import { hostname } from "node:os";
import type { Registry } from "@narthex/client";
import { type Clock, type Disk, errorMessage, type Logger, systemClock, systemDisk } from "../base/index.ts";
import {
  createDiscoveryMetrics,
  DiscoveryManager,
  type DiscoveryMetrics,
  type TargetGroups,
} from "../discovery/index.ts";
import type { DialMetrics } from "../http/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Labels } from "../model/index.ts";
import type { Appendable } from "../storage/index.ts";
import { BufferPool } from "./buffers.ts";
import { preferProtobuf, type ScrapeConfig } from "./config.ts";
import { FailureLogs } from "./failure-log.ts";
import type { ScrapeContext } from "./loop.ts";
import { createScrapeMetrics } from "./metrics.ts";
import { type CreateFetcher, ScrapePool } from "./pool.ts";

/** No body is larger, `body_size_limit` or not. */
const bodyBytesMax = 256 * 1024 * 1024;

const timestampToleranceMsDefault = 2;

export interface ScrapeManagerOptions {
  readonly kernel: Kernel;
  readonly appendable: Appendable;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Sent to targets: `Narthex/1.0.0`. */
  readonly userAgent: string;
  /** `--scrape.timestamp-tolerance`. Default 2 ms; 0 takes each time as it is (`--no-scrape.adjust-timestamps`). */
  readonly timestampToleranceMs?: number;
  /** `--scrape.discovery-reload-interval`: targets that were found are handed on this often at most. Default 5 s. */
  readonly discoveryIntervalMs?: number;
  /** Whether it is read since when samples count, where targets tell. Default false: OpenMetrics' `_created` series are series. */
  readonly readsStarts?: boolean;
  readonly clock?: Clock;
  readonly disk?: Disk;
  readonly createFetcher?: CreateFetcher;
  /** Counts connections to targets, by job. */
  readonly dials?: DialMetrics;
  /** Those of a discovery manager beside this one; registered here when missing. */
  readonly discoveryMetrics?: DiscoveryMetrics;
}

/** Discovers and scrapes all jobs of a configuration, and goes on with what stays when it changes. */
export class ScrapeManager {
  readonly #options: ScrapeManagerOptions;
  readonly #context: ScrapeContext;
  readonly #discovery: DiscoveryManager;
  readonly #shutdown = new AbortController();
  readonly #pools = new Map<string, ScrapePool>();
  readonly #endCollecting: () => void;

  constructor(options: ScrapeManagerOptions) {
    const clock = options.clock ?? systemClock;
    const metrics = createScrapeMetrics(options.registry);
    this.#options = options;
    this.#context = {
      appendable: options.appendable,
      kernel: options.kernel,
      buffers: new BufferPool(options.kernel, bodyBytesMax),
      metrics,
      dials: options.dials,
      failureLogs: new FailureLogs(options.disk ?? systemDisk, clock, options.logger),
      clock,
      shutdown: this.#shutdown.signal,
      timestampToleranceMs: options.timestampToleranceMs ?? timestampToleranceMsDefault,
      readsStarts: options.readsStarts ?? false,
      offsetSeed: hostname(),
    };
    this.#discovery = new DiscoveryManager({
      name: "scrape",
      update: (groups) => this.#update(groups),
      userAgent: options.userAgent,
      logger: options.logger.with({ component: "discovery manager scrape" }),
      clock,
      metrics: options.discoveryMetrics ?? createDiscoveryMetrics(options.registry),
      ...(options.disk && { disk: options.disk }),
      ...(options.discoveryIntervalMs !== undefined && { updateIntervalMs: options.discoveryIntervalMs }),
    });
    this.#endCollecting = options.registry.collector(() => this.#collect());
  }

  /** Scrapes these jobs from now on. Jobs, targets and known lines that stay are kept. */
  apply(configs: readonly ScrapeConfig[], externalLabels: Labels): void {
    this.#context.failureLogs.reopen();
    this.#context.offsetSeed = hostname() + externalLabels.toString();
    const { readsStarts } = this.#context;
    const wanted = new Map(
      configs.map((config) => [config.jobName, readsStarts ? preferProtobuf(config) : config]),
    );
    for (const [job, pool] of this.#pools) {
      const config = wanted.get(job);
      if (config) {
        this.#reload(pool, config);
        continue;
      }
      this.#pools.delete(job);
      pool.stop(true).catch((error: unknown) => this.#logStop(job, error));
    }
    for (const [job, config] of wanted) if (!this.#pools.has(job)) this.#create(config);
    this.#discovery.apply(new Map(configs.map(({ jobName, discovery }) => [jobName, discovery])));
  }

  /** The pools by job, sorted. */
  pools(): ScrapePool[] {
    return [...this.#pools.keys()].sort().map((job) => this.#pools.get(job)!);
  }

  pool(job: string): ScrapePool | undefined {
    return this.#pools.get(job);
  }

  /** Ends all scrapes; nothing is appended afterwards. No series is marked as ended: the next start goes on with them. */
  async close(): Promise<void> {
    this.#shutdown.abort();
    this.#discovery.close();
    this.#endCollecting();
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop(false)));
    this.#pools.clear();
    this.#context.buffers.close();
    this.#context.failureLogs.reopen();
  }

  #create(config: ScrapeConfig): void {
    const { logger, userAgent, createFetcher } = this.#options;
    try {
      this.#pools.set(
        config.jobName,
        new ScrapePool(config, this.#context, logger, userAgent, createFetcher),
      );
    } catch (error) {
      this.#context.metrics.poolsFailed.inc();
      logger.error("Creating a scrape pool failed", {
        scrape_pool: config.jobName,
        err: errorMessage(error),
      });
    }
  }

  #reload(pool: ScrapePool, config: ScrapeConfig): void {
    try {
      pool.reload(config);
    } catch (error) {
      this.#context.metrics.poolReloadsFailed.inc();
      const fields = { scrape_pool: config.jobName, err: errorMessage(error) };
      this.#options.logger.error("Reloading a scrape pool failed", fields);
    }
  }

  #update(groups: TargetGroups): void {
    for (const [job, found] of groups) this.#pools.get(job)?.sync(found);
  }

  #collect(): void {
    const { metadataEntries, metadataBytes } = this.#context.metrics;
    for (const [job, pool] of this.#pools) {
      let count = 0;
      let bytes = 0;
      for (const { metadata } of pool.targets()) {
        count += metadata.count;
        bytes += metadata.bytes;
      }
      metadataEntries.labels({ scrape_job: job }).set(count);
      metadataBytes.labels({ scrape_job: job }).set(bytes);
    }
  }

  #logStop(job: string, error: unknown): void {
    this.#options.logger.error("Stopping a scrape pool failed", {
      scrape_pool: job,
      err: errorMessage(error),
    });
  }
}
