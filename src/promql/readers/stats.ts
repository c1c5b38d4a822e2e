import { assert } from "../../base/index.ts";
import type { Execution, PartialResult } from "../engine.ts";
import { addSampleCounts, emptySampleCounts } from "../operator/sample-counter.ts";
import type { Grid, Plan } from "../plan/plan.ts";

/** Unix seconds and a count. */
type StepCount = [seconds: number, count: number];

/** What a query took, as the API's `stats` object prints it. Times in seconds. */
export interface QueryStats {
  timings: {
    evalTotalTime: number;
    resultSortTime: number;
    queryPreparationTime: number;
    innerEvalTime: number;
    execQueueTime: number;
    execTotalTime: number;
  };
  samples: {
    /** Samples that were evaluated, one in several windows as often; unless it was counted, those that were loaded. */
    totalQueryableSamples: number;
    samplesRead: number;
    peakSamples: number;
    totalQueryableSamplesPerStep?: StepCount[];
    samplesReadPerStep?: StepCount[];
  };
}

export interface StatsOptions {
  queuedMs: number;
  evaluationMs: number;
  perStep: boolean;
}

/** `own`: what the answering thread found in its share; it is the first of each fragment's parts. */
export function queryStats(
  plan: Plan,
  execution: Execution,
  parts: readonly (readonly PartialResult[])[],
  { queuedMs, evaluationMs, perStep }: StatsOptions,
): QueryStats {
  const { work } = execution;
  // Others prepare and sort at the same time as this thread does.
  const isAlone = parts.length === 0;
  const own = isAlone ? [work] : [work, ...parts.map(([first]) => workOf(first!))];
  const all = isAlone ? own : [work, ...parts.flat().map(workOf)];
  const preparationMs = sum(own, (each) => each.preparationMs);
  const sortMs = sum(own, (each) => each.sortMs);
  const partsPeak = parts.reduce(
    (most, fragment) =>
      Math.max(
        most,
        sum(fragment, (part) => part.samplesPeak),
      ),
    0,
  );
  const loaded = sum(all, (each) => each.samplesLoaded);
  return {
    timings: {
      evalTotalTime: evaluationMs / 1000,
      resultSortTime: sortMs / 1000,
      queryPreparationTime: preparationMs / 1000,
      innerEvalTime: Math.max(0, evaluationMs - preparationMs - sortMs) / 1000,
      execQueueTime: queuedMs / 1000,
      execTotalTime: (queuedMs + evaluationMs) / 1000,
    },
    samples: {
      totalQueryableSamples: loaded,
      samplesRead: loaded,
      peakSamples: Math.max(execution.samplesPeak, partsPeak),
      ...(work.counts !== undefined && countedSamples(plan, all, perStep)),
    },
  };
}

function countedSamples(
  plan: Plan,
  all: readonly PartWork[],
  perStep: boolean,
): Partial<QueryStats["samples"]> {
  const counts = emptySampleCounts(plan.grid.steps);
  for (const each of all) if (each.counts !== undefined) addSampleCounts(counts, each.counts);
  const { queryable, read } = counts;
  return {
    totalQueryableSamples: sum(queryable, (count) => count),
    samplesRead: sum(read, (count) => count),
    ...(perStep && {
      totalQueryableSamplesPerStep: stepCounts(plan.grid, queryable),
      samplesReadPerStep: stepCounts(plan.grid, read),
    }),
  };
}

type PartWork = Execution["work"];

function workOf({ work }: PartialResult): PartWork {
  assert(work !== undefined, "a complete part tells what it took");
  return work;
}

function stepCounts({ startMs, stepMs }: Grid, counts: Float64Array): StepCount[] {
  return Array.from(counts, (count, step) => [(startMs + step * stepMs) / 1000, count]);
}

function sum<T>(all: Iterable<T>, pick: (each: T) => number): number {
  let total = 0;
  for (const each of all) total += pick(each);
  return total;
}

/** Of a query that failed there is the time it took: all of it, and what it waited for its turn. */
export function failedStats(totalMs: number, queuedMs: number): QueryStats {
  const evaluationSeconds = Math.max(0, totalMs - queuedMs) / 1000;
  return {
    timings: {
      evalTotalTime: evaluationSeconds,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evaluationSeconds,
      execQueueTime: queuedMs / 1000,
      execTotalTime: totalMs / 1000,
    },
    samples: { totalQueryableSamples: 0, samplesRead: 0, peakSamples: 0 },
  };
}
