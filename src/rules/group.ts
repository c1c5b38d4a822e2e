import { type Clock, errorMessage, NarthexError, type Timer } from "../base/index.ts";
import type { Labels } from "../model/index.ts";
import type { Appendable, Appender, AppendResult } from "../storage/index.ts";
import type { OutgoingAlert } from "./alert.ts";
import { AlertingRule } from "./alerting-rule.ts";
import type { RuleMetrics } from "./metrics.ts";
import { RecordingRule } from "./recording-rule.ts";
import { type RestoreOptions, restoreForState } from "./restore.ts";
import type { Evaluation, Rule, RuleContext, VectorSample } from "./rule.ts";
import type { RuleGroupConfig } from "./rule-file.ts";
import { groupKey, nextSlot, slotBefore, slotOffsetMs } from "./schedule.ts";

/** What all groups share. Getters may answer differently after a new configuration. */
export interface GroupEnvironment {
  readonly context: RuleContext;
  readonly appendable: Appendable;
  readonly clock: Clock;
  readonly metrics: RuleMetrics;
  readonly restore: RestoreOptions;
  readonly resendDelayMs: number;
  /** Of groups that state none. */
  readonly queryOffsetMs: number;
  notify(alerts: readonly OutgoingAlert[]): void;
}

/** Rules that are evaluated one after the other, in the order of their file, at the slots of one interval. */
export class RuleGroup {
  readonly name: string;
  readonly file: string;
  readonly key: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly rules: readonly Rule[];
  readonly #ownQueryOffsetMs: number | undefined;
  readonly #environment: GroupEnvironment;
  #mustRestore: boolean;
  /** Per rule, the series it yielded last, by key. */
  readonly #seriesBefore: Map<string, Labels>[];
  /** Series of rules that are gone, to be ended at the next evaluation. */
  #orphans: Labels[] = [];
  #evaluationMs = 0;
  #lastEvaluationMs: number | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** `mustRestore`: the `for` state of before a restart is still to be read. */
  constructor(
    config: RuleGroupConfig,
    globalIntervalMs: number,
    mustRestore: boolean,
    environment: GroupEnvironment,
  ) {
    this.name = config.name;
    this.file = config.file;
    this.key = groupKey(config);
    this.intervalMs = config.intervalMs ?? globalIntervalMs;
    this.limit = config.limit;
    this.#ownQueryOffsetMs = config.queryOffsetMs;
    this.#environment = environment;
    this.#mustRestore = mustRestore;
    this.rules = config.rules.map((rule) =>
      rule.kind === "recording" ? new RecordingRule(rule) : new AlertingRule(rule, !mustRestore),
    );
    this.#seriesBefore = this.rules.map(() => new Map());
    this.#announce();
  }

  /** Makes the group's metrics appear before anything has happened. */
  #announce(): void {
    const { metrics } = this.#environment;
    const group = { rule_group: this.key };
    metrics.iterations.labels(group);
    metrics.iterationsMissed.labels(group);
    metrics.evaluations.labels(group);
    metrics.evaluationFailures.labels(group);
    metrics.lastEvaluation.labels(group);
    metrics.lastDuration.labels(group);
    metrics.lastRuleDurationSum.labels(group);
    metrics.lastSamples.labels(group);
    metrics.rules.labels(group).set(this.rules.length);
    metrics.interval.labels(group).set(this.intervalMs / 1000);
  }

  get queryOffsetMs(): number {
    return this.#ownQueryOffsetMs ?? this.#environment.queryOffsetMs;
  }

  get alertingRules(): AlertingRule[] {
    return this.rules.filter((rule) => rule instanceof AlertingRule);
  }

  /** How long the last evaluation took. */
  get evaluationMs(): number {
    return this.#evaluationMs;
  }

  /** Wall-clock time of the last evaluation; undefined before the first. */
  get lastEvaluationMs(): number | undefined {
    return this.#lastEvaluationMs;
  }

  /** All that the configuration says about the group; two groups with the same are the same. */
  definition(): string {
    const { key, intervalMs, limit } = this;
    const rules = this.rules.map((rule) => rule.definition());
    return JSON.stringify([key, intervalMs, limit, this.#ownQueryOffsetMs ?? null, rules]);
  }

  /** Begins to evaluate at the group's slots. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Evaluates no more; resolves when a running evaluation has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#environment;
    const offsetMs = slotOffsetMs(this.key, this.intervalMs);
    let slotMs = slotBefore(clock.nowMs(), this.intervalMs, offsetMs) + this.intervalMs;
    await this.#sleepUntil(slotMs);
    for (let iteration = 1; !this.#stopped; iteration++) {
      await this.iterate(slotMs);
      if (iteration === 2 && this.#mustRestore) await this.#restore();
      if (clock.nowMs() < slotMs - this.intervalMs) {
        // The clock was set back: waiting for the old slots would silence the group.
        slotMs = slotBefore(clock.nowMs(), this.intervalMs, offsetMs);
      }
      await this.#sleepUntil(slotMs + this.intervalMs);
      const next = nextSlot(slotMs, clock.nowMs(), this.intervalMs);
      this.#countMissed(next.missed);
      slotMs = next.slotMs;
    }
  }

  #countMissed(missed: number): void {
    if (missed === 0 || this.#stopped) return;
    const { metrics } = this.#environment;
    metrics.iterationsMissed.labels({ rule_group: this.key }).inc(missed);
    metrics.iterations.labels({ rule_group: this.key }).inc(missed);
  }

  #sleepUntil(timestampMs: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    const { clock } = this.#environment;
    return new Promise((resolve) => {
      const timer: Timer = clock.after(Math.max(0, timestampMs - clock.nowMs()), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Evaluates all rules once for the slot at `timestampMs`. */
  async iterate(timestampMs: number): Promise<void> {
    const { clock, metrics } = this.#environment;
    const group = { rule_group: this.key };
    metrics.iterations.labels(group).inc();
    const startMs = clock.nowMs();
    const startMonotonicMs = clock.monotonicMs();
    let sampleCount = 0;
    for (const [i, rule] of this.rules.entries()) {
      if (this.#stopped) return;
      sampleCount += await this.#evaluate(rule, i, timestampMs);
    }
    metrics.lastSamples.labels(group).set(sampleCount);
    this.#orphans = this.#endSeries(this.#orphans, timestampMs) ? [] : this.#orphans;
    this.#evaluationMs = clock.monotonicMs() - startMonotonicMs;
    this.#lastEvaluationMs = startMs;
    const seconds = this.#evaluationMs / 1000;
    metrics.groupDuration.observe(seconds);
    metrics.groupDurationHistogram.observe(seconds);
    metrics.lastDuration.labels(group).set(seconds);
    metrics.lastEvaluation.labels(group).set(startMs / 1000);
    const ruleMs = this.rules.reduce((sum, rule) => sum + rule.evaluationMs, 0);
    metrics.lastRuleDurationSum.labels(group).set(ruleMs / 1000);
  }

  /** Returns how many samples the rule yielded. */
  async #evaluate(rule: Rule, index: number, timestampMs: number): Promise<number> {
    const { clock, context, metrics } = this.#environment;
    const startMs = clock.nowMs();
    const startMonotonicMs = clock.monotonicMs();
    metrics.evaluations.labels({ rule_group: this.key }).inc();
    const queryTimestampMs = timestampMs - this.queryOffsetMs;
    const group = { file: this.file, name: this.name };
    const evaluation: Evaluation = { timestampMs, queryTimestampMs, limit: this.limit, group };
    let sampleCount = 0;
    try {
      const samples = await rule.evaluate(evaluation, context);
      sampleCount = samples.length;
      rule.succeed();
      this.#notify(rule, timestampMs);
      this.#store(rule, index, samples, timestampMs);
    } catch (error) {
      this.#fail(rule, error);
    }
    const durationMs = clock.monotonicMs() - startMonotonicMs;
    rule.recordEvaluation(startMs, durationMs);
    metrics.evaluationDuration.observe(durationMs / 1000);
    metrics.evaluationDurationHistogram.observe(durationMs / 1000);
    return sampleCount;
  }

  #fail(rule: Rule, error: unknown): void {
    const { context, metrics } = this.#environment;
    rule.fail(error);
    metrics.evaluationFailures.labels({ rule_group: this.key }).inc();
    if (error instanceof NarthexError && error.code === "canceled") return;
    context.logger.warn("Evaluating rule failed", {
      file: this.file,
      group: this.name,
      name: rule.name,
      err: errorMessage(error),
    });
  }

  #notify(rule: Rule, timestampMs: number): void {
    if (!(rule instanceof AlertingRule)) return;
    const { context, resendDelayMs } = this.#environment;
    const alerts = rule.takeOutgoing(timestampMs, resendDelayMs, this.intervalMs, context.externalUrl);
    if (alerts.length > 0) this.#environment.notify(alerts);
  }

  /** Appends the samples, then ends the series that the rule yielded before and yields no more. */
  #store(rule: Rule, index: number, samples: readonly VectorSample[], timestampMs: number): void {
    const now = new Map(samples.map(({ labels }) => [labels.key(), labels]));
    if (samples.length > 0) {
      const appender = this.#environment.appendable.appender();
      let result: AppendResult;
      try {
        for (const sample of samples) this.#append(rule, sample, appender);
        result = appender.commit();
      } catch (error) {
        appender.rollback();
        throw error;
      }
      this.#reportDiscarded(rule, result);
    }
    const ended = [...this.#seriesBefore[index]!]
      .filter(([key]) => !now.has(key))
      .map(([, labels]) => labels);
    this.#seriesBefore[index] = now;
    this.#endSeries(ended, timestampMs);
  }

  /** A histogram that is not sound is left out; the others are stored. */
  #append(rule: Rule, { labels, timestampMs, value, histogram }: VectorSample, appender: Appender): void {
    const ref = appender.reference(labels);
    if (histogram === undefined) return appender.append(ref, timestampMs, value);
    try {
      appender.appendHistogram(ref, timestampMs, histogram, "float");
    } catch (error) {
      if (!(error instanceof NarthexError) || error.code !== "bad_data") throw error;
      this.#reportDiscardedBecause(rule, 1, errorMessage(error));
    }
  }

  #reportDiscarded(rule: Rule, result: AppendResult): void {
    const reasons: readonly (readonly [number, string])[] = [
      [result.outOfOrder, "out of order sample"],
      [result.tooOld, "too old sample"],
      [result.outOfBounds, "out of bounds"],
      [result.duplicate, "duplicate sample for timestamp"],
      [result.tooFarInFuture, "sample too far in the future"],
      [result.memoryFull, "out of memory for samples"],
    ];
    for (const [count, reason] of reasons) if (count > 0) this.#reportDiscardedBecause(rule, count, reason);
  }

  #reportDiscardedBecause(rule: Rule, count: number, reason: string): void {
    rule.fail(reason);
    this.#environment.context.logger.warn("Rule evaluation results discarded", {
      file: this.file,
      group: this.name,
      name: rule.name,
      num_dropped: count,
      err: reason,
    });
  }

  /** Writes stale markers; true when they were stored. A series that another rule yields now refuses its marker, rightly. */
  #endSeries(series: readonly Labels[], timestampMs: number): boolean {
    if (series.length === 0) return true;
    const appender = this.#environment.appendable.appender();
    try {
      for (const labels of series) {
        appender.appendStale(appender.reference(labels), timestampMs - this.queryOffsetMs);
      }
      appender.commit();
      return true;
    } catch (error) {
      appender.rollback();
      this.#environment.context.logger.warn("Adding stale samples failed", {
        file: this.file,
        group: this.name,
        err: errorMessage(error),
      });
      return false;
    }
  }

  /** Ends everything the stopped group ever yielded, as of `timestampMs`. */
  endAllSeries(timestampMs: number): void {
    const all = this.#seriesBefore.flatMap((series) => [...series.values()]);
    this.#endSeries([...this.#orphans, ...all], timestampMs);
  }

  async #restore(): Promise<void> {
    const { clock, metrics, restore } = this.#environment;
    const startMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    for (const rule of this.alertingRules) await restoreForState(rule, nowMs, restore);
    this.#mustRestore = false;
    metrics.lastRestoreDuration.labels({ rule_group: this.key }).set((clock.monotonicMs() - startMs) / 1000);
  }

  /** Takes over alerts and series of the stopped group this one replaces. Rules are the same by kind, name and labels. */
  adopt(from: RuleGroup): void {
    this.#evaluationMs = from.#evaluationMs;
    this.#lastEvaluationMs = from.#lastEvaluationMs;
    const candidates = new Map<string, number[]>();
    from.rules.forEach((rule, i) => {
      const indexes = candidates.get(rule.identity());
      if (indexes) indexes.push(i);
      else candidates.set(rule.identity(), [i]);
    });
    this.rules.forEach((rule, i) => {
      const index = candidates.get(rule.identity())?.shift();
      if (index === undefined) return;
      this.#seriesBefore[i] = from.#seriesBefore[index]!;
      const old = from.rules[index]!;
      if (rule instanceof AlertingRule && old instanceof AlertingRule) rule.adopt(old);
    });
    const abandoned = [...candidates.values()].flat().flatMap((i) => [...from.#seriesBefore[i]!.values()]);
    this.#orphans = [...from.#orphans, ...abandoned];
  }
}
