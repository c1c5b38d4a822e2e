import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { errorMessage, NarthexError } from "../../base/index.ts";
import type { QueryOptions, QueryService, SeriesRange } from "../../promql/index.ts";
import {
  asParameter,
  durationParam,
  invalidParameter,
  limitParam,
  maxTimestampMs,
  minTimestampMs,
  parseDurationParam,
  readParams,
  requiredTimeParam,
  timeParam,
} from "./params.ts";

/** More steps than this are refused: a screen has fewer pixels. */
const rangeStepsMax = 11_000;

export interface QueryRoutesOptions {
  queries: QueryService;
  nowMs: () => number;
}

/** `query`, `query_range`, `series`, `labels`, `label/:name/values`, `format_query`, `parse_query`. */
export function addQueryRoutes(api: Hono, { queries, nowMs }: QueryRoutesOptions): void {
  const instant = async (c: Context): Promise<Response> => {
    const params = await readParams(c);
    const timestampMs = timeParam(params, "time", nowMs());
    const request = { text: queryText(params), timestampMs, ...queryOptions(c, params) };
    return finished(c, await asParameter("query", () => queries.instant(request)));
  };
  const range = async (c: Context): Promise<Response> => {
    const params = await readParams(c);
    const request = { text: queryText(params), ...rangeParams(params), ...queryOptions(c, params) };
    return finished(c, await asParameter("query", () => queries.range(request)));
  };
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

function queryText(params: URLSearchParams): string {
  return params.get("query") ?? "";
}

function queryOptions(c: Context, params: URLSearchParams): QueryOptions {
  return {
    timeoutMs: durationParam(params, "timeout"),
    lookbackDeltaMs: lookbackDelta(params.get("lookback_delta") ?? ""),
    limit: limitParam(params),
    stats: params.get("stats") ?? "",
    explain: params.get("explain") === "true",
    origin: () => ({ httpRequest: { clientIP: remoteAddress(c), method: c.req.method, path: c.req.path } }),
    user: () => userName(c),
    signal: () => c.req.raw.signal,
  };
}

/** "" where there is no connection, as in tests. */
function remoteAddress(c: Context): string {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket.remoteAddress ?? "";
}

/** The name that basic authentication came with; whether it has to be right is the server's matter. */
function userName(c: Context): string | undefined {
  const [scheme, credentials] = (c.req.header("authorization") ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic" || credentials === undefined) return undefined;
  return Buffer.from(credentials, "base64").toString().split(":")[0];
}

function lookbackDelta(text: string): number | undefined {
  if (text === "") return undefined;
  try {
    return parseDurationParam(text);
  } catch (error) {
    throw new NarthexError("bad_data", `error parsing lookback delta duration: ${errorMessage(error)}`);
  }
}

function rangeParams(params: URLSearchParams): { startMs: number; endMs: number; stepMs: number } {
  const startMs = requiredTimeParam(params, "start");
  const endMs = requiredTimeParam(params, "end");
  if (endMs < startMs) throw invalidParameter("end", "end timestamp must not be before start time");
  const stepMs = durationParam(params, "step") ?? 0;
  if (params.get("step") === null) throw invalidParameter("step", 'cannot parse "" to a valid duration');
  if (stepMs <= 0) {
    throw invalidParameter(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if ((endMs - startMs) / stepMs > rangeStepsMax) {
    throw new NarthexError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return { startMs, endMs, stepMs };
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
