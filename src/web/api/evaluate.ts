import { errorMessage, NarthexError } from "../../base/index.ts";
import type { Params } from "../../http/index.ts";
import type { QueryOptions, QueryService } from "../../promql/index.ts";
import {
  asParameter,
  durationParam,
  invalidParameter,
  limitParam,
  parseDurationParam,
  requiredTimeParam,
  timeParam,
} from "./params.ts";

/** More steps than this are refused: a screen has fewer pixels. */
const rangeStepsMax = 11_000;

/** A request for an evaluation, whichever way it came. */
export interface QueryCall {
  params: Params;
  method: string;
  path: string;
  authorization: string | undefined;
  readonly remoteAddress: () => string;
  /** Aborts when the client goes away. */
  readonly signal: () => AbortSignal;
}

/** The envelope of `query`, at once when the query is small. Throws `bad_data` for bad parameters; fails as the evaluation does. */
export function evaluateInstant(
  queries: QueryService,
  call: QueryCall,
  nowMs: number,
): Promise<Uint8Array> | Uint8Array {
  const { params } = call;
  const timestampMs = timeParam(params, "time", nowMs);
  const query = { ...queryOptions(call), text: queryText(params), timestampMs };
  return asParameter("query", () => queries.instant(query));
}

/** The envelope of `query_range`, at once when the query is small. Throws `bad_data` for bad parameters; fails as the evaluation does. */
export function evaluateRange(queries: QueryService, call: QueryCall): Promise<Uint8Array> | Uint8Array {
  const { params } = call;
  const query = { ...queryOptions(call), text: queryText(params), ...rangeParams(params) };
  return asParameter("query", () => queries.range(query));
}

export function queryText(params: Params): string {
  return params.get("query") ?? "";
}

function queryOptions(call: QueryCall): QueryOptions {
  const { params } = call;
  return {
    timeoutMs: durationParam(params, "timeout"),
    lookbackDeltaMs: lookbackDelta(params.get("lookback_delta") ?? ""),
    limit: limitParam(params),
    stats: params.get("stats") ?? "",
    explain: params.get("explain") === "true",
    origin: () => ({
      httpRequest: { clientIP: call.remoteAddress(), method: call.method, path: call.path },
    }),
    user: () => userName(call.authorization ?? ""),
    signal: call.signal,
  };
}

/** The name that basic authentication came with; whether it has to be right is the server's matter. */
function userName(authorization: string): string | undefined {
  const [scheme, credentials] = authorization.split(" ");
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

function rangeParams(params: Params): { startMs: number; endMs: number; stepMs: number } {
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
