import { quoteGo } from "../../model/index.ts";
import type { EvaluationOptions } from "./messages.ts";
import type { QueryOptions } from "./query.ts";

/** What a query asks for, in the server's limits; `isLogged`: its samples are wanted in any case. */
export function evaluationOptions(
  { stats, limit, explain, lookbackDeltaMs }: QueryOptions,
  deadlineMs: number,
  lookbackDeltaMsDefault: number,
  isLogged: boolean,
): EvaluationOptions {
  const isKnown = stats === "" || stats === "true" || stats === "all";
  return {
    deadlineMs,
    lookbackDeltaMs: lookbackDeltaMs ?? lookbackDeltaMsDefault,
    limit,
    stats: isKnown ? stats : "true",
    countSamples: stats !== "" || isLogged,
    explain: explain === true,
    wholeHistograms: false,
    queuedMs: 0,
    warnings: isKnown ? [] : [deprecatedStats(stats)],
  };
}

function deprecatedStats(stats: string): string {
  return `value ${quoteGo(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`;
}
