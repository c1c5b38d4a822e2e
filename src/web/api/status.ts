import type { MetricFamily, Registry } from "@narthex/client";
import type { Hono } from "hono";
import { errorMessage, NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { Regexp } from "../../model/index.ts";
import type { BlockMeta, HeadStats } from "../../tsdb/index.ts";
import { encodeFamilies } from "./self-metrics.ts";
import type { StatusView } from "../parts.ts";

const tsdbLimitDefault = 10;
const tsdbLimitMax = 10_000;

/** `status/*` and `features`. */
export function addStatusRoutes(api: Hono, status: StatusView, registry: Registry): void {
  api.get("/features", () => successResponse(status.features()));
  api.get("/status/self_metrics", (c) => {
    const pattern = c.req.query("metric_name_pattern") ?? "";
    return successResponse(encodeFamilies(registry.gather().filter(namedLike(pattern))));
  });
  api.get("/status/tsdb/blocks", () => successResponse({ blocks: status.blocks().map(encodeBlock) }));
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

function namedLike(pattern: string): (family: MetricFamily) => boolean {
  if (pattern === "") return () => true;
  try {
    const regexp = Regexp.compile(pattern);
    return ({ name }) => regexp.matches(name);
  } catch (error) {
    throw new NarthexError("bad_data", `invalid metric_name_pattern: ${errorMessage(error)}`);
  }
}

/** As in `meta.json`: numbers that are 0 are left out. */
function encodeBlock({ ulid, minTime, maxTime, stats, compaction, version }: BlockMeta): unknown {
  const counts = Object.entries(stats).filter(([, count]) => count !== 0);
  return { ulid, minTime, maxTime, stats: Object.fromEntries(counts), compaction, version };
}

function tsdbStatus(stats: HeadStats & { chunkCount: number }): unknown {
  const { numSeries, numLabelPairs, chunkCount, minTimeMs, maxTimeMs, ...largest } = stats;
  // The times of an empty head are such that the first sample lies inside, whatever its time.
  const minTime = minTimeMs ?? Number.MAX_SAFE_INTEGER;
  const maxTime = maxTimeMs ?? Number.MIN_SAFE_INTEGER;
  return { headStats: { numSeries, numLabelPairs, chunkCount, minTime, maxTime }, ...largest };
}
