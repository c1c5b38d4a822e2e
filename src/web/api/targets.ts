import type { Hono } from "hono";
import { errorMessage, NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { Labels, quoteGo } from "../../model/index.ts";
import type { Notifier } from "../../notifier/index.ts";
import type { ScrapeView } from "../../scrape/index.ts";
import { asParameter } from "./params.ts";

/** `targets`, `scrape_pools`, `metadata`, `alertmanagers`. */
export function addTargetRoutes(api: Hono, scrape: ScrapeView, notifier: Notifier): void {
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
  api.get("/targets/metadata", async (c) => {
    const limit = signedLimit("limit", c.req.query("limit"));
    const { match_target: matchTarget, metric } = c.req.query();
    return successResponse(
      await asParameter("match_target", () => scrape.targetMetadata(matchTarget, metric, limit)),
    );
  });
  api.get("/targets/relabel_steps", (c) => {
    const pool = requiredParam("scrapePool", c.req.query("scrapePool"));
    const labels = parseLabels(requiredParam("labels", c.req.query("labels")));
    return successResponse({ steps: scrape.relabelSteps(pool, labels) ?? failPool(pool) });
  });
  api.get("/metadata", (c) => {
    const limit = signedLimit("limit", c.req.query("limit"));
    const limitPerMetric = signedLimit("limit_per_metric", c.req.query("limit_per_metric"));
    return successResponse(scrape.metadata(c.req.query("metric"), limit, limitPerMetric));
  });
  api.get("/scrape_pools", () => successResponse({ scrapePools: scrape.pools().sort() }));
  api.get("/scrape_pools/config", (c) => {
    const pool = requiredParam("scrapePool", c.req.query("scrapePool"));
    return successResponse({ yaml: scrape.poolConfig(pool) ?? failPool(pool) });
  });
  api.get("/alertmanagers", () =>
    successResponse({
      activeAlertmanagers: asObjects(notifier.activeAlertmanagers),
      droppedAlertmanagers: asObjects(notifier.droppedAlertmanagers),
    }),
  );
}

function requiredParam(name: string, text: string | undefined): string {
  if (text === undefined || text === "") throw new NarthexError("bad_data", `no ${name} parameter provided`);
  return text;
}

function failPool(pool: string): never {
  const reason = `unable to find scrape config named ${quoteGo(pool)}`;
  throw new NarthexError("bad_data", `error retrieving scrape config: ${reason}`);
}

/** A JSON object of texts. */
function parseLabels(text: string): Labels {
  const fail = (reason: string): never => {
    throw new NarthexError("bad_data", `error parsing labels: ${reason}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(errorMessage(error));
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value as object).every((one) => typeof one === "string"))
    fail("expected an object of strings");
  return Labels.from(value as Record<string, string>);
}

function asObjects(urls: string[]): { url: string }[] {
  return urls.map((url) => ({ url }));
}

/** Here upstream's default is −1, and any negative number means "all". */
function signedLimit(name: string, text: string | undefined): number {
  if (text === undefined || text === "") return -1;
  if (!/^-?\d+$/.test(text)) throw new NarthexError("bad_data", `${name} must be a number`);
  return Number(text);
}
