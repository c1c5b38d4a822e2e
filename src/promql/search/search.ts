import { jaroWinklerScore } from "./jaro-winkler.ts";
import { type Characters, charactersOf, startsWith, subsequenceScore } from "./subsequence.ts";

export const fuzzyAlgorithms = ["subsequence", "jarowinkler"] as const;

/** What is looked for among names or values. */
export interface SearchOptions {
  /** One of them is enough; without any, everything is found. */
  terms: readonly string[];
  /** How alike, from 0 to 1, a text must be that does not simply hold the term. */
  threshold: number;
  algorithm: (typeof fuzzyAlgorithms)[number];
  isCaseSensitive: boolean;
  order: "ascending" | "descending" | "score";
  /** Most texts to be found. */
  limit: number;
}

/** A text that was found, and how well it fits, from 0 to 1. */
export type SearchHit = readonly [text: string, score: number];

/** How well a text fits; undefined when it does not. */
type Scorer = (text: Characters, value: string) => number | undefined;

/** The texts that fit, in the order that is asked for; `sorted` is in ascending order. */
export function search(sorted: readonly string[], options: SearchOptions): SearchHit[] {
  const scorers = createScorers(options);
  const { order, limit, isCaseSensitive } = options;
  const hits: SearchHit[] = [];
  const isByScore = order === "score";
  for (let i = 0; i < sorted.length && (isByScore || hits.length < limit); i++) {
    const text = sorted[order === "descending" ? sorted.length - 1 - i : i]!;
    const score = bestScore(scorers, isCaseSensitive ? text : text.toLowerCase());
    if (score !== undefined) hits.push([text, score]);
  }
  // The sort is stable: of equal scores the lesser text comes first.
  return isByScore ? hits.sort(([, a], [, b]) => b - a).slice(0, limit) : hits;
}

function createScorers({ terms, threshold, algorithm, isCaseSensitive }: SearchOptions): Scorer[] {
  return terms
    .filter((term) => term !== "")
    .map((term) => (isCaseSensitive ? term : term.toLowerCase()))
    .map((term) => {
      const pattern = charactersOf(term);
      return algorithm === "subsequence"
        ? bySubsequence(pattern, threshold)
        : byPlace(term, pattern, threshold);
    });
}

function bestScore(scorers: readonly Scorer[], value: string): number | undefined {
  if (scorers.length === 0) return 1;
  const text = charactersOf(value);
  let best: number | undefined;
  for (const scorer of scorers) {
    const score = scorer(text, value);
    if (score !== undefined && score > (best ?? -1)) best = score;
    if (best === 1) break;
  }
  return best;
}

function bySubsequence(pattern: Characters, threshold: number): Scorer {
  return (text) => {
    if (startsWith(text, pattern)) return 1;
    const score = subsequenceScore(pattern, text);
    return score > 0 && score >= threshold ? score : undefined;
  };
}

/** A text that holds the term scores by where it does; another one by likeness, where a threshold asks for it. */
function byPlace(term: string, pattern: Characters, threshold: number): Scorer {
  return (text, value) => {
    const at = value.indexOf(term);
    if (at === 0) return 1;
    if (at > 0) return 1 - (0.9 * charactersOf(value.slice(0, at)).length) / (text.length - pattern.length);
    if (threshold === 0) return undefined;
    const score = jaroWinklerScore(pattern, text);
    return score >= threshold ? score : undefined;
  };
}
