import type { Context, Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import { formatValue } from "../../model/index.ts";
import type { ExemplarSeries } from "../../storage/index.ts";
import type { WebParts } from "../parts.ts";
import { maxTimestampMs, minTimestampMs, readParams, timeParam } from "./params.ts";

export type ExemplarRoutesOptions = Pick<WebParts, "queries" | "storage">;

/** `query_exemplars`: the exemplars of the series that an expression selects. */
export function addExemplarRoutes(api: Hono, { queries, storage }: ExemplarRoutesOptions): void {
  api.on(["GET", "POST"], "/query_exemplars", async (c: Context) => {
    const params = await readParams(c);
    const startMs = timeParam(params, "start", minTimestampMs);
    const endMs = timeParam(params, "end", maxTimestampMs);
    if (endMs < startMs)
      throw new NarthexError("bad_data", "end timestamp must not be before start timestamp");
    const selectors = queries.selectors(params.get("query") ?? "");
    if (selectors.length === 0) return successResponse(undefined);
    const { exemplars } = storage;
    return successResponse(exemplars.selectExemplars(startMs, endMs, selectors).map(encodeSeries));
  });
}

function encodeSeries({ labels, exemplars }: ExemplarSeries): unknown {
  return {
    seriesLabels: labels,
    exemplars: exemplars.map(({ labels: own, value, timestampMs }) => ({
      labels: own,
      value: formatValue(value),
      timestamp: timestampMs / 1000,
    })),
  };
}
