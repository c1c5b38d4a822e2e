/** The HTTP face: API, health, reload and metrics. */
import type { Registry } from "@narthex/client";
import { type Context, Hono, type Next } from "hono";
import { errorMessage, type Logger } from "../../base/index.ts";
import type { Metrics } from "../metrics.ts";
import type { Backend } from "./backend.ts";
import { createApiV2 } from "./v2.ts";

export interface AppOptions {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Under which all routes stand: "" or "/prefix". */
  readonly routePrefix: string;
  /** GET requests that are worked on at once. */
  readonly getConcurrencyMax: number;
}

const deprecated = {
  status: "deprecated",
  error:
    "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API",
};

export function createApp(options: AppOptions): Hono {
  const { backend, logger, metrics, registry, routePrefix } = options;
  const root = new Hono();
  const app = new Hono();
  app.use(limitGets(options));
  app.use(measure(metrics));
  for (const path of ["/-/healthy", "/-/ready"]) app.get(path, (c) => c.text("OK"));
  app.post("/-/reload", async (c) => {
    try {
      await backend.reload();
      return c.body(null, 200);
    } catch (error) {
      return c.text(`failed to reload config: ${errorMessage(error)}\n`, 500);
    }
  });
  app.get("/metrics", (c) => {
    const { contentType, body } = registry.exposeFor(c.req.header("accept"));
    return c.body(body, 200, { "Content-Type": contentType });
  });
  app.all("/api/v1/*", (c) => {
    logger.warn("v1 API received a request on a removed endpoint", {
      path: c.req.path,
      method: c.req.method,
    });
    return c.json(deprecated, 410);
  });
  app.route("/api/v2", createApiV2(backend));
  root.route(routePrefix === "" ? "/" : routePrefix, app);
  return root;
}

function limitGets({ getConcurrencyMax, metrics }: AppOptions) {
  let running = 0;
  return async (c: Context, next: Next): Promise<Response | void> => {
    if (c.req.method !== "GET") return next();
    if (running >= getConcurrencyMax) {
      metrics.concurrencyLimitExceeded.labels({ method: "get" }).inc();
      const message = `Limit of concurrent GET requests reached (${getConcurrencyMax}), try again later.\n`;
      return c.text(message, 503);
    }
    running++;
    try {
      await next();
    } finally {
      running--;
    }
  };
}

function measure(metrics: Metrics) {
  return async (c: Context, next: Next): Promise<void> => {
    const method = c.req.method.toLowerCase();
    const inFlight = metrics.requestsInFlight.labels({ method });
    const startMs = performance.now();
    inFlight.inc();
    try {
      await next();
    } finally {
      inFlight.dec();
      const handler = handlerName(c.req.path);
      const seconds = (performance.now() - startMs) / 1000;
      metrics.requestDuration.labels({ handler, method, code: String(c.res.status) }).observe(seconds);
      const size = Number(c.res.headers.get("content-length") ?? NaN);
      if (!Number.isNaN(size)) metrics.responseSize.labels({ handler, method }).observe(size);
    }
  };
}

/** The route of a path, without what differs from request to request. */
function handlerName(path: string): string {
  const known = /\/(?:-\/(?:healthy|ready|reload)|metrics|api\/v[12]\/[a-z]+(?:\/groups)?)/.exec(path)?.[0];
  return known ?? "/other";
}
