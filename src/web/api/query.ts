import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { NarthexError } from "../../base/index.ts";
import type { QueryService, SeriesRange } from "../../promql/index.ts";
import { evaluateInstant, evaluateRange, type QueryCall, queryText } from "./evaluate.ts";
import { asParameter, limitParam, maxTimestampMs, minTimestampMs, readParams, timeParam } from "./params.ts";

export interface QueryRoutesOptions {
  queries: QueryService;
  nowMs: () => number;
}

/** `query`, `query_range`, `series`, `labels`, `label/:name/values`, `format_query`, `parse_query`. */
export function addQueryRoutes(api: Hono, { queries, nowMs }: QueryRoutesOptions): void {
  const instant = async (c: Context): Promise<Response> =>
    finished(c, await evaluateInstant(queries, await readCall(c), nowMs()));
  const range = async (c: Context): Promise<Response> =>
    finished(c, await evaluateRange(queries, await readCall(c)));
  const series = async (c: Context): Promise<Response> => {
    const params = await readParams(c);
    if (!params.has("match[]")) throw new NarthexError("bad_data", "no match[] parameter provided");
    const range = seriesRange(params);
    return finished(c, await asParameter("match[]", () => queries.series(range, () => c.req.raw.signal)));
  };
  const labels = async (c: Context): Promise<Response> => {
    return finished(c, await queries.labelNames(seriesRange(await readParams(c)), () => c.req.raw.signal));
  };
  const labelValues = async (c: Context): Promise<Response> => {
    const name = labelNameFromPath(c.req.param("name")!);
    return finished(
      c,
      await queries.labelValues(name, seriesRange(await readParams(c)), () => c.req.raw.signal),
    );
  };
  api.on(["GET", "POST"], "/query", instant);
  api.on(["GET", "POST"], "/query_range", range);
  api.on(["GET", "POST"], "/series", series);
  api.on(["GET", "POST"], "/labels", labels);
  api.get("/label/:name/values", labelValues);
  api.on(["GET", "POST"], "/format_query", async (c) => {
    const text = queryText(await readParams(c));
    return finished(c, await asParameter("query", () => queries.format(text)));
  });
  api.on(["GET", "POST"], "/parse_query", async (c) => {
    const text = queryText(await readParams(c));
    return finished(c, await asParameter("query", () => queries.parse(text)));
  });
}

async function readCall(c: Context): Promise<QueryCall> {
  return {
    params: await readParams(c),
    method: c.req.method,
    path: c.req.path,
    authorization: c.req.header("authorization"),
    remoteAddress: () => remoteAddress(c),
    signal: () => c.req.raw.signal,
  };
}

/** "" where there is no connection, as in tests. */
function remoteAddress(c: Context): string {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket.remoteAddress ?? "";
}

function seriesRange(params: URLSearchParams): SeriesRange {
  const startMs = timeParam(params, "start", minTimestampMs);
  const endMs = timeParam(params, "end", maxTimestampMs);
  return { selectors: params.getAll("match[]"), startMs, endMs, limit: limitParam(params) };
}

/** Names that an URL path cannot carry come escaped as `U__…`, with `_hex_` for what was replaced and `__` for `_`. */
function labelNameFromPath(encoded: string): string {
  const name = encoded.startsWith("U__") ? unescapeName(encoded.slice(3)) : encoded;
  if (name === "") throw new NarthexError("bad_data", `invalid label name: ${JSON.stringify(encoded)}`);
  return name;
}

function unescapeName(escaped: string): string {
  return escaped.replace(/__|_([0-9a-fA-F]{1,6})_/g, (whole, hex?: string) => {
    if (hex === undefined) return "_";
    const point = Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

/** A whole envelope, printed where the query ran. `c.body` goes to the socket without a stream in between. */
function finished(c: Context, body: Uint8Array): Response {
  return c.body(body as Uint8Array<ArrayBuffer>, 200, { "content-type": "application/json" });
}
