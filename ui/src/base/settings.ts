/** What this browser remembers for its user. */
import { setting } from "./store.ts";
import type { Zone } from "./time.ts";

/** How many past queries are kept, newest first. */
const historyEntriesMax = 50;

export const zoneSetting = setting<Zone>("narthex-zone", (stored) => (stored === "utc" ? "utc" : "local"));

export const historySetting = setting<readonly string[]>("narthex-query-history", (stored) =>
  Array.isArray(stored)
    ? stored.filter((entry) => typeof entry === "string").slice(0, historyEntriesMax)
    : [],
);

export function rememberQuery(expr: string): void {
  const rest = historySetting.get().filter((entry) => entry !== expr);
  historySetting.set([expr, ...rest].slice(0, historyEntriesMax));
}

/** How many folds are remembered; beyond that the oldest are forgotten. */
const foldedMax = 500;

/** Pools and groups that were folded up, by page and name. */
export const foldedSetting = setting<readonly string[]>("narthex-folded", (stored) =>
  Array.isArray(stored) ? stored.filter((entry) => typeof entry === "string").slice(-foldedMax) : [],
);
