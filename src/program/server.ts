import { Registry, startProcessMetrics } from "@narthex/client";
import type { Hono } from "hono";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type Logger,
  createLogger,
  errorMessage,
  globFiles,
  systemClock,
  systemDisk,
} from "../base/index.ts";
import { byteSize } from "../codec/index.ts";
import { type Config, encodeConfig, loadConfig, parseConfig } from "../config/index.ts";
import { createDiscoveryMetrics, DiscoveryManager } from "../discovery/index.ts";
import { createServer } from "../http/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { formatDuration } from "../model/index.ts";
import { type Deliver, Notifier } from "../notifier/index.ts";
import { QueryService } from "../promql/index.ts";
import { createLastSamples, RuleManager } from "../rules/index.ts";
import { ScrapeManager, ScrapeView } from "../scrape/index.ts";
import { MaintenanceThread, openTsdb, type Tsdb } from "../tsdb/index.ts";
import { createWeb, type StatusView } from "../web/index.ts";
import { watchConfig } from "./config-watch.ts";
import { type Running, run } from "./run.ts";
import { readServerOptions, type ServerOptions } from "./server-options.ts";
import { buildInfo, userAgent, version } from "./version.ts";

const retentionMsDefault = 15 * 86_400_000;
const uiDirectory = fileURLToPath(new URL("../../ui/dist", import.meta.url));
/** Shared memory that one query may use on one thread. */
const queryMemoryBytesMax = 1024 * 1024 * 1024;

/** What the all-in-one adds to a server. */
export interface ServerExtras {
  /** A configuration in place of the file. */
  builtInConfig?: { text: string; file: string; directory: string };
  /** An Alertmanager in this process. */
  alertmanager?: { url: string; deliver: Deliver };
  /** Routes that come before the server's own. */
  addRoutes?: (app: Hono) => void;
}

/** `narthex server`: the Prometheus server. */
export async function runServer(args: string[]): Promise<void> {
  const options = readServerOptions("server", args);
  const logger = createLogger(options.log);
  await run(logger, (quit) => startServer(options, logger, quit));
}

/** Wires the steps of the data's way together and starts them; what it returns closes all of it. */
export async function startServer(
  options: ServerOptions,
  logger: Logger,
  quit: () => void,
  extras: ServerExtras = {},
): Promise<Running> {
  logger.info("Starting Narthex", { version, node: process.version, mode: "server" });
  const load = (): Config => readConfig(options, logger, extras);
  const config = load();
  const registry = createRegistry();
  const kernel = createKernel(
    options.memoryLimitBytes === undefined ? {} : { limitBytes: options.memoryLimitBytes },
  );
  const directory = options.dataDirectory;
  const tsdbLogger = logger.with({ component: "tsdb" });
  const tsdb = openTsdb({
    kernel,
    disk: systemDisk,
    clock: systemClock,
    directory,
    logger: tsdbLogger,
    registry,
    keeper: new MaintenanceThread({ kernel, directory, logger: tsdbLogger }),
    options: {
      retentionMs: retentionMs(options, config),
      retentionBytes: retentionBytes(options, config),
      walSegmentBytes: options.walSegmentBytes,
      walCompression: options.walCompression,
    },
  });
  const server = new Server(options, logger, registry, kernel, tsdb, load);
  try {
    await server.start(config, quit, extras);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

function createRegistry(): Registry {
  const registry = new Registry();
  registry
    .gauge({
      name: "prometheus_build_info",
      help: "Version of the program; always 1.",
      labelNames: ["version", "goversion"],
    })
    .labels({ version, goversion: buildInfo().goVersion })
    .set(1);
  return registry;
}

function readConfig(options: ServerOptions, logger: Logger, { builtInConfig }: ServerExtras): Config {
  const warn = (message: string): void => logger.warn(message, { component: "config" });
  if (builtInConfig === undefined) return loadConfig(options.configFile, { warn });
  return parseConfig(builtInConfig.text, builtInConfig.file, builtInConfig.directory, { warn });
}

/** 0 when only the size is bounded. */
function retentionMs(options: ServerOptions, config: Config): number {
  const unlessGiven = retentionBytes(options, config) > 0 ? 0 : retentionMsDefault;
  return config.storage.tsdb.retention.timeMs || options.retentionMs || unlessGiven;
}

function describeRetention(options: ServerOptions, config: Config): string {
  const time = retentionMs(options, config);
  const size = retentionBytes(options, config);
  const parts = [time > 0 ? formatDuration(time) : "", size > 0 ? String(byteSize.encode(size)) : ""];
  return parts.filter((part) => part !== "").join(" or ");
}

function retentionBytes(options: ServerOptions, config: Config): number {
  return config.storage.tsdb.retention.sizeBytes || options.retentionBytes;
}

/** All steps of a running server. */
class Server implements Running {
  readonly #options: ServerOptions;
  readonly #logger: Logger;
  readonly #registry: Registry;
  readonly #kernel: Kernel;
  readonly #tsdb: Tsdb;
  readonly #load: () => Config;
  readonly #startedMs = Date.now();
  /** What `close` ends, in the order in which it was started. */
  readonly #closers: (() => Promise<void> | void)[] = [];
  #config!: Config;
  #lastReload = { succeeded: true, atMs: Date.now() };
  #isReady = false;
  #isScraping = false;
  #isStopping = false;
  #queries!: QueryService;
  #scrape!: ScrapeManager;
  #rules!: RuleManager;
  #notifier!: Notifier;
  #notifyDiscovery!: DiscoveryManager;

  constructor(
    options: ServerOptions,
    logger: Logger,
    registry: Registry,
    kernel: Kernel,
    tsdb: Tsdb,
    load: () => Config,
  ) {
    this.#options = options;
    this.#logger = logger;
    this.#registry = registry;
    this.#kernel = kernel;
    this.#tsdb = tsdb;
    this.#load = load;
    this.#closers.push(() => tsdb.close());
  }

  /** Listens first, so that health and readiness can be asked; scrapes and evaluates once the storage is ready. */
  async start(config: Config, quit: () => void, extras: ServerExtras): Promise<void> {
    const processMetrics = startProcessMetrics(this.#registry);
    this.#closers.push(() => processMetrics.close());
    this.#addReloadMetrics();
    this.#openQueries();
    this.#createSteps(extras);
    await this.#apply(config);
    await this.#listen(quit, extras);
    this.#tsdb.ready.then(
      () => this.#begin(),
      (error: unknown) => {
        this.#logger.error("Opening the storage failed", { err: errorMessage(error) });
        quit();
      },
    );
    if (this.#options.autoReloadMs !== undefined) {
      const files = (): string[] => [
        this.#options.configFile,
        ...this.#config.scrapeConfigFiles,
        ...this.#config.ruleFiles,
      ];
      const reload = (): Promise<void> => this.reload().catch(() => undefined);
      const watch = watchConfig({
        disk: systemDisk,
        clock: systemClock,
        intervalMs: this.#options.autoReloadMs,
        files,
        reload,
      });
      this.#closers.push(() => watch.close());
    }
  }

  /** Reads the configuration again. Rejects when it or a rule file is bad; then everything goes on with the old one. */
  async reload(): Promise<void> {
    try {
      await this.#apply(this.#load());
      this.#lastReload = { succeeded: true, atMs: Date.now() };
      this.#logger.info("Completed loading of configuration file", { filename: this.#options.configFile });
    } catch (error) {
      this.#lastReload = { ...this.#lastReload, succeeded: false };
      throw error;
    }
  }

  /** Ends the steps, the last one first: no scrape or rule writes when the storage closes. */
  async close(): Promise<void> {
    this.#isStopping = true;
    for (const close of this.#closers.toReversed()) {
      try {
        await close();
      } catch (error) {
        this.#logger.error("Closing failed", { err: errorMessage(error) });
      }
    }
  }

  #begin(): void {
    if (this.#isStopping) return;
    this.#isReady = true;
    if (!this.#isScraping) this.#startScraping();
    this.#rules.start();
    this.#logger.info("Server is ready to receive web requests.");
  }

  /** What can fail comes first: when the query log cannot be opened or rule files are bad, the rest has not changed yet. */
  async #apply(config: Config): Promise<void> {
    const { global, alerting } = config;
    this.#queries.logTo(global.queryLogFile);
    await this.#rules.update({
      files: config.ruleFiles.flatMap((pattern) => globFiles(systemDisk, pattern)),
      evaluationIntervalMs: global.evaluationIntervalMs,
      queryOffsetMs: global.ruleQueryOffsetMs,
      externalLabels: global.externalLabels,
    });
    this.#config = config;
    this.#queries.defaultStepMs = global.evaluationIntervalMs;
    this.#notifier.applyConfig(alerting, global.externalLabels);
    this.#notifyDiscovery.apply(
      new Map(alerting.alertmanagers.map(({ discovery }, index) => [String(index), discovery])),
    );
    if (this.#tsdb.isAppendable) this.#startScraping();
  }

  /** Scrapes what the configuration says now: mostly from the start, while older samples are still read from the log. */
  #startScraping(): void {
    this.#isScraping = true;
    this.#scrape.apply(this.#config.allScrapeConfigs, this.#config.global.externalLabels);
  }

  #openQueries(): void {
    const { options, tsdb } = { options: this.#options, tsdb: this.#tsdb };
    const enabled = new Set(options.features);
    this.#queries = new QueryService({
      kernel: this.#kernel,
      queryable: tsdb.queryable,
      clock: systemClock,
      disk: systemDisk,
      directory: options.dataDirectory,
      logger: this.#logger.with({ component: "query" }),
      registry: this.#registry,
      readers: options.readers,
      concurrencyMax: options.queryConcurrencyMax,
      timeoutMs: options.queryTimeoutMs,
      lookbackDeltaMs: options.lookbackDeltaMs,
      samplesMax: options.querySamplesMax,
      memoryBytesMax: queryMemoryBytesMax,
      parser: {
        experimentalFunctions: enabled.has("promql-experimental-functions"),
        extendedRangeSelectors: enabled.has("promql-extended-range-selectors"),
        binopFillModifiers: enabled.has("promql-binop-fill-modifiers"),
      },
      features: {
        delayedNameRemoval: enabled.has("promql-delayed-name-removal"),
        typeAndUnitLabels: enabled.has("type-and-unit-labels"),
      },
      perStepStats: enabled.has("promql-per-step-stats"),
    });
    this.#closers.push(() => this.#queries.close());
  }

  #createSteps(extras: ServerExtras): void {
    const parts = {
      disk: systemDisk,
      clock: systemClock,
      logger: this.#logger,
      registry: this.#registry,
      userAgent,
    };
    const options = this.#options;
    this.#notifier = new Notifier({
      ...parts,
      queueAlertsMax: options.queueAlertsMax,
      batchAlertsMax: options.batchAlertsMax,
      drainOnShutdown: options.drainOnShutdown,
      ...(extras.alertmanager && { local: extras.alertmanager }),
    });
    this.#closers.push(() => this.#notifier.stop());
    const discoveryMetrics = createDiscoveryMetrics(this.#registry);
    this.#notifyDiscovery = new DiscoveryManager({
      ...parts,
      name: "notify",
      metrics: discoveryMetrics,
      update: (groups) => {
        for (const [index, found] of groups) this.#notifier.updateTargets(Number(index), found);
      },
    });
    this.#closers.push(() => this.#notifyDiscovery.close());
    this.#rules = new RuleManager({
      ...parts,
      query: (text, timestampMs, ruleGroup) => this.#queries.vector(text, timestampMs, { ruleGroup }),
      lastSamples: createLastSamples(this.#tsdb.queryable, this.#kernel),
      appendable: this.#tsdb,
      notify: (alerts) => this.#notifier.send(alerts),
      externalUrl: options.externalUrl,
      outageToleranceMs: options.outageToleranceMs,
      forGracePeriodMs: options.forGracePeriodMs,
      resendDelayMs: options.resendDelayMs,
    });
    this.#closers.push(() => this.#rules.stop());
    this.#scrape = new ScrapeManager({
      ...parts,
      kernel: this.#kernel,
      appendable: this.#tsdb,
      discoveryMetrics,
    });
    this.#closers.push(() => this.#scrape.close());
  }

  async #listen(quit: () => void, extras: ServerExtras): Promise<void> {
    const options = this.#options;
    const app = createWeb({
      queries: this.#queries,
      scrape: new ScrapeView(this.#scrape, options.externalUrl),
      rules: this.#rules,
      notifier: this.#notifier,
      status: this.#statusView(),
      storage: this.#tsdb,
      lifecycle: {
        enabled: options.lifecycleEnabled,
        isReady: () => this.#isReady,
        isStopping: () => this.#isStopping,
        reload: () => this.reload(),
        quit,
      },
      registry: this.#registry,
      ui: {
        directory: uiDirectory,
        title: options.pageTitle,
        lookbackDelta: formatDuration(options.lookbackDeltaMs),
      },
      adminEnabled: options.adminEnabled,
      corsOrigin: options.corsOrigin,
      routePrefix: options.routePrefix,
      logger: this.#logger.with({ component: "web" }),
      nowMs: () => systemClock.nowMs(),
      ...(extras.addRoutes && { addRoutes: extras.addRoutes }),
    });
    const server = await createServer({
      fetch: app.fetch,
      listenAddresses: options.listenAddresses,
      webConfigFile: options.webConfigFile,
      maxConnections: options.connectionsMax,
      readTimeoutMs: options.readTimeoutMs,
      logger: this.#logger.with({ component: "web" }),
    });
    this.#closers.push(() => server.close());
    this.#logger.info("Listening", { address: server.urls.join(" ") });
  }

  #statusView(): StatusView {
    return {
      configYaml: () => encodeConfig(this.#config),
      flags: () => this.#options.flags,
      build: buildInfo,
      runtime: () => this.#runtimeInfo(),
      tsdb: (limit) => this.#tsdb.stats(limit),
      walReplay: () => this.#tsdb.replayProgress ?? { min: 0, max: 0, current: 0 },
    };
  }

  #runtimeInfo(): Record<string, unknown> {
    return {
      startTime: new Date(this.#startedMs).toISOString(),
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: new Date().toISOString(),
      reloadConfigSuccess: this.#lastReload.succeeded,
      lastConfigTime: new Date(this.#lastReload.atMs).toISOString(),
      corruptionCount: this.#tsdb.replayResult?.damages.length ?? 0,
      // One goroutine upstream is a thread here.
      goroutineCount: 1 + this.#queries.readers,
      GOMAXPROCS: 1 + this.#queries.readers,
      GOMEMLIMIT: this.#kernel.usage().limitBytes,
      GOGC: "",
      GODEBUG: "",
      storageRetention: describeRetention(this.#options, this.#config),
    };
  }

  #addReloadMetrics(): void {
    const add = (name: string, help: string, read: () => number): void =>
      this.#registry.gaugeFunction({ name, help }, read);
    add(
      "prometheus_config_last_reload_successful",
      "Whether the last reload of the configuration succeeded.",
      () => Number(this.#lastReload.succeeded),
    );
    add(
      "prometheus_config_last_reload_success_timestamp_seconds",
      "When the configuration was last loaded successfully.",
      () => this.#lastReload.atMs / 1000,
    );
    add("prometheus_ready", "Whether the server has started up.", () => Number(this.#isReady));
    add("narthex_memory_limit_bytes", "Size of the shared memory.", () => this.#kernel.usage().limitBytes);
    add("narthex_memory_used_bytes", "Shared memory in use.", () => this.#kernel.usage().usedBytes);
  }
}
