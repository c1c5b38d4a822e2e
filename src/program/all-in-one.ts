import { Registry } from "@narthex/client";
import type { Hono } from "hono";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Alertmanager, createAlertmanager } from "../alertmanager/index.ts";
import {
  createLogger,
  type FlagDefinition,
  type Logger,
  systemClock,
  systemDisk,
  textFlag,
} from "../base/index.ts";
import { createNodeExporter, type NodeExporter } from "../exporter/index.ts";
import { readConfigFile } from "./alertmanager.ts";
import { type Quit, type Running, run } from "./run.ts";
import { type ServerExtras, startServer } from "./server.ts";
import { readServerOptions, type ServerOptions } from "./server-options.ts";
import { buildInfo, version } from "./version.ts";

const defaults = fileURLToPath(new URL("../../src/program/defaults", import.meta.url));
const alertmanagerPath = "/alertmanager";
const nodeMetricsPath = "/node/metrics";

const moreFlags: readonly FlagDefinition[] = [
  textFlag(
    "alertmanager.config.file",
    "",
    "Configuration of the Alertmanager in this process; unless given, alerts are only shown.",
  ),
];

/** `narthex` without a role: server, Alertmanager, node exporter and UI in one process on one port. */
export async function runAllInOne(args: string[]): Promise<void> {
  const options = readServerOptions("all-in-one", args, moreFlags);
  const logger = createLogger(options.log);
  const hasConfig =
    args.some((arg) => /^--config\.file\b/.test(arg)) || systemDisk.stat(options.configFile) !== undefined;
  await run(logger, (quit) => startAllInOne(options, logger, quit, hasConfig));
}

async function startAllInOne(
  options: ServerOptions,
  logger: Logger,
  quit: Quit,
  hasConfig: boolean,
): Promise<Running> {
  const exporter = createNodeExporter(
    { disableExporterMetrics: true },
    { log: logger.with({ component: "node exporter" }), build: { version, revision: "", branch: "" } },
  );
  const alertmanager = openAlertmanager(options, logger);
  const extras: ServerExtras = {
    alertmanager: {
      url: `${options.externalUrl.href.replace(/\/$/, "")}${alertmanagerPath}/api/v2/alerts`,
      deliver: async (alerts) => alertmanager.putAlerts(alerts),
      reload: () => alertmanager.reload(),
    },
    addRoutes: (app) => addRoutes(app, alertmanager, exporter),
    ...(!hasConfig && { builtInConfig: builtInConfig(options) }),
  };
  if (!hasConfig) logger.info("No configuration file: watching this machine", { defaults });
  const server = await startServer(options, logger, quit, extras).catch(async (error: unknown) => {
    await alertmanager.close();
    exporter.close();
    throw error;
  });
  return {
    reload: () => server.reload!(),
    releaseMemory: (memory) => server.releaseMemory!(memory),
    close: async () => {
      await server.close();
      await alertmanager.close();
      exporter.close();
    },
  };
}

function openAlertmanager(options: ServerOptions, logger: Logger): Alertmanager {
  const file = options.flags["alertmanager.config.file"]! || `${defaults}/alertmanager.yml`;
  return createAlertmanager({
    loadConfig: () => readConfigFile(file),
    clock: systemClock,
    disk: systemDisk,
    storagePath: `${options.dataDirectory}/alertmanager`,
    externalUrl: `${options.externalUrl.href.replace(/\/$/, "")}${alertmanagerPath}`,
    routePrefix: alertmanagerPath,
    logger: logger.with({ component: "alertmanager" }),
    registry: new Registry(),
    build: buildInfo(),
  });
}

/** The server's front shows these first; its own pages under /alertmanager/ are the UI's. */
function addRoutes(app: Hono, alertmanager: Alertmanager, exporter: NodeExporter): void {
  app.get(nodeMetricsPath, async (c) => {
    const { status, contentType, body } = await exporter.handle(new URL(c.req.url).searchParams);
    return new Response(body, { status, headers: { "content-type": contentType } });
  });
  app.route("/", alertmanager.app);
}

/** The configuration for those who brought none: it watches the address that this process listens on. */
function builtInConfig(options: ServerOptions): { text: string; file: string; directory: string } {
  const file = `${defaults}/prometheus.yml`;
  const address = options.listenAddresses[0]!.replace(/^(?:0\.0\.0\.0|\[::\])?:/, "localhost:");
  const text = readFileSync(file, "utf8")
    .replaceAll("ADDRESS", address)
    .replaceAll("PREFIX", options.routePrefix);
  return { text, file, directory: defaults };
}
