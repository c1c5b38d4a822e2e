import type { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import type { HeadStats } from "../../tsdb/index.ts";
import type { StatusView } from "../parts.ts";

const tsdbLimitDefault = 10;
const tsdbLimitMax = 10_000;

/** `status/*`. */
export function addStatusRoutes(api: Hono, status: StatusView): void {
  api.get("/status/config", () => successResponse({ yaml: status.configYaml() }));
  api.get("/status/flags", () => successResponse(status.flags()));
  api.get("/status/buildinfo", () => successResponse(status.build()));
  api.get("/status/runtimeinfo", () => successResponse(status.runtime()));
  api.get("/status/walreplay", () => successResponse(status.walReplay()));
  api.get("/status/tsdb", (c) => {
    const text = c.req.query("limit");
    const limit = text === undefined || text === "" ? tsdbLimitDefault : Number(text);
    if (!Number.isInteger(limit) || limit < 1)
      throw new NarthexError("bad_data", "limit must be a positive number");
    if (limit > tsdbLimitMax) throw new NarthexError("bad_data", `limit must not exceed ${tsdbLimitMax}`);
    return successResponse(tsdbStatus(status.tsdb(limit)));
  });
}

function tsdbStatus(stats: HeadStats & { chunkCount: number }): unknown {
  const { numSeries, numLabelPairs, chunkCount, minTimeMs, maxTimeMs, ...largest } = stats;
  // The times of an empty head are such that the first sample lies inside, whatever its time.
  const minTime = minTimeMs ?? Number.MAX_SAFE_INTEGER;
  const maxTime = maxTimeMs ?? Number.MIN_SAFE_INTEGER;
  return { headStats: { numSeries, numLabelPairs, chunkCount, minTime, maxTime }, ...largest };
}
