import { parseExpr, type ParserOptions } from "../parser.ts";
import { changesWithTime } from "../plan/functions.ts";
import { printExpr } from "../printer.ts";
import { walk } from "../walk.ts";
import type { EvalCommand } from "./script.ts";

/** `start()` and the like mean the query's own times, so that their results differ between kinds of queries. */
const timeBounds = /(?:start|end|range|step)\(\)/;
const boundFunctions = new Set(["start", "end", "range", "step"]);
const everything: ParserOptions = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
};
/** A range query looks one step before and one behind. */
const stepMs = 60_000;

/**
 * The same question in other words, as upstream asks each of its own: with `@` and the time of evaluation at every selector, at other times.
 * None where a function looks at the time of evaluation itself, or where the query is no query.
 */
export function pinnedVariants(command: EvalCommand): EvalCommand[] {
  const query = pinnedQuery(command);
  if (query === undefined) return [];
  const { endMs } = command;
  const times = endMs === 0 ? [-1000, 0, 1000] : [-10 * endMs, 0, Math.trunc(endMs / 5), endMs, 10 * endMs];
  return times.map((timeMs) => ({ ...command, query, startMs: timeMs, endMs: timeMs }));
}

function pinnedQuery({ query, endMs }: EvalCommand): string | undefined {
  const expr = parseExpr(query, everything);
  let isSafe = true;
  walk(expr, (node, path) => {
    const isPinned = path.some((each) => each.kind === "subquery" && each.atMs !== undefined);
    if (isPinned) return;
    if (node.kind === "call")
      isSafe &&= !changesWithTime.has(node.func.name) && !boundFunctions.has(node.func.name);
    if (node.kind === "vectorSelector" || node.kind === "subquery") node.atMs ??= endMs;
  });
  return isSafe ? printExpr(expr) : undefined;
}

/** The range query whose middle step must give what the instant query gives; undefined where there is none. */
export function rangeVariant(command: EvalCommand): EvalCommand | undefined {
  const { query, endMs, expected } = command;
  if (expected.string !== undefined || expected.grid !== undefined || timeBounds.test(query))
    return undefined;
  return { ...command, isRange: true, startMs: endMs - stepMs, endMs: endMs + stepMs, stepMs };
}
