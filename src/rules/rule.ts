import { errorMessage, type Logger } from "../base/index.ts";
import type { Histogram, Labels } from "../model/index.ts";
import type { RuleMetrics } from "./metrics.ts";
import type { LabelTexts } from "./rule-file.ts";

/** One element of a query's result. */
export interface VectorSample {
  labels: Labels;
  timestampMs: number;
  /** NaN where the sample is a native histogram. */
  value: number;
  histogram?: Histogram;
}

/**
 * Answers an instant query; a scalar comes as one sample without labels. Rejects with a NarthexError when the query fails, or
 * when its result is neither vector nor scalar.
 */
export type QueryFunction = (
  query: string,
  timestampMs: number,
  group: RuleGroupName,
) => Promise<readonly VectorSample[]>;

/** Which group a query is made for. */
export interface RuleGroupName {
  file: string;
  name: string;
}

/** What rules know of the server around them. Values may change with a new configuration. */
export interface RuleContext {
  readonly query: QueryFunction;
  /** Undefined where no server is around. */
  readonly externalUrl: URL | undefined;
  readonly externalLabels: Labels;
  readonly logger: Logger;
  readonly metrics: Pick<RuleMetrics, "expansions" | "expansionFailures">;
}

/** When and within which bounds a rule is evaluated. */
export interface Evaluation {
  /** The group's slot. */
  timestampMs: number;
  /** The query's time, and that of the resulting samples: the slot less the group's query offset. */
  queryTimestampMs: number;
  limit: number;
  group: RuleGroupName;
}

export type RuleHealth = "unknown" | "ok" | "err";

/** What recording and alerting rules share: their text, and how the last evaluation went. */
export abstract class Rule {
  abstract readonly kind: "recording" | "alerting";
  readonly name: string;
  /** The expression's normal form. */
  readonly query: string;
  readonly labels: LabelTexts;
  #health: RuleHealth = "unknown";
  #lastError = "";
  #evaluationMs = 0;
  #lastEvaluationMs: number | undefined;

  constructor(config: { name: string; query: string; labels: LabelTexts }) {
    this.name = config.name;
    this.query = config.query;
    this.labels = config.labels;
  }

  get health(): RuleHealth {
    return this.#health;
  }

  /** Empty while all is well. */
  get lastError(): string {
    return this.#lastError;
  }

  /** How long the last evaluation took. */
  get evaluationMs(): number {
    return this.#evaluationMs;
  }

  /** Wall-clock time of the last evaluation; undefined before the first. */
  get lastEvaluationMs(): number | undefined {
    return this.#lastEvaluationMs;
  }

  /** What is the same for two versions of one rule, whose state may go over from the old to the new one. */
  identity(): string {
    return JSON.stringify([this.kind, this.name, [...this.labels]]);
  }

  /** All that the configuration says about the rule. */
  abstract definition(): string;

  /** The samples to store. Throws NarthexError when the query fails or its result cannot be used. */
  abstract evaluate(evaluation: Evaluation, context: RuleContext): Promise<readonly VectorSample[]>;

  succeed(): void {
    this.#health = "ok";
    this.#lastError = "";
  }

  fail(error: unknown): void {
    this.#health = "err";
    this.#lastError = errorMessage(error);
  }

  recordEvaluation(startMs: number, durationMs: number): void {
    this.#lastEvaluationMs = startMs;
    this.#evaluationMs = durationMs;
  }
}
