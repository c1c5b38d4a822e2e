import type { Counter, Gauge, Histogram, Registry, Summary } from "@narthex/client";

const groupLabel = ["rule_group"] as const;
const durationBuckets = [0.01, 0.1, 1, 10];

type GroupMetric = Counter<"rule_group"> | Gauge<"rule_group">;

/** What the rules count, by upstream's names. A group's label is `file;name`. */
export class RuleMetrics {
  readonly evaluationDuration: Summary;
  readonly evaluationDurationHistogram: Histogram;
  readonly groupDuration: Summary;
  readonly groupDurationHistogram: Histogram;
  readonly iterationsMissed: Counter<"rule_group">;
  readonly iterations: Counter<"rule_group">;
  readonly evaluations: Counter<"rule_group">;
  readonly evaluationFailures: Counter<"rule_group">;
  readonly interval: Gauge<"rule_group">;
  readonly lastEvaluation: Gauge<"rule_group">;
  readonly lastDuration: Gauge<"rule_group">;
  readonly lastRuleDurationSum: Gauge<"rule_group">;
  readonly lastRestoreDuration: Gauge<"rule_group">;
  readonly rules: Gauge<"rule_group">;
  readonly lastSamples: Gauge<"rule_group">;
  readonly expansions: Counter;
  readonly expansionFailures: Counter;
  readonly #byGroup: GroupMetric[] = [];

  constructor(registry: Registry) {
    this.evaluationDuration = registry.summary({
      name: "prometheus_rule_evaluation_duration_seconds",
      help: "How long a rule takes to evaluate.",
      quantiles: [0.5, 0.9, 0.99],
    });
    this.evaluationDurationHistogram = registry.histogram({
      name: "prometheus_rule_evaluation_duration_histogram_seconds",
      help: "How long a rule takes to evaluate.",
      buckets: durationBuckets,
    });
    this.groupDuration = registry.summary({
      name: "prometheus_rule_group_duration_seconds",
      help: "How long a group takes to evaluate.",
      quantiles: [0.01, 0.05, 0.5, 0.9, 0.99],
    });
    this.groupDurationHistogram = registry.histogram({
      name: "prometheus_rule_group_duration_histogram_seconds",
      help: "How long a group takes to evaluate.",
      buckets: durationBuckets,
    });
    const counter = (name: string, help: string): Counter<"rule_group"> =>
      this.#track(registry.counter({ name: `prometheus_rule_${name}`, help, labelNames: groupLabel }));
    const gauge = (name: string, help: string): Gauge<"rule_group"> =>
      this.#track(registry.gauge({ name: `prometheus_rule_${name}`, help, labelNames: groupLabel }));
    this.iterationsMissed = counter(
      "group_iterations_missed_total",
      "Evaluations of the group that were left out because the one before took too long.",
    );
    this.iterations = counter(
      "group_iterations_total",
      "Evaluations of the group that were due, missed ones included.",
    );
    this.evaluations = counter("evaluations_total", "Evaluations of rules.");
    this.evaluationFailures = counter("evaluation_failures_total", "Evaluations of rules that failed.");
    this.interval = gauge("group_interval_seconds", "Time between two evaluations of the group.");
    this.lastEvaluation = gauge(
      "group_last_evaluation_timestamp_seconds",
      "When the group was last evaluated, in seconds since the epoch.",
    );
    this.lastDuration = gauge(
      "group_last_duration_seconds",
      "How long the last evaluation of the group took.",
    );
    this.lastRuleDurationSum = gauge(
      "group_last_rule_duration_sum_seconds",
      "Sum of the durations of the rules in the last evaluation of the group.",
    );
    this.lastRestoreDuration = gauge(
      "group_last_restore_duration_seconds",
      "How long the `for` state of the group's alerts took to restore.",
    );
    this.rules = gauge("group_rules", "Rules in the group.");
    this.lastSamples = gauge(
      "group_last_evaluation_samples",
      "Samples that the last evaluation of the group yielded.",
    );
    this.expansions = registry.counter({
      name: "prometheus_template_text_expansions_total",
      help: "Expansions of labels and annotations that hold a template.",
    });
    this.expansionFailures = registry.counter({
      name: "prometheus_template_text_expansion_failures_total",
      help: "Expansions of labels and annotations that failed.",
    });
  }

  #track<M extends GroupMetric>(metric: M): M {
    this.#byGroup.push(metric);
    return metric;
  }

  /** Forgets a group that is no more. */
  forget(group: string): void {
    for (const metric of this.#byGroup) metric.remove({ rule_group: group });
  }
}
