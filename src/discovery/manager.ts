import {
  type Clock,
  type Disk,
  errorMessage,
  type Logger,
  systemClock,
  systemDisk,
  type Timer,
} from "../base/index.ts";
import { fingerprint } from "../model/index.ts";
import type { DiscoveryConfig } from "./config.ts";
import type { Discoverer } from "./discoverer.ts";
import { createDnsDiscoverer } from "./dns.ts";
import { createFileDiscoverer } from "./file.ts";
import { createHttpDiscoverer } from "./http.ts";
import { createDiscoveryMetrics, type DiscoveryMetrics } from "./metrics.ts";
import { createStaticDiscoverer } from "./static.ts";
import type { TargetGroup } from "./target-group.ts";

const updateIntervalMsDefault = 5000;

/** What became of all sections by the name of whoever wants them (a job), the whole each time. */
export type TargetGroups = ReadonlyMap<string, readonly TargetGroup[]>;

export interface DiscoveryManagerOptions {
  /** For metrics: `scrape` or `notify`. */
  name: string;
  update: (groups: TargetGroups) => void;
  logger: Logger;
  /** Sent to those who are asked for targets over HTTP. */
  userAgent?: string;
  /** Once groups were handed on, further changes wait this long. Default 5 s. */
  updateIntervalMs?: number;
  clock?: Clock;
  disk?: Disk;
  metrics?: DiscoveryMetrics;
}

/** A running mechanism. Sections that are alike share one. */
interface Provider {
  /** Sections with the same key find the same targets. */
  readonly key: string;
  readonly config: DiscoveryConfig;
  readonly groups: Map<string, TargetGroup>;
  readonly abort: AbortController;
  users: Set<string>;
}

/** Runs the mechanisms of a configuration, and hands on what they find: at once, then at most once in each update interval. */
export class DiscoveryManager {
  readonly #options: DiscoveryManagerOptions;
  readonly #clock: Clock;
  readonly #metrics: DiscoveryMetrics;
  #providers = new Map<string, Provider>();
  #jobs: readonly string[] = [];
  #sentAtMs = -Infinity;
  #pending: Timer | undefined;
  #closed = false;

  constructor(options: DiscoveryManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? createDiscoveryMetrics();
  }

  /** Runs the mechanisms of these configs by job, keeping those that run already, and ends the others. Hands on at once. */
  apply(configs: ReadonlyMap<string, readonly DiscoveryConfig[]>): void {
    const wanted = new Map<string, Provider>();
    const fresh: Provider[] = [];
    for (const [job, sections] of configs) {
      for (const config of sections) {
        const key = fingerprint(config);
        let provider = wanted.get(key);
        if (!provider) {
          provider = this.#providers.get(key) ?? this.#create(key, config, fresh);
          provider.users = new Set();
          wanted.set(key, provider);
        }
        provider.users.add(job);
      }
    }
    for (const [key, provider] of this.#providers) if (!wanted.has(key)) provider.abort.abort();
    this.#providers = wanted;
    for (const job of this.#jobs) {
      if (configs.has(job)) continue;
      const labels = { name: this.#options.name, config: job };
      this.#metrics.discoveredTargets.remove(labels);
      this.#metrics.lastUpdateSeconds.remove(labels);
    }
    this.#jobs = [...configs.keys()];
    this.#metrics.failedConfigs
      .labels({ name: this.#options.name })
      .set(fresh.filter((each) => !this.#start(each)).length);
    this.#send();
  }

  /** The groups at present, by job. */
  groups(): Map<string, TargetGroup[]> {
    const groups = new Map<string, TargetGroup[]>(this.#jobs.map((job) => [job, []]));
    for (const provider of this.#providers.values()) {
      for (const job of provider.users) groups.get(job)!.push(...provider.groups.values());
    }
    return groups;
  }

  close(): void {
    this.#closed = true;
    this.#pending?.cancel();
    for (const provider of this.#providers.values()) provider.abort.abort();
    this.#providers.clear();
  }

  #create(key: string, config: DiscoveryConfig, fresh: Provider[]): Provider {
    const provider: Provider = {
      key,
      config,
      groups: new Map(),
      abort: new AbortController(),
      users: new Set(),
    };
    fresh.push(provider);
    return provider;
  }

  #start(provider: Provider): boolean {
    const { config } = provider;
    const discoverer = this.#discoverer(provider);
    if (!discoverer) {
      const { name, place } = config as DiscoveryConfig & { mechanism: "unsupported" };
      this.#options.logger.warn(`${place}: ${name}_sd_configs is not supported yet: it finds no targets`, {
        discovery: name,
        jobs: [...provider.users].join(","),
      });
      return false;
    }
    const { signal } = provider.abort;
    discoverer
      .run((groups) => !signal.aborted && this.#receive(provider, groups), signal)
      .catch((error: unknown) => {
        this.#options.logger.error("Service discovery ended", {
          discovery: config.mechanism,
          err: errorMessage(error),
        });
      });
    return true;
  }

  #discoverer({ config, users }: Provider): Discoverer | undefined {
    const { mechanism } = config;
    const disk = this.#options.disk ?? systemDisk;
    const logger = this.#options.logger.with({ discovery: mechanism });
    const common = { clock: this.#clock, disk, logger, metrics: this.#metrics };
    const refreshing = { ...common, mechanism, config: [...users][0] ?? "" };
    switch (mechanism) {
      case "static":
        return createStaticDiscoverer(config);
      case "file":
        return createFileDiscoverer(config, common);
      case "http":
        return createHttpDiscoverer(config, refreshing, this.#options.userAgent ?? "Narthex");
      case "dns":
        return createDnsDiscoverer(config, refreshing);
      case "unsupported":
        return undefined;
    }
  }

  #receive(provider: Provider, groups: readonly TargetGroup[]): void {
    this.#metrics.receivedUpdates.labels({ name: this.#options.name }).inc();
    for (const group of groups) {
      if (group.targets.length === 0) provider.groups.delete(group.source);
      else provider.groups.set(group.source, group);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#pending || this.#closed) return;
    const { updateIntervalMs = updateIntervalMsDefault } = this.#options;
    const waitMs = Math.max(0, this.#sentAtMs + updateIntervalMs - this.#clock.monotonicMs());
    if (waitMs > 0) this.#metrics.delayedUpdates.labels({ name: this.#options.name }).inc();
    this.#pending = this.#clock.after(waitMs, () => this.#send());
  }

  #send(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
    this.#sentAtMs = this.#clock.monotonicMs();
    const groups = this.groups();
    for (const [job, found] of groups) {
      const count = found.reduce((sum, group) => sum + group.targets.length, 0);
      const labels = { name: this.#options.name, config: job };
      this.#metrics.discoveredTargets.labels(labels).set(count);
      this.#metrics.lastUpdateSeconds.labels(labels).set(this.#clock.nowMs() / 1000);
    }
    this.#metrics.sentUpdates.labels({ name: this.#options.name }).inc();
    this.#options.update(groups);
  }
}
