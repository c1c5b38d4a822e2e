import type { Matcher } from "../../model/index.ts";
import type { Queryable } from "../../storage/index.ts";
import type { Expr } from "../ast.ts";
import { children, walk } from "../walk.ts";
import type { QuerySteps } from "./messages.ts";

/** A text is not parsed where scrapes and rules run when its expressions may compile to more states than this. */
const regexStatesMax = 20_000;
/** For estimates: how far apart samples usually are. */
const usualIntervalMs = 15_000;
/** What is read around a window: chunks have more than it. */
const chunkMs = 30 * 60_000;

/**
 * Whether a text is parsed in well under the time between two scrapes. What takes time is the compiling of regular expressions; their
 * repetitions multiply, up to the factor that RE2 allows.
 */
export function isQuickToParse(text: string): boolean {
  if (text.length > regexStatesMax) return false;
  let states = text.length;
  for (const [, from, to] of text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    states *= Math.max(1, Number(to || from));
    if (states > regexStatesMax) return false;
  }
  return true;
}

/** An estimate is good for this long: dashboards ask the same again and again, and series come and go slowly. */
const rememberedMs = 1000;

/** The samples and steps that an evaluation touches, roughly. */
export interface Cost {
  most: number;
  /** Whether the storage's files decide: who does not read their indexes takes all of their series. */
  isGuess: boolean;
}

interface Estimate {
  steps: QuerySteps;
  cost: Cost;
  atMs: number;
}

const remembered = new WeakMap<Expr, Estimate>();

/**
 * What an evaluation costs as far as the head knows, or what that was for the same expression a moment ago. What the head does not know may be any of the series in files,
 * whose indexes are not read here; what it knows will be much the same there.
 */
export function estimateCost(
  expr: Expr,
  steps: QuerySteps,
  queryable: Queryable,
  storedSeriesMax: () => number,
): Cost {
  const nowMs = performance.now();
  const known = remembered.get(expr);
  const isKnown = known?.steps.count === steps.count && known.steps.stepMs === steps.stepMs;
  if (isKnown && nowMs - known.atMs < rememberedMs) return known.cost;
  const querier = queryable.querier(0, 0);
  try {
    let isGuess = false;
    const seriesMax = (matchers: readonly Matcher[]): number => {
      const inHead = querier.seriesCountMax(matchers);
      if (inHead > 0) return inHead;
      const stored = storedSeriesMax();
      if (stored > 0) isGuess = true;
      return stored;
    };
    const most = computeCost(expr, steps, seriesMax);
    const cost = { most, isGuess };
    remembered.set(expr, { steps, cost, atMs: nowMs });
    return cost;
  } finally {
    querier.close();
  }
}

/** Samples lie between steps, too, and are read. `seriesMax`: how many series matchers select, at most. */
export function computeCost(
  expr: Expr,
  steps: QuerySteps,
  seriesMax: (matchers: readonly Matcher[]) => number,
): number {
  let cost = 0;
  walk(expr, (node, path) => {
    if (children(node).length > 0) return;
    let windowMs = usualIntervalMs;
    let inner = steps.count;
    for (const parent of path) {
      if (parent.kind === "matrixSelector") windowMs += parent.rangeMs;
      if (parent.kind === "subquery") inner *= 1 + parent.rangeMs / (parent.stepMs || usualIntervalMs);
    }
    // What selects nothing has steps all the same: those of `vector(1)[1h:10ms]` are many.
    const isSelector = node.kind === "vectorSelector";
    const series = isSelector ? seriesMax(node.matchers) : 0;
    const spanMs = steps.count * Math.min(steps.stepMs, windowMs + chunkMs);
    cost += Math.max(series, 1) * (Math.max(inner, spanMs / usualIntervalMs) + windowMs / usualIntervalMs);
  });
  return cost;
}
