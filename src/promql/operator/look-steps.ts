import type { Steps } from "../../kernel/index.ts";
import type { Grid, Selector } from "../plan/plan.ts";

/** The times at which the steps of a selector look into the data. A pinned selector looks once. */
export function lookSteps(selector: Pick<Selector, "atMs" | "offsetMs">, grid: Grid): Steps {
  if (selector.atMs !== undefined) return { startMs: selector.atMs - selector.offsetMs, stepMs: 1, count: 1 };
  return { startMs: grid.startMs - selector.offsetMs, stepMs: grid.stepMs, count: grid.steps };
}
