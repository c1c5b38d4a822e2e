import type { Counter, Gauge, Histogram, Registry, Summary } from "@narthex/client";

const labelNames = ["alertmanager"] as const;
type Label = (typeof labelNames)[number];

function name(suffix: string): string {
  return `prometheus_notifications_${suffix}`;
}

/** What the notifier counts, by upstream's names; per Alertmanager, labelled with its URL. */
export class NotifierMetrics {
  readonly latency: Summary<Label>;
  readonly latencyHistogram: Histogram<Label>;
  readonly errors: Counter<Label>;
  readonly sent: Counter<Label>;
  readonly dropped: Counter<Label>;
  readonly queueLength: Gauge<Label>;
  readonly queueCapacity: Gauge;
  readonly #queueCounts = new Map<string, number>();

  constructor(registry: Registry, alertmanagerCount: () => number) {
    this.latency = registry.summary({
      name: name("latency_seconds"),
      help: "How long an Alertmanager takes to accept alerts.",
      quantiles: [0.5, 0.9, 0.99],
      labelNames,
    });
    this.latencyHistogram = registry.histogram({
      name: name("latency_histogram_seconds"),
      help: "How long an Alertmanager takes to accept alerts.",
      buckets: [0.01, 0.1, 1, 10],
      labelNames,
    });
    this.errors = registry.counter({
      name: name("errors_total"),
      help: "Alerts that could not be sent because of an error.",
      labelNames,
    });
    this.sent = registry.counter({ name: name("sent_total"), help: "Alerts sent.", labelNames });
    this.dropped = registry.counter({
      name: name("dropped_total"),
      help: "Alerts given up because of errors or a full queue.",
      labelNames,
    });
    this.queueLength = registry.gauge({
      name: name("queue_length"),
      help: "Alerts that wait to be sent.",
      labelNames,
    });
    this.queueCapacity = registry.gauge({
      name: name("queue_capacity"),
      help: "Alerts that may wait to be sent, for each Alertmanager.",
    });
    registry.gaugeFunction(
      { name: name("alertmanagers_discovered"), help: "Alertmanagers that alerts are sent to." },
      alertmanagerCount,
    );
  }

  /** Makes the metrics of an Alertmanager appear before anything is sent. Each queue to it announces it, and forgets it in the end. */
  announce(alertmanager: string): void {
    this.#queueCounts.set(alertmanager, (this.#queueCounts.get(alertmanager) ?? 0) + 1);
    for (const metric of [this.errors, this.sent, this.dropped, this.queueLength])
      metric.labels({ alertmanager });
  }

  /** Takes the metrics away with the last queue: after a reload, an old one may still deliver beside the new one. */
  forget(alertmanager: string): void {
    const left = this.#queueCounts.get(alertmanager)! - 1;
    if (left > 0) return void this.#queueCounts.set(alertmanager, left);
    this.#queueCounts.delete(alertmanager);
    const { latency, latencyHistogram, errors, sent, dropped, queueLength } = this;
    for (const metric of [latency, latencyHistogram, errors, sent, dropped, queueLength])
      metric.remove({ alertmanager });
  }
}
