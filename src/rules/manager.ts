import type { Registry } from "@narthex/client";
import { type Clock, type Disk, errorMessage, type Logger, NarthexError, type Timer } from "../base/index.ts";
import { Labels } from "../model/index.ts";
import type { Appendable } from "../storage/index.ts";
import type { Alert, OutgoingAlert } from "./alert.ts";
import { type GroupEnvironment, RuleGroup } from "./group.ts";
import { RuleMetrics } from "./metrics.ts";
import type { LastSamplesFunction } from "./restore.ts";
import type { QueryFunction, RuleContext } from "./rule.ts";
import { parseRuleFile, type RuleFileOptions, type RuleGroupConfig } from "./rule-file.ts";

export interface RuleManagerOptions {
  query: QueryFunction;
  /** Reads what alerts were pending before a restart. */
  lastSamples: LastSamplesFunction;
  appendable: Appendable;
  /** Takes firing and resolved alerts; must not wait. */
  notify(alerts: readonly OutgoingAlert[]): void;
  disk: Disk;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  externalUrl: URL;
  /** `--rules.alert.for-outage-tolerance`. */
  outageToleranceMs?: number;
  /** `--rules.alert.for-grace-period`. */
  forGracePeriodMs?: number;
  /** `--rules.alert.resend-delay`. */
  resendDelayMs?: number;
}

/** What of the configuration concerns rules. */
export interface RuleSettings {
  /** `rule_files`, patterns already replaced by the names they match. */
  files: readonly string[];
  evaluationIntervalMs: number;
  queryOffsetMs: number;
  externalLabels: Labels;
  file?: RuleFileOptions;
}

const defaults = {
  outageToleranceMs: 3_600_000,
  forGracePeriodMs: 600_000,
  resendDelayMs: 60_000,
};

/** Upstream's value of `AlertState` orders rules with stronger states first. */
const stateRank = { firing: 3, pending: 2, inactive: 1, unknown: 0 } as const;

/** Owns all rule groups: loads them, keeps them running, and carries their state over from one configuration to the next. */
export class RuleManager {
  readonly #options: RuleManagerOptions;
  readonly #metrics: RuleMetrics;
  readonly #logger: Logger;
  readonly #environment: GroupEnvironment;
  #settings: RuleSettings = {
    files: [],
    evaluationIntervalMs: 60_000,
    queryOffsetMs: 0,
    externalLabels: Labels.empty,
  };
  #groups = new Map<string, RuleGroup>();
  #isLoaded = false;
  #isStarted = false;
  #isStopped = false;
  /** Removed groups whose series are to be ended in two intervals. */
  readonly #pendingEnds = new Set<Timer>();
  #updating: Promise<void> = Promise.resolve();

  constructor(options: RuleManagerOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: "rule manager" });
    this.#metrics = new RuleMetrics(options.registry);
    this.#environment = this.#createEnvironment();
  }

  #createEnvironment(): GroupEnvironment {
    const { clock, appendable, lastSamples, query, externalUrl } = this.#options;
    const settings = (): RuleSettings => this.#settings;
    const logger = this.#logger;
    const context: RuleContext = {
      metrics: this.#metrics,
      query,
      externalUrl,
      logger,
      get externalLabels() {
        return settings().externalLabels;
      },
    };
    return {
      context,
      appendable,
      clock,
      metrics: this.#metrics,
      resendDelayMs: this.#options.resendDelayMs ?? defaults.resendDelayMs,
      restore: {
        lastSamples,
        logger,
        outageToleranceMs: this.#options.outageToleranceMs ?? defaults.outageToleranceMs,
        forGracePeriodMs: this.#options.forGracePeriodMs ?? defaults.forGracePeriodMs,
      },
      get queryOffsetMs() {
        return settings().queryOffsetMs;
      },
      notify: (alerts) => this.#options.notify(alerts),
    };
  }

  /** All groups, by file and then by name. */
  get groups(): RuleGroup[] {
    return [...this.#groups.values()].sort((a, b) => compare(a.file, b.file) || compare(a.name, b.name));
  }

  /** Pending and firing alerts of all rules, the strongest first within each group. */
  get activeAlerts(): Alert[] {
    return this.groups.flatMap((group) =>
      group.alertingRules
        .map((rule) => ({ rule, rank: stateRank[rule.state] }))
        .sort((a, b) => b.rank - a.rank || compare(a.rule.name, b.rule.name))
        .flatMap(({ rule }) => rule.activeAlerts),
    );
  }

  /**
   * Reads the rule files anew. Groups that did not change go on undisturbed; changed ones keep the state of rules that are still
   * there. Rejects with `bad_data` and everything that is wrong, each line with file, line and column; then all stays as it was.
   */
  update(settings: RuleSettings): Promise<void> {
    const result = this.#updating.then(() => this.#update(settings));
    this.#updating = result.catch(() => undefined);
    return result;
  }

  async #update(settings: RuleSettings): Promise<void> {
    if (this.#isStopped) return;
    const configs = this.#load(settings);
    this.#settings = settings;
    const old = this.#groups;
    this.#groups = new Map();
    const mustRestore = !this.#isLoaded;
    this.#isLoaded = true;
    await Promise.all(
      configs.map(async (config) => {
        const group = new RuleGroup(config, settings.evaluationIntervalMs, mustRestore, this.#environment);
        const previous = old.get(group.key);
        old.delete(group.key);
        const isSame = previous?.definition() === group.definition();
        this.#groups.set(group.key, isSame ? previous! : group);
        if (isSame) return;
        if (previous) {
          await previous.stop();
          group.adopt(previous);
        }
        if (this.#isStarted && !this.#isStopped) group.start();
      }),
    );
    await Promise.all([...old.values()].map((group) => this.#retire(group)));
  }

  #load(settings: RuleSettings): RuleGroupConfig[] {
    const problems: string[] = [];
    const groups = new Map<string, RuleGroupConfig>();
    for (const file of new Set(settings.files)) {
      try {
        const content = Buffer.from(this.#options.disk.readFile(file)).toString("utf8");
        const parsed = parseRuleFile(content, file, settings.file);
        if (parsed.hasMoreDocuments) {
          this.#logger.warn("Only the first YAML document of a rule file is read", { file });
        }
        for (const group of parsed.groups) groups.set(`${file};${group.name}`, group);
      } catch (error) {
        const message = errorMessage(error);
        problems.push(message.startsWith(file) ? message : `${file}: ${message}`);
      }
    }
    if (problems.length === 0) return [...groups.values()];
    for (const problem of problems) this.#logger.error("loading groups failed", { err: problem });
    throw new NarthexError(
      "bad_data",
      `error loading rules, previous rule set restored:\n${problems.join("\n")}`,
    );
  }

  /** Ends a group that is configured no more. Its series end two intervals later, in case a renamed rule goes on with them. */
  async #retire(group: RuleGroup): Promise<void> {
    const { clock } = this.#options;
    await group.stop();
    this.#metrics.forget(group.key);
    const timer = clock.after(2 * group.intervalMs, () => {
      this.#pendingEnds.delete(timer);
      group.endAllSeries(clock.nowMs());
    });
    this.#pendingEnds.add(timer);
  }

  /** Begins to evaluate; before, groups are loaded but rest. To be called when the storage can answer. */
  start(): void {
    this.#isStarted = true;
    for (const group of this.#groups.values()) group.start();
  }

  /** Evaluates no more; resolves when everything running has ended. No series is ended: they go on after a restart. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#pendingEnds) timer.cancel();
    this.#pendingEnds.clear();
    await this.#updating;
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
