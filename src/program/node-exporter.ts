import { Hono } from "hono";
import { createLogger, formatFlagHelp, type Logger, parseLogOptions } from "../base/index.ts";
import {
  createNodeExporter,
  type NodeExporterCommand,
  nodeExporterFlags,
  parseNodeExporterFlags,
} from "../exporter/index.ts";
import { createServer } from "../http/index.ts";
import { failUsage, run } from "./run.ts";
import { version, versionText } from "./version.ts";

const usage = "narthex node-exporter [flags]";

/** `narthex node-exporter`: metrics of this machine over HTTP. */
export async function runNodeExporter(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h"))
    return void process.stdout.write(formatFlagHelp(usage, nodeExporterFlags));
  if (args.includes("--version")) return void process.stdout.write(versionText("node-exporter"));
  const { command, logger } = parseOrFail(args);
  await run(logger, async () => {
    for (const warning of command.warnings) logger.warn(warning);
    const exporter = createNodeExporter(command.options, {
      log: logger,
      build: { version, revision: "", branch: "" },
    });
    const app = new Hono();
    app.get(command.telemetryPath, async (c) => {
      const { status, contentType, body } = await exporter.handle(new URL(c.req.url).searchParams);
      return new Response(body, { status, headers: { "content-type": contentType } });
    });
    app.get("/", (c) => c.html(landingPage(command.telemetryPath)));
    const server = await createServer({
      fetch: app.fetch,
      listenAddresses: command.listenAddresses,
      webConfigFile: command.webConfigFile,
      logger,
    });
    logger.info("Listening", { address: server.urls.join(" ") });
    return {
      close: async () => {
        await server.close();
        exporter.close();
      },
    };
  });
}

function parseOrFail(args: string[]): { command: NodeExporterCommand; logger: Logger } {
  try {
    const command = parseNodeExporterFlags(args);
    return { command, logger: createLogger(parseLogOptions(command.logLevel, command.logFormat)) };
  } catch (error) {
    return failUsage("node-exporter", error);
  }
}

function landingPage(telemetryPath: string): string {
  const href = encodeURI(telemetryPath).replaceAll('"', "%22");
  return `<!doctype html><title>Node Exporter</title><h1>Node Exporter</h1><p><a href="${href}">Metrics</a></p>`;
}
