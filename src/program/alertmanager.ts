import { Registry, startProcessMetrics } from "@narthex/client";
import {
  alertmanagerFlags,
  type AlertmanagerSettings,
  createAlertmanager,
  ignoredAlertmanagerFlags,
  readAlertmanagerSettings,
} from "../alertmanager/index.ts";
import {
  type Flags,
  type Logger,
  NarthexError,
  createLogger,
  errorMessage,
  formatFlagHelp,
  parseFlags,
  parseLogOptions,
  systemClock,
  systemDisk,
} from "../base/index.ts";
import { createServer } from "../http/index.ts";
import { normalizePrefix, parseExternalUrl } from "./external-url.ts";
import { failUsage, run } from "./run.ts";
import { buildInfo, versionText } from "./version.ts";

interface Command {
  flags: Flags;
  settings: AlertmanagerSettings;
  externalUrl: URL;
  logger: Logger;
}

/** `narthex alertmanager`: the Alertmanager as a program of its own. */
export async function runAlertmanager(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) {
    return void process.stdout.write(formatFlagHelp("narthex alertmanager [flags]", alertmanagerFlags));
  }
  if (args.includes("--version")) return void process.stdout.write(versionText("alertmanager"));
  const { flags, settings, externalUrl, logger } = readCommand(args);
  await run(logger, async () => {
    const registry = new Registry();
    const processMetrics = startProcessMetrics(registry);
    const alertmanager = createAlertmanager({
      loadConfig: () => readConfigFile(flags.text("config.file")),
      clock: systemClock,
      disk: systemDisk,
      storagePath: flags.text("storage.path"),
      externalUrl: externalUrl.href.replace(/\/$/, ""),
      routePrefix: normalizePrefix(flags.text("web.route-prefix") || externalUrl.pathname),
      logger,
      registry,
      build: buildInfo(),
      settings,
    });
    const server = await createServer({
      fetch: alertmanager.app.fetch,
      listenAddresses: flags.list("web.listen-address"),
      webConfigFile: flags.text("web.config.file"),
      logger,
    });
    logger.info("Listening", { address: server.urls.join(" ") });
    return {
      reload: () => alertmanager.reload(),
      close: async () => {
        await server.close();
        await alertmanager.close();
        processMetrics.close();
      },
    };
  });
}

function readCommand(args: string[]): Command {
  try {
    const flags = parseFlags([...alertmanagerFlags, ...ignoredAlertmanagerFlags], args);
    return {
      flags,
      settings: readAlertmanagerSettings(flags),
      externalUrl: parseExternalUrl(flags.text("web.external-url"), flags.list("web.listen-address")[0]!),
      logger: createLogger(parseLogOptions(flags.text("log.level"), flags.text("log.format"))),
    };
  } catch (error) {
    return failUsage("alertmanager", error);
  }
}

/** Reads an Alertmanager configuration. Throws `bad_data` when the file cannot be read. */
export function readConfigFile(file: string): { text: string; file: string } {
  try {
    return { text: Buffer.from(systemDisk.readFile(file)).toString("utf8"), file };
  } catch (error) {
    throw new NarthexError("bad_data", `cannot read ${file}: ${errorMessage(error)}`);
  }
}
