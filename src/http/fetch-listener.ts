import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorMessage, type Logger } from "../base/index.ts";
import { errorResponse } from "./envelope.ts";
import type { FetchHandler } from "./fetch-handler.ts";

export type FetchListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Answers requests of `node:http` with a handler of the platform's fetch API. To be imported when the first such request comes: that API brings 17 MB with it, which
 * a server that answers plain requests alone does without.
 */
export function createFetchListener(fetch: FetchHandler, logger: Logger): FetchListener {
  return getRequestListener((request, bindings) => fetch(request, bindings as HttpBindings), {
    errorHandler: (error) => {
      logger.error("request failed", { err: errorMessage(error) });
      return errorResponse(error);
    },
  });
}
