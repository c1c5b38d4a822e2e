import { errorCode } from "../../base/index.ts";
import {
  errorEnvelope,
  type PlainAnswer,
  type PlainCall,
  PlainParams,
  type PlainRoute,
  type PlainRoutes,
} from "../../http/index.ts";
import type { RequestMetrics } from "../metrics.ts";
import type { WebParts } from "../parts.ts";
import { evaluateInstant, evaluateRange, type QueryCall } from "./evaluate.ts";

/** As every answer of the API has it. */
const headerLines = "vary: Origin\r\n";

/**
 * The two questions that dashboards and rules of others ask by the thousand, for requests that are plain. Everything around them is
 * as on the API's other routes.
 */
export function createPlainQueryRoutes(parts: WebParts, metrics: RequestMetrics): PlainRoutes {
  const { queries, lifecycle, logger, routePrefix, nowMs } = parts;
  const route = (
    path: string,
    evaluate: (call: QueryCall) => Promise<Uint8Array> | Uint8Array,
  ): [string, PlainRoute] => {
    const { answered, sent } = metrics.forHandler(path);
    const answer = (status: number, body: Uint8Array, startMs: number): PlainAnswer => {
      answered(status, startMs);
      return { status, contentType: "application/json", headerLines, body, sent };
    };
    const fail = (error: unknown, startMs: number): PlainAnswer => {
      if (errorCode(error) === "internal")
        logger.error("a request failed", { path: routePrefix + path, err: (error as Error).stack });
      const { status, body } = errorEnvelope(error);
      return answer(status, Buffer.from(JSON.stringify(body)), startMs);
    };
    const later = async (body: Promise<Uint8Array>, startMs: number): Promise<PlainAnswer> => {
      try {
        return answer(200, await body, startMs);
      } catch (error) {
        return fail(error, startMs);
      }
    };
    const serve: PlainRoute = (call) => {
      if (!lifecycle.isReady()) return undefined;
      const startMs = performance.now();
      try {
        const body = evaluate(queryCall(call));
        return body instanceof Promise ? later(body, startMs) : answer(200, body, startMs);
      } catch (error) {
        return fail(error, startMs);
      }
    };
    return [routePrefix + path, serve];
  };
  return new Map([
    route("/api/v1/query", (call) => evaluateInstant(queries, call, nowMs())),
    route("/api/v1/query_range", (call) => evaluateRange(queries, call)),
  ]);
}

function queryCall({ request, remoteAddress, signal }: PlainCall): QueryCall {
  const { method, path, query, form, headers } = request;
  const params = new PlainParams(query, form);
  return { params, method, path, authorization: headers.authorization, remoteAddress, signal };
}
