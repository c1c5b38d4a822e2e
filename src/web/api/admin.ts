import type { Hono } from "hono";
import { errorMessage, NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { parseSeriesSelector } from "../../promql/index.ts";
import type { WebParts } from "../parts.ts";
import { asParameter, boolParam, maxTimestampMs, minTimestampMs, readParams, timeParam } from "./params.ts";

export interface AdminRoutesOptions extends Pick<WebParts, "adminEnabled"> {
  storage: Pick<WebParts["storage"], "deleteSeries" | "cleanTombstones" | "snapshot">;
}

/** `admin/tsdb/*`: what changes stored data. */
export function addAdminRoutes(api: Hono, { storage, adminEnabled }: AdminRoutesOptions): void {
  api.on(["POST", "PUT"], "/admin/tsdb/*", async (_, next) => {
    if (!adminEnabled) throw new NarthexError("unavailable", "admin APIs disabled");
    await next();
  });
  api.on(["POST", "PUT"], "/admin/tsdb/delete_series", async (c) => {
    const params = await readParams(c);
    const texts = params.getAll("match[]");
    if (texts.length === 0) throw new NarthexError("bad_data", "no match[] parameter provided");
    const startMs = timeParam(params, "start", minTimestampMs);
    const endMs = timeParam(params, "end", maxTimestampMs);
    const selectors = await asParameter("match[]", () => texts.map(parseSeriesSelector));
    await storage.deleteSeries({ selectors, minTimestampMs: startMs, maxTimestampMs: endMs });
    return successResponse(undefined);
  });
  api.on(["POST", "PUT"], "/admin/tsdb/snapshot", async (c) => {
    const withHead = !boolParam(await readParams(c), "skip_head");
    try {
      return successResponse({ name: await storage.snapshot({ withHead }) });
    } catch (error) {
      if (error instanceof NarthexError && error.code === "unavailable") throw error;
      throw new NarthexError("internal", `create snapshot: ${errorMessage(error)}`, { cause: error });
    }
  });
  api.on(["POST", "PUT"], "/admin/tsdb/clean_tombstones", async () => {
    await storage.cleanTombstones();
    return successResponse(undefined);
  });
}
