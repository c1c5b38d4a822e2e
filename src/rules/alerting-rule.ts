import { errorMessage, NarthexError } from "../base/index.ts";
import { formatHistogram, Labels, LabelsBuilder, Matcher, metricNameLabel } from "../model/index.ts";
import { alertTemplateData, Expander, type TemplateSample } from "../template/index.ts";
import { type Alert, type AlertState, needsSending, type OutgoingAlert } from "./alert.ts";
import { type Evaluation, Rule, type RuleContext, type VectorSample } from "./rule.ts";
import type { AlertingRuleConfig, LabelTexts } from "./rule-file.ts";

const alertNameLabel = "alertname";
const alertStateLabel = "alertstate";
const alertsMetric = "ALERTS";
const forStateMetric = "ALERTS_FOR_STATE";

/** How long a resolved alert is kept and sent again, in case an Alertmanager missed it. */
const resolvedRetentionMs = 15 * 60_000;

/** A text that is expanded for each alert; plain texts cost nothing. */
type Template = { plain: string } | { expander: Expander };

/** Watches a condition, and keeps an alert for each element of the query's result. */
export class AlertingRule extends Rule {
  readonly kind = "alerting";
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: LabelTexts;
  readonly #labelTemplates: readonly (readonly [string, Template])[];
  readonly #annotationTemplates: readonly (readonly [string, Template])[];
  /** By the key of their labels. */
  readonly #alerts = new Map<string, Alert>();
  #restored: boolean;

  /** `restored`: whether the `for` state of before a restart is known already, or there is none to wait for. */
  constructor(config: AlertingRuleConfig, restored: boolean) {
    super(config);
    this.forMs = config.forMs;
    this.keepFiringForMs = config.keepFiringForMs;
    this.annotations = config.annotations;
    this.#labelTemplates = compile(config.name, config.labels);
    this.#annotationTemplates = compile(config.name, config.annotations);
    this.#restored = restored;
  }

  override definition(): string {
    const { query, forMs, keepFiringForMs, annotations } = this;
    return JSON.stringify([this.identity(), query, forMs, keepFiringForMs, [...annotations]]);
  }

  /** Pending and firing. */
  get activeAlerts(): Alert[] {
    return [...this.#alerts.values()].filter((alert) => alert.resolvedAtMs === undefined);
  }

  /** The strongest state among the alerts. */
  get state(): AlertState | "unknown" {
    if (this.lastEvaluationMs === undefined) return "unknown";
    const states = new Set([...this.#alerts.values()].map((alert) => alert.state));
    if (states.has("firing")) return "firing";
    return states.has("pending") ? "pending" : "inactive";
  }

  override async evaluate(evaluation: Evaluation, context: RuleContext): Promise<readonly VectorSample[]> {
    const result = await context.query(this.query, evaluation.queryTimestampMs, evaluation.group);
    const found = new Map<string, Alert>();
    for (const sample of result) {
      const alert = await this.#alertOf(sample, evaluation, context);
      const key = alert.labels.key();
      if (found.has(key)) {
        throw new NarthexError(
          "execution",
          "vector contains metrics with the same labelset after applying alert labels",
        );
      }
      found.set(key, alert);
    }
    this.#merge(found);
    const current = this.#advance(found, evaluation.timestampMs);
    if (evaluation.limit > 0 && current.length > evaluation.limit) {
      this.#alerts.clear();
      throw new NarthexError(
        "execution",
        `exceeded limit of ${evaluation.limit} with ${current.length} alerts`,
      );
    }
    if (!this.#restored) return [];
    return current.flatMap((alert) => this.#samples(alert, evaluation.queryTimestampMs));
  }

  async #alertOf(sample: VectorSample, evaluation: Evaluation, context: RuleContext): Promise<Alert> {
    const expand = this.#expansion(sample, evaluation, context);
    const builder = new LabelsBuilder(sample.labels).delete(metricNameLabel);
    for (const [name, template] of this.#labelTemplates) builder.set(name, await expand(template));
    builder.set(alertNameLabel, this.name);
    const annotations: [string, string][] = [];
    for (const [name, template] of this.#annotationTemplates)
      annotations.push([name, await expand(template)]);
    return {
      state: "pending",
      labels: builder.labels(),
      annotations: Labels.from(annotations),
      // A histogram has no value of its own; templates see it whole.
      value: sample.histogram ? 0 : sample.value,
      activeAtMs: evaluation.timestampMs,
    };
  }

  #expansion(
    sample: VectorSample,
    { timestampMs: timeMs, group }: Evaluation,
    context: RuleContext,
  ): (template: Template) => Promise<string> | string {
    const { externalLabels, externalUrl, logger, metrics } = context;
    const query = async (text: string, timestampMs: number): Promise<TemplateSample[]> =>
      (await context.query(text, timestampMs, group)).map(templateSample);
    const data = alertTemplateData({
      ...templateSample(sample),
      externalLabels,
      externalUrl: withoutSlash(externalUrl),
    });
    return async (template) => {
      if ("plain" in template) return template.plain;
      metrics.expansions.inc();
      try {
        return await template.expander.expand(data, { timeMs, externalUrl, query });
      } catch (error) {
        if (!(error instanceof NarthexError)) throw error;
        metrics.expansionFailures.inc();
        logger.warn("Expanding alert template failed", { alert: this.name, err: error });
        return `<error expanding template: ${errorMessage(error)}>`;
      }
    };
  }

  /** Takes over what the query found: known alerts get their new value, others begin. */
  #merge(found: ReadonlyMap<string, Alert>): void {
    for (const [key, alert] of found) {
      const known = this.#alerts.get(key);
      if (known && known.state !== "inactive") {
        known.value = alert.value;
        known.annotations = alert.annotations;
      } else {
        this.#alerts.set(key, alert);
      }
    }
  }

  /** Moves every alert to the state it has at `timestampMs`. Returns those that are pending or firing. */
  #advance(found: ReadonlyMap<string, Alert>, timestampMs: number): Alert[] {
    const current: Alert[] = [];
    for (const [key, alert] of this.#alerts) {
      if (found.has(key)) delete alert.keepFiringSinceMs;
      else if (!this.#keepsFiring(alert, timestampMs)) {
        this.#resolve(key, alert, timestampMs);
        continue;
      }
      const activeMs = timestampMs - alert.activeAtMs;
      if (alert.state === "pending" && activeMs >= this.forMs) {
        alert.state = "firing";
        alert.firedAtMs = timestampMs;
      } else if (alert.state === "firing" && activeMs < this.forMs) {
        // The rule has a longer `for` now than when the alert began to fire.
        alert.state = "pending";
        delete alert.firedAtMs;
        delete alert.lastSentAtMs;
        delete alert.keepFiringSinceMs;
      }
      current.push(alert);
    }
    return current;
  }

  #keepsFiring(alert: Alert, timestampMs: number): boolean {
    if (alert.state !== "firing" || this.keepFiringForMs === 0) return false;
    alert.keepFiringSinceMs ??= timestampMs;
    return timestampMs - alert.keepFiringSinceMs < this.keepFiringForMs;
  }

  #resolve(key: string, alert: Alert, timestampMs: number): void {
    const { state, resolvedAtMs } = alert;
    const forgotten = resolvedAtMs !== undefined && timestampMs - resolvedAtMs > resolvedRetentionMs;
    if (state === "pending" || forgotten) this.#alerts.delete(key);
    if (state !== "inactive") {
      alert.state = "inactive";
      alert.resolvedAtMs = timestampMs;
    }
  }

  #samples(alert: Alert, timestampMs: number): VectorSample[] {
    const series = (metric: string): LabelsBuilder =>
      new LabelsBuilder(alert.labels).set(metricNameLabel, metric).set(alertNameLabel, this.name);
    const labels = series(alertsMetric).set(alertStateLabel, alert.state).labels();
    const activeAtSeconds = Math.floor(alert.activeAtMs / 1000);
    return [
      { labels, timestampMs, value: 1 },
      { labels: series(forStateMetric).labels(), timestampMs, value: activeAtSeconds },
    ];
  }

  /** The alerts to send at `timestampMs`, which are marked as sent. `intervalMs` is the group's. */
  takeOutgoing(
    timestampMs: number,
    resendDelayMs: number,
    intervalMs: number,
    externalUrl: URL | undefined,
  ): OutgoingAlert[] {
    // Two failed evaluations or sendings must not look like a resolved alert.
    const validMs = 4 * Math.max(intervalMs, resendDelayMs);
    const link = `/graph?${new URLSearchParams({ "g0.expr": this.query, "g0.tab": "1" }).toString()}`;
    const outgoing: OutgoingAlert[] = [];
    for (const alert of this.#alerts.values()) {
      if (!needsSending(alert, timestampMs, resendDelayMs)) continue;
      alert.lastSentAtMs = timestampMs;
      alert.validUntilMs = timestampMs + validMs;
      outgoing.push({
        labels: alert.labels,
        annotations: alert.annotations,
        startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
        endsAtMs: alert.resolvedAtMs ?? alert.validUntilMs,
        generatorUrl: withoutSlash(externalUrl) + link,
      });
    }
    return outgoing;
  }

  /** Selects the `ALERTS_FOR_STATE` series of all alerts of this rule; labels that are templates differ from alert to alert. */
  forStateMatchers(): Matcher[] {
    const fixed = this.#labelTemplates.flatMap(([name, template]) =>
      "plain" in template && name !== alertNameLabel ? [new Matcher("=", name, template.plain)] : [],
    );
    return [
      new Matcher("=", metricNameLabel, forStateMetric),
      new Matcher("=", alertNameLabel, this.name),
      ...fixed,
    ];
  }

  /** Lets `activeAt` say anew since when each alert is active; undefined leaves it. From here on, series are written. */
  restore(activeAt: (alert: Alert) => number | undefined): void {
    for (const alert of this.#alerts.values()) alert.activeAtMs = activeAt(alert) ?? alert.activeAtMs;
    this.#restored = true;
  }

  /** Takes over the alerts of the rule this one replaces. */
  adopt(from: AlertingRule): void {
    for (const [key, alert] of from.#alerts) this.#alerts.set(key, alert);
  }
}

function compile(alert: string, texts: LabelTexts): (readonly [string, Template])[] {
  return [...texts].map(([name, text]) => {
    const template: Template = text.includes("{{")
      ? { expander: Expander.forAlert(`__alert_${alert}`, text) }
      : { plain: text };
    return [name, template] as const;
  });
}

function withoutSlash(url: URL | undefined): string {
  return url === undefined ? "" : url.href.replace(/\/$/, "");
}

function templateSample({ labels, value, histogram }: VectorSample): TemplateSample {
  return { labels, value: histogram ? { histogram: formatHistogram(histogram) } : value };
}
