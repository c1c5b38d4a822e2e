import { errorCode } from "../../base/index.ts";
import {
  errorEnvelope,
  type PlainAnswer,
  type PlainCall,
  type PlainRoute,
  type PlainRoutes,
} from "../../http/index.ts";
import type { RequestMetrics } from "../metrics.ts";
import type { WebParts } from "../parts.ts";
import { evaluateInstant, evaluateRange, type QueryCall } from "./evaluate.ts";
import { formParams } from "./params.ts";

/** As every answer of the API has it. */
const headerLines = "vary: Origin\r\n";

/**
 * The two questions that dashboards and rules of others ask by the thousand, for requests that are plain. Everything around them is
 * as on the API's other routes.
 */
export function createPlainQueryRoutes(parts: WebParts, metrics: RequestMetrics): PlainRoutes {
  const { queries, lifecycle, logger, routePrefix, nowMs } = parts;
  const route = (path: string, evaluate: (call: QueryCall) => Promise<Uint8Array>): [string, PlainRoute] => {
    const handler = metrics.forHandler(path);
    const answer = async (call: PlainCall): Promise<PlainAnswer> => {
      const startMs = performance.now();
      const answered = await evaluate(queryCall(call)).then(success, (error: unknown) => {
        if (errorCode(error) === "internal")
          logger.error("a request failed", { path: call.request.path, err: (error as Error).stack });
        return failure(error);
      });
      handler.answered(answered.status, startMs);
      return { ...answered, sent: handler.sent };
    };
    return [routePrefix + path, (call) => (lifecycle.isReady() ? answer(call) : undefined)];
  };
  return new Map([
    route("/api/v1/query", (call) => evaluateInstant(queries, call, nowMs())),
    route("/api/v1/query_range", (call) => evaluateRange(queries, call)),
  ]);
}

function queryCall({ request, remoteAddress, signal }: PlainCall): QueryCall {
  const { method, path, query, form, headers } = request;
  const url = new URLSearchParams(query);
  const params = form === "" ? url : formParams(form, url);
  return {
    params,
    method,
    path,
    authorization: headers.authorization,
    remoteAddress: () => remoteAddress,
    signal,
  };
}

function success(body: Uint8Array): PlainAnswer {
  return { status: 200, contentType: "application/json", headerLines, body };
}

function failure(error: unknown): PlainAnswer {
  const { status, body } = errorEnvelope(error);
  return { ...success(Buffer.from(JSON.stringify(body))), status };
}
