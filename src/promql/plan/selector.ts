import { type Matcher, metricNameLabel } from "../../model/index.ts";
import type { PositionRange } from "../ast.ts";
import type { Grid, Selector } from "./plan.ts";

/** A selector with the times it reads: from just after the first step's window opens to the last step. */
export function selectorRange(
  matchers: readonly Matcher[],
  times: { readonly offsetMs: number; readonly atMs: number | undefined },
  grid: Grid,
  windowMs: number,
  position: PositionRange,
): Selector {
  const firstMs = (times.atMs ?? grid.startMs) - times.offsetMs;
  const lastMs = times.atMs === undefined ? firstMs + Math.max(grid.steps - 1, 0) * grid.stepMs : firstMs;
  return {
    matchers,
    offsetMs: times.offsetMs,
    atMs: times.atMs,
    minTimestampMs: firstMs - windowMs + 1,
    maxTimestampMs: lastMs,
    namePinned: matchers.some(
      ({ type, name, value }) => type === "=" && name === metricNameLabel && value !== "",
    ),
    position,
  };
}
