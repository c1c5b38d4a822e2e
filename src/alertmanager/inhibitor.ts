/** Mutes alerts that others make pointless: a warning while the critical alert of the same thing fires. */
import type { Clock, Timer } from "../base/index.ts";
import type { Labels, Matcher } from "../model/index.ts";
import { type Alert, isResolvedAt } from "./alert.ts";
import type { AlertProvider } from "./alert-provider.ts";
import type { InhibitRuleConfig } from "./config/route.ts";
import { matchesAll } from "./matcher/index.ts";

/** How often ended source alerts are dropped. */
const gcIntervalMs = 15 * 60_000;

export class Inhibitor {
  readonly #rules: readonly Rule[];
  readonly #clock: Clock;
  readonly #unsubscribe: () => void;
  #timer: Timer | undefined;

  /** Knows every alert of the provider from the start. Close it before making another. */
  constructor(rules: readonly InhibitRuleConfig[], alerts: AlertProvider, clock: Clock) {
    this.#rules = rules.map((rule) => new Rule(rule));
    this.#clock = clock;
    this.#unsubscribe = alerts.subscribe("inhibitor", (alert) => {
      for (const rule of this.#rules) rule.see(alert);
    });
    this.#scheduleGc();
  }

  /** Fingerprint of the firing alert that mutes one with these labels, by the first rule that has one. */
  inhibiting(labels: Labels): string | undefined {
    const nowMs = this.#clock.nowMs();
    for (const rule of this.#rules) {
      const source = rule.sourceFor(labels, nowMs);
      if (source !== undefined) return source.fingerprint;
    }
    return undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.#unsubscribe();
  }

  #scheduleGc(): void {
    this.#timer = this.#clock.after(gcIntervalMs, () => {
      const nowMs = this.#clock.nowMs();
      for (const rule of this.#rules) rule.collectGarbage(nowMs);
      this.#scheduleGc();
    });
  }
}

class Rule {
  readonly #sourceMatchers: readonly Matcher[];
  readonly #targetMatchers: readonly Matcher[];
  readonly #equal: readonly string[];
  /** Source alerts by fingerprint, by the values of the `equal` labels. */
  readonly #sources = new Map<string, Map<string, Alert>>();

  constructor(config: InhibitRuleConfig) {
    this.#sourceMatchers = config.sourceMatchers;
    this.#targetMatchers = config.targetMatchers;
    this.#equal = config.equal;
  }

  see(alert: Alert): void {
    if (!matchesAll(this.#sourceMatchers, alert.labels)) return;
    const key = this.#equalKey(alert.labels);
    const sources = this.#sources.get(key) ?? new Map<string, Alert>();
    sources.set(alert.fingerprint, alert);
    this.#sources.set(key, sources);
  }

  /**
   * A firing source for a target with these labels. A target that is a source as well is not muted by another that is both: such a
   * pair would mute each other, and an alert itself.
   */
  sourceFor(labels: Labels, nowMs: number): Alert | undefined {
    if (!matchesAll(this.#targetMatchers, labels)) return undefined;
    const isSource = matchesAll(this.#sourceMatchers, labels);
    for (const source of this.#sources.get(this.#equalKey(labels))?.values() ?? []) {
      if (isResolvedAt(source, nowMs)) continue;
      if (!isSource || !matchesAll(this.#targetMatchers, source.labels)) return source;
    }
    return undefined;
  }

  collectGarbage(nowMs: number): void {
    for (const [key, sources] of this.#sources) {
      for (const [fingerprint, source] of sources)
        if (isResolvedAt(source, nowMs)) sources.delete(fingerprint);
      if (sources.size === 0) this.#sources.delete(key);
    }
  }

  /** An absent label equals an empty one. */
  #equalKey(labels: Labels): string {
    return JSON.stringify(this.#equal.map((name) => labels.get(name)));
  }
}
