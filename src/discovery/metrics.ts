import { Registry } from "@narthex/client";

export type DiscoveryMetrics = ReturnType<typeof createDiscoveryMetrics>;

/** Upstream's `prometheus_sd_*` metrics. `name` tells what the targets are for: `scrape` or `notify`. */
export function createDiscoveryMetrics(registry: Registry = new Registry()) {
  return {
    failedConfigs: registry.gauge({
      name: "prometheus_sd_failed_configs",
      help: "Service discovery configurations that could not be started.",
      labelNames: ["name"],
    }),
    discoveredTargets: registry.gauge({
      name: "prometheus_sd_discovered_targets",
      help: "Targets found at present.",
      labelNames: ["name", "config"],
    }),
    lastUpdateSeconds: registry.gauge({
      name: "prometheus_sd_last_update_timestamp_seconds",
      help: "When the targets at present were handed on.",
      labelNames: ["name", "config"],
    }),
    receivedUpdates: registry.counter({
      name: "prometheus_sd_received_updates_total",
      help: "Updates that mechanisms have published.",
      labelNames: ["name"],
    }),
    sentUpdates: registry.counter({
      name: "prometheus_sd_updates_total",
      help: "Updates handed on to whoever uses the targets.",
      labelNames: ["name"],
    }),
    delayedUpdates: registry.counter({
      name: "prometheus_sd_updates_delayed_total",
      help: "Updates that had to wait because the one before was too recent.",
      labelNames: ["name"],
    }),
    refreshFailures: registry.counter({
      name: "prometheus_sd_refresh_failures_total",
      help: "Refreshes that failed; what was known before them stays.",
      labelNames: ["mechanism", "config"],
    }),
    refreshDuration: registry.summary({
      name: "prometheus_sd_refresh_duration_seconds",
      help: "How long refreshes took.",
      labelNames: ["mechanism", "config"],
      quantiles: [0.5, 0.9, 0.99],
    }),
    httpFailures: registry.counter({
      name: "prometheus_sd_http_failures_total",
      help: "Requests for targets over HTTP that failed.",
    }),
    dnsLookups: registry.counter({
      name: "prometheus_sd_dns_lookups_total",
      help: "Names that were looked up.",
    }),
    dnsFailures: registry.counter({
      name: "prometheus_sd_dns_lookup_failures_total",
      help: "Lookups of names that failed.",
    }),
    fileReadErrors: registry.counter({
      name: "prometheus_sd_file_read_errors_total",
      help: "Target files that could not be read or understood.",
    }),
    fileWatchErrors: registry.counter({
      name: "prometheus_sd_file_watcher_errors_total",
      help: "Directories that could not be watched; their files are looked at when the refresh interval ends.",
    }),
    fileScanDuration: registry.summary({
      name: "prometheus_sd_file_scan_duration_seconds",
      help: "How long it takes to read all target files.",
      quantiles: [0.5, 0.9, 0.99],
    }),
    fileModified: registry.gauge({
      name: "prometheus_sd_file_mtime_seconds",
      help: "When a target file was last changed.",
      labelNames: ["filename"],
    }),
  };
}
