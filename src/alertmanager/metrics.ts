/** Everything `/metrics` tells about Alertmanager, under upstream's names. */
import type { Registry } from "@narthex/client";

const prefix = "alertmanager_";

/** Why a notification failed. */
export const failureReasons = [
  "other",
  "clientError",
  "serverError",
  "contextCanceled",
  "contextDeadlineExceeded",
  "authError",
  "rateLimited",
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Why alerts were held back. */
export type SuppressReason = "silence" | "inhibition" | "mute_time_interval" | "active_time_interval";

const latencyBuckets = [1, 5, 10, 15, 20];
const durationBuckets = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 5, 20, 60];

export type Metrics = ReturnType<typeof createMetrics>;

/** Registers the metrics; a registry can take one Alertmanager. */
export function createMetrics(registry: Registry) {
  const counter = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    registry.counter<L>({ name: prefix + name, help, labelNames });
  const gauge = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    registry.gauge<L>({ name: prefix + name, help, labelNames });
  const summary = (name: string, help: string) => registry.summary({ name: prefix + name, help });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    ...labelNames: L[]
  ) => registry.histogram<L>({ name: prefix + name, help, buckets, labelNames });

  return {
    // Receiving.
    alerts: gauge("alerts", "How many alerts by state.", "state"),
    alertsReceived: counter(
      "alerts_received_total",
      "The total number of received alerts.",
      "status",
      "version",
    ),
    alertsInvalid: counter(
      "alerts_invalid_total",
      "The total number of received alerts that were invalid.",
      "version",
    ),
    alertsLimited: counter(
      "alerts_limited_total",
      "Total number of alerts that were dropped due to per alert name limit.",
    ),
    alertsPerAlertLimit: gauge("alerts_per_alert_limit", "Current limit on number of alerts per alert name."),
    subscriberChannelWrites: counter(
      "alerts_subscriber_channel_writes_total",
      "Number of times alerts were handed to a subscriber.",
      "subscriber",
    ),

    // Configuration.
    buildInfo: gauge(
      "build_info",
      "A constant 1 with the build in its labels.",
      "version",
      "revision",
      "branch",
      "goversion",
    ),
    receivers: gauge("receivers", "Number of configured receivers."),
    integrations: gauge("integrations", "Number of configured integrations."),
    inhibitionRules: gauge("inhibition_rules", "Number of configured inhibition rules."),
    configHash: gauge("config_hash", "Hash of the currently loaded alertmanager configuration."),
    configLastReloadSuccessful: gauge(
      "config_last_reload_successful",
      "Whether the last configuration reload attempt was successful.",
    ),
    configLastReloadSuccess: gauge(
      "config_last_reload_success_timestamp_seconds",
      "Timestamp of the last successful configuration reload.",
    ),

    // Dispatching.
    aggregationGroups: gauge("dispatcher_aggregation_groups", "Number of active aggregation groups."),
    aggregationGroupLimitReached: counter(
      "dispatcher_aggregation_group_limit_reached_total",
      "Number of times when dispatcher failed to create new aggregation group due to limit.",
    ),
    alertProcessingDuration: summary(
      "dispatcher_alert_processing_duration_seconds",
      "Summary of latencies for the processing of alerts.",
    ),

    // Notifying.
    notifications: counter(
      "notifications_total",
      "The total number of attempted notifications.",
      "integration",
    ),
    notificationsFailed: counter(
      "notifications_failed_total",
      "The total number of failed notifications.",
      "integration",
      "reason",
    ),
    notificationRequests: counter(
      "notification_requests_total",
      "The total number of attempted notification requests.",
      "integration",
    ),
    notificationRequestsFailed: counter(
      "notification_requests_failed_total",
      "The total number of failed notification requests.",
      "integration",
    ),
    notificationLatency: histogram(
      "notification_latency_seconds",
      "The latency of notifications in seconds.",
      latencyBuckets,
      "integration",
    ),
    notificationsSuppressed: counter(
      "notifications_suppressed_total",
      "The total number of notifications suppressed for being silenced, inhibited, outside of active time intervals or within muted time intervals.",
      "reason",
    ),

    // What is kept on disk.
    nflog: storeMetrics("nflog", "notification log"),
    silenceStore: storeMetrics("silences", "silences"),
    silences: gauge("silences", "How many silences by state.", "state"),

    // HTTP.
    requestDuration: histogram(
      "http_request_duration_seconds",
      "Histogram of latencies for HTTP requests.",
      durationBuckets,
      "handler",
      "method",
      "code",
    ),
    responseSize: histogram(
      "http_response_size_bytes",
      "Histogram of response size for HTTP requests.",
      [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
      "handler",
      "method",
    ),
    requestsInFlight: gauge(
      "http_requests_in_flight",
      "Current number of HTTP requests being processed.",
      "method",
    ),
    concurrencyLimitExceeded: counter(
      "http_concurrency_limit_exceeded_total",
      "Total number of times an HTTP request failed because the concurrency limit was reached.",
      "method",
    ),

    // One node alone.
    clusterEnabled: gauge("cluster_enabled", "Indicates whether the clustering is enabled or not."),
  };

  function storeMetrics(name: string, what: string) {
    return {
      gcDuration: summary(
        `${name}_gc_duration_seconds`,
        `Duration of the last ${what} garbage collection cycle.`,
      ),
      snapshotDuration: summary(
        `${name}_snapshot_duration_seconds`,
        `Duration of the last ${what} snapshot.`,
      ),
      snapshotSize: gauge(`${name}_snapshot_size_bytes`, `Size of the last ${what} snapshot in bytes.`),
      maintenances: counter(`${name}_maintenance_total`, `How many maintenances were executed for ${what}.`),
      maintenanceErrors: counter(
        `${name}_maintenance_errors_total`,
        `How many maintenances were executed for ${what} that failed.`,
      ),
      queries: counter(`${name}_queries_total`, `How many queries were received for ${what}.`),
      queryErrors: counter(`${name}_query_errors_total`, `How many ${what} queries did not succeed.`),
      queryDuration: histogram(
        `${name}_query_duration_seconds`,
        `Duration of ${what} query evaluation.`,
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      ),
    };
  }
}

export type StoreMetrics = Metrics["nflog"];
