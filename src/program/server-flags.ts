import { boolFlag as bool, type FlagDefinition, listFlag as list, textFlag as text } from "../base/index.ts";

/** Flags of the server, with upstream's names and defaults; those that Narthex adds are last. */
export const serverFlags: readonly FlagDefinition[] = [
  text("config.file", "prometheus.yml", "Configuration file."),
  bool("config.auto-reload", false, "Reload by itself when the configuration or a rule file changes."),
  text("config.auto-reload-interval", "30s", "How often to look for such changes; at least 1s."),
  list("web.listen-address", ["0.0.0.0:9090"], "Address to listen on for the API, the UI and metrics."),
  text("web.config.file", "", "File that enables TLS or authentication."),
  text("web.read-timeout", "5m", "Longest time to read a request, and to keep an idle connection."),
  text("web.max-connections", "512", "Most simultaneous connections over all listeners."),
  text("web.search.max-limit", "10000", "Most results of one search over the API; 0 sets no bound."),
  text("web.max-notifications-subscribers", "16", "Most who may listen to live notifications at a time."),
  text(
    "web.external-url",
    "",
    "The URL under which this server is reachable from outside; used in links and alerts.",
  ),
  text("web.route-prefix", "", "Prefix of all routes; the path of --web.external-url unless given."),
  bool("web.enable-lifecycle", false, "Allow /-/reload and /-/quit."),
  bool(
    "web.enable-admin-api",
    false,
    "Allow what the API offers to administrators: to delete series, to end running queries.",
  ),
  text("web.page-title", "Narthex", "Title of the web UI."),
  text(
    "web.cors.origin",
    ".*",
    "Regular expression, anchored, of origins that may use the API from a browser.",
  ),
  text("storage.tsdb.path", "data/", "Directory of the data."),
  text("storage.tsdb.retention.time", "0s", "How long samples are kept; 0s means 15d."),
  text(
    "storage.tsdb.retention.size",
    "0B",
    "Most bytes that blocks and write-ahead log may take, such as 512MB; 0B sets no bound.",
  ),
  text("storage.tsdb.min-block-duration", "2h", "What a block holds when it is cut from the head.", true),
  text(
    "storage.tsdb.max-block-duration",
    "0s",
    "The most that compaction puts into one block; 0s means a tenth of the retention, at most 31d.",
    true,
  ),
  text(
    "storage.tsdb.wal-segment-size",
    "128MB",
    "Size at which a segment of the write-ahead log is closed.",
    true,
  ),
  bool("storage.tsdb.wal-compression", true, "Compress the write-ahead log with snappy.", true),
  text(
    "rules.alert.for-outage-tolerance",
    "1h",
    "Longest outage after which the `for` state of alerts is restored.",
  ),
  text("rules.alert.for-grace-period", "10m", "Shortest time between an alert and its restored `for` state."),
  text("rules.alert.resend-delay", "1m", "Shortest time between two sendings of an alert to Alertmanagers."),
  text("alertmanager.notification-queue-capacity", "10000", "Most alerts that wait for an Alertmanager."),
  text("alertmanager.notification-batch-size", "256", "Most alerts in one request to an Alertmanager."),
  bool("alertmanager.drain-notification-queue-on-shutdown", true, "Send what waits before ending."),
  text("query.lookback-delta", "5m", "How far back an instant selector looks for a sample."),
  text("query.timeout", "2m", "Longest time a query may take."),
  text("query.max-concurrency", "20", "Most queries at once."),
  text("query.max-samples", "50000000", "Most samples that a query may hold in memory."),
  list("enable-feature", [], "Features to enable, separated by commas."),
  text("log.level", "info", "Lowest level to log: debug, info, warn, error."),
  text("log.format", "logfmt", "Format of log lines: logfmt or json."),
  text(
    "storage.memory-limit",
    "",
    "Shared memory for series, open chunks and running queries; at most 4GB. Unless given, 4GB or three quarters of the machine's memory.",
  ),
  text("query.readers", "0", "Threads that evaluate queries; 0 means one for each CPU, at most 8."),
];

/** Flags of upstream that have no meaning here: a Go runtime's, or a part that is always on. They are accepted. */
export const ignoredServerFlags: readonly FlagDefinition[] = [
  bool("auto-gomaxprocs", true, "", true),
  bool("auto-gomemlimit", true, "", true),
  text("auto-gomemlimit.ratio", "0.9", "", true),
  text("auto-gomemlimit.refresh-interval", "0s", "", true),
  // Two writers would ruin each other's log: the directory is always locked.
  bool("storage.tsdb.no-lockfile", false, "", true),
  text("web.console.templates", "consoles", "", true),
  text("web.console.libraries", "console_libraries", "", true),
  text("rules.max-concurrent-evals", "4", "", true),
  text("storage.tsdb.head-chunks-write-queue-size", "0", "", true),
];
