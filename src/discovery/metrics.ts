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
    fileReadErrors: registry.counter({
      name: "prometheus_sd_file_read_errors_total",
      help: "Target files that could not be read or understood.",
    }),
    fileWatchErrors: registry.counter({
      name: "prometheus_sd_file_watcher_errors_total",
      help: "Directories that could not be watched; their files are looked at when the refresh interval ends.",
    }),
    fileModified: registry.gauge({
      name: "prometheus_sd_file_mtime_seconds",
      help: "When a target file was last changed.",
      labelNames: ["filename"],
    }),
  };
}
