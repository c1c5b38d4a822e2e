import {
  type FlagDefinition,
  type Flags,
  formatFlagHelp,
  type LogFormat,
  type LogLevel,
  parseFlags,
  parseLogOptions,
} from "../base/index.ts";
import { formatDuration, parseDuration, parseGoDuration } from "../model/index.ts";
import { parseByteSize } from "../codec/index.ts";
import { blockRangeMaxDefault, type Retention } from "../tsdb/index.ts";
import { normalizePrefix, parseExternalUrl } from "./external-url.ts";
import { retentionOfFlags } from "./retention.ts";
import { failUsage } from "./run.ts";
import { ignoredServerFlags, serverFlags } from "./server-flags.ts";
import { versionText } from "./version.ts";

const samplesPerChunkDefault = 120;
/** A chunk counts its samples in 16 bits. */
const samplesPerChunkMax = 65_535;

/** The server's flags, read and checked. Durations in milliseconds. */
export interface ServerOptions {
  log: { level: LogLevel; format: LogFormat };
  configFile: string;
  autoReloadMs: number | undefined;
  listenAddresses: readonly string[];
  webConfigFile: string;
  readTimeoutMs: number;
  connectionsMax: number;
  notificationSubscribersMax: number;
  /** 0 sets no bound. */
  searchLimitMax: number;
  externalUrl: URL;
  routePrefix: string;
  lifecycleEnabled: boolean;
  adminEnabled: boolean;
  pageTitle: string;
  corsOrigin: string;
  dataDirectory: string;
  /** What is kept where the configuration does not say. */
  retention: Retention;
  chunkRangeMs: number;
  /** 0 when the retention decides. */
  blockRangeMsMax: number;
  walSegmentBytes: number;
  walCompression: "none" | "snappy" | "zstd";
  samplesPerChunk: number;
  /** 0 takes the time of each scrape as it is. */
  timestampToleranceMs: number;
  discoveryIntervalMs: number;
  memoryLimitBytes: number | undefined;
  outageToleranceMs: number;
  forGracePeriodMs: number;
  resendDelayMs: number;
  queueAlertsMax: number;
  batchAlertsMax: number;
  drainOnShutdown: boolean;
  lookbackDeltaMs: number;
  queryTimeoutMs: number;
  queryConcurrencyMax: number;
  querySamplesMax: number;
  readers: number;
  features: readonly string[];
  /** All flags as they are in force, by name. */
  flags: Record<string, string>;
}

/** Reads the arguments of a role that runs the server. Answers `--help` and `--version`, and ends the process over bad ones. */
export function readServerOptions(
  role: string,
  args: string[],
  moreFlags: readonly FlagDefinition[] = [],
): ServerOptions {
  const definitions = [...serverFlags, ...moreFlags, ...ignoredServerFlags];
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(formatFlagHelp(`narthex ${role} [flags]`, definitions));
    process.exit(0);
  }
  if (args.includes("--version")) {
    process.stdout.write(versionText(role));
    process.exit(0);
  }
  try {
    return decode(parseFlags(definitions, args));
  } catch (error) {
    return failUsage(`narthex ${role}`, error);
  }
}

function decode(flags: Flags): ServerOptions {
  const listenAddresses = flags.list("web.listen-address");
  const externalUrl = parseExternalUrl(flags.text("web.external-url"), listenAddresses[0]!);
  const routePrefix = normalizePrefix(flags.text("web.route-prefix") || externalUrl.pathname);
  const retention = retentionOfFlags(
    flags.read("storage.tsdb.retention.time", parseDuration),
    flags.read("storage.tsdb.retention.size", parseByteSize),
  );
  const chunkRangeMs = flags.read("storage.tsdb.min-block-duration", parseDuration);
  const blockRangeMsMax = flags.read("storage.tsdb.max-block-duration", parseDuration);
  const compressionType = flags.read("storage.tsdb.wal-compression-type", parseCompressionType);
  const toleranceMs = flags.read("scrape.timestamp-tolerance", (text) => parseGoDuration(text));
  const inForce = {
    "web.route-prefix": routePrefix || "/",
    "storage.tsdb.max-block-duration": formatDuration(
      blockRangeMsMax || blockRangeMaxDefault(retention.timeMs, chunkRangeMs),
    ),
  };
  return {
    log: parseLogOptions(flags.text("log.level"), flags.text("log.format")),
    configFile: flags.text("config.file"),
    autoReloadMs: flags.bool("config.auto-reload")
      ? Math.max(flags.read("config.auto-reload-interval", parseDuration), 1000)
      : undefined,
    listenAddresses,
    webConfigFile: flags.text("web.config.file"),
    readTimeoutMs: flags.read("web.read-timeout", parseDuration),
    connectionsMax: flags.count("web.max-connections"),
    notificationSubscribersMax: flags.count("web.max-notifications-subscribers"),
    searchLimitMax: flags.count("web.search.max-limit"),
    externalUrl,
    routePrefix,
    lifecycleEnabled: flags.bool("web.enable-lifecycle"),
    adminEnabled: flags.bool("web.enable-admin-api"),
    pageTitle: flags.text("web.page-title"),
    corsOrigin: flags.text("web.cors.origin"),
    dataDirectory: flags.text("storage.tsdb.path").replace(/(.)\/+$/, "$1"),
    retention,
    chunkRangeMs,
    blockRangeMsMax,
    walSegmentBytes: flags.read("storage.tsdb.wal-segment-size", parseByteSize),
    walCompression: flags.bool("storage.tsdb.wal-compression") ? compressionType : "none",
    samplesPerChunk:
      Math.min(flags.count("storage.tsdb.samples-per-chunk"), samplesPerChunkMax) || samplesPerChunkDefault,
    timestampToleranceMs: flags.bool("scrape.adjust-timestamps") ? toleranceMs : 0,
    discoveryIntervalMs: flags.read("scrape.discovery-reload-interval", parseDuration),
    memoryLimitBytes:
      flags.text("storage.memory-limit") === ""
        ? undefined
        : flags.read("storage.memory-limit", parseByteSize),
    outageToleranceMs: flags.read("rules.alert.for-outage-tolerance", parseDuration),
    forGracePeriodMs: flags.read("rules.alert.for-grace-period", parseDuration),
    resendDelayMs: flags.read("rules.alert.resend-delay", parseDuration),
    queueAlertsMax: flags.count("alertmanager.notification-queue-capacity"),
    batchAlertsMax: flags.count("alertmanager.notification-batch-size"),
    drainOnShutdown: flags.bool("alertmanager.drain-notification-queue-on-shutdown"),
    lookbackDeltaMs: flags.read("query.lookback-delta", parseDuration),
    queryTimeoutMs: flags.read("query.timeout", parseDuration),
    queryConcurrencyMax: flags.count("query.max-concurrency"),
    querySamplesMax: flags.count("query.max-samples"),
    readers: flags.count("query.readers"),
    features: flags.list("enable-feature").flatMap((names) => names.split(",")),
    flags: { ...flags.toObject(), ...inForce },
  };
}

function parseCompressionType(text: string): "snappy" | "zstd" {
  if (text === "snappy" || text === "zstd") return text;
  throw new Error("expected snappy or zstd");
}
