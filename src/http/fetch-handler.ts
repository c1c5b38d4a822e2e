import type { HttpBindings } from "@hono/node-server";

/** Answers a request; a Hono app's `fetch` is one. */
export type FetchHandler = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;
