import type { Clock } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";

export interface QueryLimits {
  /** Samples that one query may hold in memory. */
  readonly samplesMax: number;
  readonly timeoutMs: number;
  /** Shared memory that one query may use on one thread. */
  readonly memoryBytes: number;
  readonly subqueryStepsMax: number;
}

export const defaultLimits: QueryLimits = {
  samplesMax: 50_000_000,
  timeoutMs: 120_000,
  memoryBytes: 1024 * 1024 * 1024,
  subqueryStepsMax: 10_000_000,
};

export interface QueryFeatures {
  /** `promql-delayed-name-removal`: metric names are dropped once, when the query ends. */
  readonly delayedNameRemoval?: boolean;
  /** `type-and-unit-labels`: counters are told by their `__type__` label instead of their name. */
  readonly typeAndUnitLabels?: boolean;
  /** `use-start-timestamps`: rate, increase, irate and resets look at since when samples count, and `start_timestamp()` tells it. */
  readonly startTimestamps?: boolean;
}

/** What a query runs on. */
export interface QueryContext {
  readonly queryable: Queryable;
  /** A pinned state of the storage that all threads of the query see; default the present one. */
  readonly snapshot?: number | undefined;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly limits: QueryLimits;
  /** How far back an instant selector looks for a sample. */
  readonly lookbackDeltaMs: number;
  /** The step of subqueries that state none. */
  readonly defaultEvalIntervalMs: number;
  readonly features?: QueryFeatures;
  /** Whether samples are counted by step, which takes a little time. */
  readonly countSamples?: boolean;
  /** Whether every operator is timed, which takes time. */
  readonly profile?: boolean;
  /** Asked regularly while the query runs; true ends it. */
  readonly isCancelled?: (() => boolean) | undefined;
  /** Told regularly while the query runs: samples loaded, and bytes of shared memory taken or given back, since the last time. */
  readonly reportProgress?: ((samples: number, memoryBytes: number) => void) | undefined;
}
