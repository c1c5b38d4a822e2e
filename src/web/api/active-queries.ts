import type { Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import { successResponse } from "../../http/index.ts";
import type { ActiveQuery, QueryService } from "../../promql/index.ts";

export interface ActiveQueryRoutesOptions {
  queries: QueryService;
  adminEnabled: boolean;
}

/** `status/queries`: what runs or waits; with an id and POST or DELETE, its end. Not among upstream's. */
export function addActiveQueryRoutes(api: Hono, { queries, adminEnabled }: ActiveQueryRoutesOptions): void {
  api.get("/status/queries", () => successResponse({ queries: queries.active().map(encodeActiveQuery) }));
  api.on(["POST", "DELETE"], "/status/queries/:id", (c) => {
    if (!adminEnabled) throw new NarthexError("unavailable", "admin APIs disabled");
    const id = c.req.param("id");
    if (!/^\d{1,15}$/.test(id)) throw new NarthexError("bad_data", "expected the number of a query");
    if (!queries.kill(Number(id)))
      throw new NarthexError("not_found", `no query with number ${id} is running`);
    return successResponse(undefined);
  });
}

function encodeActiveQuery(query: ActiveQuery): unknown {
  const { id, text, user, origin, startedMs, ageMs, state, samples, memoryBytes } = query;
  return {
    id,
    query: text,
    ...(user !== undefined && { user }),
    ...origin,
    startedAt: new Date(startedMs).toISOString(),
    ageSeconds: ageMs / 1000,
    state,
    samples,
    memoryBytes,
  };
}
