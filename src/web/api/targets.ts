import type { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import type { AlertmanagersView, ScrapeView } from "../parts.ts";
import { limitParam } from "./params.ts";

/** `targets`, `scrape_pools`, `metadata`, `alertmanagers`. */
export function addTargetRoutes(api: Hono, scrape: ScrapeView, alertmanagers: AlertmanagersView): void {
  api.get("/targets", (c) => {
    const state = (c.req.query("state") ?? "").toLowerCase();
    const pool = c.req.query("scrapePool") || undefined;
    const all = state === "" || state === "any";
    return successResponse({
      activeTargets: all || state === "active" ? scrape.activeTargets(pool) : [],
      droppedTargets: all || state === "dropped" ? scrape.droppedTargets(pool) : [],
      droppedTargetCounts: all || state === "dropped" ? scrape.droppedTargetCounts() : null,
    });
  });
  api.get("/targets/metadata", (c) =>
    successResponse(
      scrape.targetMetadata(
        c.req.query("match_target"),
        c.req.query("metric"),
        signedLimit(c.req.query("limit")),
      ),
    ),
  );
  api.get("/metadata", (c) => {
    const params = new URL(c.req.url).searchParams;
    const perMetric = limitParam(params, "limit_per_metric");
    return successResponse(scrape.metadata(c.req.query("metric"), limitParam(params), perMetric));
  });
  api.get("/scrape_pools", () => successResponse({ scrapePools: scrape.pools().sort() }));
  api.get("/scrape_pools/config", (c) => {
    const pool = c.req.query("scrapePool") ?? "";
    const yaml = scrape.poolConfig(pool);
    if (yaml === undefined)
      throw new NarthexError("bad_data", `unable to find scrape pool ${JSON.stringify(pool)}`);
    return successResponse({ yaml });
  });
  api.get("/alertmanagers", () =>
    successResponse({
      activeAlertmanagers: asObjects(alertmanagers.active()),
      droppedAlertmanagers: asObjects(alertmanagers.dropped()),
    }),
  );
}

function asObjects(urls: string[]): { url: string }[] {
  return urls.map((url) => ({ url }));
}

/** Upstream takes a negative limit here for "all". */
function signedLimit(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^-?\d+$/.test(text)) throw new NarthexError("bad_data", "limit must be a number");
  return Math.max(Number(text), 0);
}
