/** Alertmanager's command line, under upstream's names. */
import {
  boolFlag as bool,
  type FlagDefinition,
  type Flags,
  listFlag as list,
  textFlag as text,
  NarthexError,
} from "../base/index.ts";
import { parseDuration } from "../model/index.ts";
import type { MatcherMode } from "./matcher/index.ts";

export const alertmanagerFlags: readonly FlagDefinition[] = [
  text("config.file", "alertmanager.yml", "Alertmanager configuration file name."),
  text("storage.path", "data/", "Base path for data storage."),
  text("data.retention", "120h", "How long to keep data for."),
  text(
    "data.maintenance-interval",
    "15m",
    "Interval between garbage collection and snapshotting to disk of the silences and the notification logs.",
  ),
  text(
    "silences.max-silences",
    "0",
    "Maximum number of silences, including expired silences. If zero, no limit is set.",
  ),
  text("silences.max-silence-size-bytes", "0", "Maximum silence size in bytes. If zero, no limit is set."),
  bool("log.silences", false, "Log every creation, change and end of a silence."),
  text("alerts.gc-interval", "30m", "Interval between alert GC."),
  text(
    "alerts.per-alertname-limit",
    "0",
    "Maximum number of alerts per alertname. If zero, no limit is set.",
  ),
  text("dispatch.start-delay", "0s", "Minimum amount of time to wait before dispatching alerts."),
  list("web.listen-address", [":9093"], "Address to listen on for the API and metrics. May be repeated."),
  text("web.config.file", "", "File that enables TLS or authentication."),
  text("web.external-url", "", "The URL under which Alertmanager is externally reachable; used in links."),
  text("web.route-prefix", "", "Prefix of all routes; the path of --web.external-url unless given."),
  text("web.get-concurrency", "0", "Maximum number of GET requests processed concurrently; 0 means 8."),
  text(
    "cluster.listen-address",
    "0.0.0.0:9094",
    "Listen address for the cluster. A single node does not listen.",
  ),
  text("cluster.peer-timeout", "15s", "Time to wait between peers to send notifications."),
  list("enable-feature", [], "Features to enable, separated by commas: classic-mode, utf8-strict-mode."),
  text("log.level", "info", "Lowest level to log: debug, info, warn, error."),
  text("log.format", "logfmt", "Format of log lines: logfmt or json."),
];

/** Flags of upstream that have no meaning here. They are accepted. */
export const ignoredAlertmanagerFlags: readonly FlagDefinition[] = [
  // A group is gone as soon as it is empty.
  text("dispatch.maintenance-interval", "30s", "", true),
  // Every GET is answered in one go.
  text("web.timeout", "0", "", true),
  text("auto-gomemlimit.ratio", "0.9", "", true),
  bool("web.systemd-socket", false, "", true),
];

/** Upstream's features that change nothing here, or only what metrics are labelled with. */
const harmlessFeatures = [
  "alert-names-in-metrics",
  "receiver-name-in-metrics",
  "group-key-in-metrics",
  "auto-gomemlimit",
  "event-recorder",
];

/** The settings that flags give; what `createAlertmanager` takes beside its surroundings. */
export interface AlertmanagerSettings {
  readonly retentionMs: number;
  readonly maintenanceIntervalMs: number;
  readonly silencesMax: number;
  readonly silenceBytesMax: number;
  readonly logSilences: boolean;
  readonly alertGcIntervalMs: number;
  readonly alertsPerAlertnameMax: number;
  readonly startDelayMs: number;
  readonly getConcurrencyMax: number;
  readonly peerTimeoutMs: number;
  readonly matcherMode: MatcherMode;
}

export const defaultSettings: AlertmanagerSettings = {
  retentionMs: 120 * 3_600_000,
  maintenanceIntervalMs: 15 * 60_000,
  silencesMax: 0,
  silenceBytesMax: 0,
  logSilences: false,
  alertGcIntervalMs: 30 * 60_000,
  alertsPerAlertnameMax: 0,
  startDelayMs: 0,
  getConcurrencyMax: 8,
  peerTimeoutMs: 15_000,
  matcherMode: "fallback",
};

/** Throws `bad_data` naming the flag that is not understood. */
export function readAlertmanagerSettings(flags: Flags): AlertmanagerSettings {
  return {
    retentionMs: flags.read("data.retention", parseDuration),
    maintenanceIntervalMs: flags.read("data.maintenance-interval", parseDuration),
    silencesMax: flags.count("silences.max-silences"),
    silenceBytesMax: flags.count("silences.max-silence-size-bytes"),
    logSilences: flags.bool("log.silences"),
    alertGcIntervalMs: flags.read("alerts.gc-interval", parseDuration),
    alertsPerAlertnameMax: flags.count("alerts.per-alertname-limit"),
    startDelayMs: flags.read("dispatch.start-delay", parseDuration),
    getConcurrencyMax: flags.count("web.get-concurrency") || defaultSettings.getConcurrencyMax,
    peerTimeoutMs: flags.read("cluster.peer-timeout", parseDuration),
    matcherMode: matcherMode(flags.list("enable-feature")),
  };
}

function matcherMode(lists: readonly string[]): MatcherMode {
  const features = lists.flatMap((list) => list.split(",")).filter((name) => name !== "");
  const classic = features.includes("classic-mode");
  const strict = features.includes("utf8-strict-mode");
  const unknown = features.find(
    (name) => ![...harmlessFeatures, "classic-mode", "utf8-strict-mode"].includes(name),
  );
  if (unknown !== undefined) {
    throw new NarthexError("bad_data", `--enable-feature: unknown option ${JSON.stringify(unknown)}`);
  }
  if (classic && strict) {
    throw new NarthexError("bad_data", "--enable-feature: cannot have both classic and UTF-8 modes enabled");
  }
  if (classic) return "classic";
  return strict ? "utf8-strict" : "fallback";
}
