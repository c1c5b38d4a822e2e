import { Registry, startProcessMetrics } from "@narthex/client";
import type { Hono } from "hono";
import { fileURLToPath } from "node:url";
import {
  type Logger,
  type SystemMemory,
  createLogger,
  errorMessage,
  systemClock,
  systemDisk,
} from "../base/index.ts";
import { type Config, loadConfig, parseConfig } from "../config/index.ts";
import { createServer } from "../http/index.ts";
import { createKernel, type Kernel } from "../kernel/index.ts";
import { formatDuration } from "../model/index.ts";
import type { Deliver } from "../notifier/index.ts";
import { ScrapeView } from "../scrape/index.ts";
import { MaintenanceThread, openTsdb, type Tsdb } from "../tsdb/index.ts";
import { createWeb } from "../web/index.ts";
import { watchConfig } from "./config-watch.ts";
import { exemplarLimitsOf } from "./exemplar-limits.ts";
import { floatEncodingOf } from "./float-encoding.ts";
import { LiveConfig } from "./live-config.ts";
import { completeRetention, retentionOf } from "./retention.ts";
import { type Quit, type Running, run } from "./run.ts";
import { readServerOptions, type ServerOptions } from "./server-options.ts";
import { createServerStatus } from "./server-status.ts";
import { Shutdown } from "./shutdown.ts";
import { Steps } from "./steps.ts";
import { buildInfo, version } from "./version.ts";

const uiDirectory = fileURLToPath(new URL("../../ui/dist", import.meta.url));

/** What the all-in-one adds to a server. */
export interface ServerExtras {
  /** A configuration in place of the file. */
  builtInConfig?: { text: string; file: string; directory: string };
  /** An Alertmanager in this process. */
  alertmanager?: { url: string; deliver: Deliver; reload(): Promise<void> };
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
  quit: Quit,
  extras: ServerExtras = {},
): Promise<Running> {
  logger.info("Starting Narthex", { version, node: process.version, mode: "server" });
  const registry = createRegistry();
  const config = new LiveConfig({
    load: () => readConfig(options, logger, extras),
    file: options.configFile,
    logger,
    registry,
  });
  const kernel = openKernel(options, registry);
  const tsdb = openStorage(options, config.current, logger, kernel, registry);
  const server = new Server({ options, logger, registry, config, kernel, tsdb, quit, extras });
  try {
    await server.start();
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
  const config =
    builtInConfig === undefined
      ? loadConfig(options.configFile, { warn })
      : parseConfig(builtInConfig.text, builtInConfig.file, builtInConfig.directory, { warn });
  completeRetention(config, options.retention, warn);
  return config;
}

function openKernel({ memoryLimitBytes }: ServerOptions, registry: Registry): Kernel {
  const kernel = createKernel(memoryLimitBytes === undefined ? {} : { limitBytes: memoryLimitBytes });
  const add = (name: string, help: string, read: () => number): void =>
    registry.gaugeFunction({ name, help }, read);
  add("narthex_memory_limit_bytes", "Size of the shared memory.", () => kernel.usage().limitBytes);
  add("narthex_memory_used_bytes", "Shared memory in use.", () => kernel.usage().usedBytes);
  registry.counterFunction(
    {
      name: "narthex_memory_released_bytes_total",
      help: "Shared memory that was used before and has been given back to the system.",
    },
    () => kernel.idlePages.releasedBytes,
  );
  return kernel;
}

function openStorage(
  options: ServerOptions,
  config: Config,
  serverLogger: Logger,
  kernel: Kernel,
  registry: Registry,
): Tsdb {
  const directory = options.dataDirectory;
  const logger = serverLogger.with({ component: "tsdb" });
  return openTsdb({
    kernel,
    disk: systemDisk,
    clock: systemClock,
    directory,
    logger,
    registry,
    keeper: new MaintenanceThread({ kernel, directory, logger }),
    options: {
      retention: retentionOf(config),
      chunkRangeMs: options.chunkRangeMs,
      blockRangeMsMax: options.blockRangeMsMax,
      floatEncoding: floatEncodingOf(options, config),
      walSegmentBytes: options.walSegmentBytes,
      walCompression: options.walCompression,
      samplesPerChunk: options.samplesPerChunk,
      ...exemplarLimitsOf(options, config),
      keepsMetadata: options.features.includes("metadata-wal-records"),
      zeroesStarts: options.features.includes("created-timestamp-zero-ingestion"),
      storesStarts: options.features.includes("st-storage"),
    },
  });
}

interface ServerParts {
  options: ServerOptions;
  logger: Logger;
  registry: Registry;
  config: LiveConfig;
  kernel: Kernel;
  tsdb: Tsdb;
  quit: Quit;
  extras: ServerExtras;
}

/** The steps with their storage and their web front, while the program runs. */
class Server implements Running {
  readonly #parts: ServerParts;
  readonly #shutdown: Shutdown;
  readonly #steps: Steps;
  #isReady = false;
  #isStopping = false;

  constructor(parts: ServerParts) {
    const { logger, registry, tsdb, extras } = parts;
    this.#parts = parts;
    this.#shutdown = new Shutdown(logger);
    this.#shutdown.add(() => tsdb.close());
    const processMetrics = startProcessMetrics(registry);
    this.#shutdown.add(() => processMetrics.close());
    const name = "prometheus_ready";
    registry.gaugeFunction({ name, help: "Whether the server has started up." }, () => Number(this.#isReady));
    this.#steps = new Steps({ ...parts, alertmanager: extras.alertmanager }, this.#shutdown);
  }

  /** Listens first, so that health and readiness can be asked; scrapes once the storage takes samples, and evaluates once it is ready. */
  async start(): Promise<void> {
    const { config, logger, quit, tsdb } = this.#parts;
    await this.#steps.apply(config.current);
    await this.#listen();
    this.#watchConfig();
    void this.#scrapeEarly();
    tsdb.ready.then(
      () => this.#begin(),
      (error: unknown) => {
        logger.error("Opening the storage failed", { err: errorMessage(error) });
        quit("failure");
      },
    );
  }

  async #scrapeEarly(): Promise<void> {
    await this.#parts.tsdb.appendable;
    if (!this.#isStopping) this.#steps.beginScraping();
  }

  #begin(): void {
    if (this.#isStopping) return;
    this.#isReady = true;
    this.#steps.begin();
    this.#parts.logger.info("Server is ready to receive web requests.");
  }

  /** Everything that has a configuration reads it again, whatever becomes of the others. Rejects with the first refusal. */
  async reload(): Promise<void> {
    const { config, extras } = this.#parts;
    const outcomes = await Promise.allSettled([
      config.reload((changed) => this.#steps.apply(changed)),
      extras.alertmanager?.reload(),
    ]);
    const refusal = outcomes.find((outcome) => outcome.status === "rejected");
    if (refusal) throw refusal.reason;
  }

  releaseMemory(memory: SystemMemory): void {
    this.#parts.kernel.idlePages.release((pages) => memory.releasePages(pages, pages.length));
  }

  /** Ends the steps, the last one first: no scrape or rule writes when the storage closes. */
  async close(): Promise<void> {
    this.#isStopping = true;
    await this.#shutdown.run();
  }

  async #listen(): Promise<void> {
    const { extras, logger, options, quit, registry, tsdb } = this.#parts;
    const { queries, notifier, rules, scrape } = this.#steps;
    const webLogger = logger.with({ component: "web" });
    const web = createWeb({
      queries,
      scrape: new ScrapeView(scrape, options.externalUrl),
      rules,
      notifier,
      status: createServerStatus({ ...this.#parts, readers: queries.readers }),
      storage: tsdb,
      lifecycle: {
        enabled: options.lifecycleEnabled,
        isReady: () => this.#isReady,
        isStopping: () => this.#isStopping,
        reload: () => this.reload(),
        quit: () => quit("request"),
      },
      registry,
      ui: {
        directory: uiDirectory,
        title: options.pageTitle,
        lookbackDelta: formatDuration(options.lookbackDeltaMs),
      },
      adminEnabled: options.adminEnabled,
      corsOrigin: options.corsOrigin,
      search: { isEnabled: options.features.includes("search-api"), limitMax: options.searchLimitMax },
      notificationSubscribersMax: options.notificationSubscribersMax,
      routePrefix: options.routePrefix,
      logger: webLogger,
      nowMs: () => systemClock.nowMs(),
      ...(extras.addRoutes && { addRoutes: extras.addRoutes }),
    });
    const server = await createServer({
      ...web,
      listenAddresses: options.listenAddresses,
      webConfigFile: options.webConfigFile,
      maxConnections: options.connectionsMax,
      readTimeoutMs: options.readTimeoutMs,
      registry,
      logger: webLogger,
    });
    this.#shutdown.add(() => server.close());
    logger.info("Listening", { address: server.urls.join(" ") });
  }

  #watchConfig(): void {
    const { config, options } = this.#parts;
    if (options.autoReloadMs === undefined) return;
    const watch = watchConfig({
      disk: systemDisk,
      clock: systemClock,
      intervalMs: options.autoReloadMs,
      files: () => [options.configFile, ...config.current.scrapeConfigFiles, ...config.current.ruleFiles],
      reload: () => this.reload().catch(() => undefined),
    });
    this.#shutdown.add(() => watch.close());
  }
}
