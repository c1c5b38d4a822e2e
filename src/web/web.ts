import { Hono } from "hono";
import { errorCode } from "../base/index.ts";
import { errorResponse, type FetchHandler, type PlainRoutes } from "../http/index.ts";
import { Regexp } from "../model/index.ts";
import { addActiveQueryRoutes } from "./api/active-queries.ts";
import { addAdminRoutes } from "./api/admin.ts";
import { addExemplarRoutes } from "./api/exemplars.ts";
import { addNotificationRoutes } from "./api/notifications.ts";
import { createPlainQueryRoutes } from "./api/plain.ts";
import { addQueryRoutes } from "./api/query.ts";
import { addRuleRoutes } from "./api/rules.ts";
import { addSearchRoutes } from "./api/search.ts";
import { addStatusRoutes } from "./api/status.ts";
import { addTargetRoutes } from "./api/targets.ts";
import { answerUnknownPaths } from "./unknown-path.ts";
import { addLifecycleRoutes, notReady } from "./lifecycle.ts";
import { createExposer, type Exposition, RequestMetrics } from "./metrics.ts";
import type { WebParts } from "./parts.ts";
import { createPlainOwnRoutes } from "./plain.ts";
import { addUiRoutes } from "./ui.ts";

/** The server's whole HTTP surface, below the route prefix. */
export interface Web {
  fetch: FetchHandler;
  plainRoutes: PlainRoutes;
}

export function createWeb(parts: WebParts): Web {
  const metrics = new RequestMetrics(parts.registry, parts.routePrefix);
  const expose = createExposer(parts.registry);
  const app = createApp(parts, metrics, expose);
  const plainRoutes = new Map([
    ...createPlainOwnRoutes(parts, metrics, expose),
    ...createPlainQueryRoutes(parts, metrics),
  ]);
  return { fetch: app.fetch, plainRoutes };
}

function createApp(
  parts: WebParts,
  metrics: RequestMetrics,
  expose: (accept: string | undefined) => Exposition,
): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    if (errorCode(error) === "internal")
      parts.logger.error("a request failed", { path: c.req.path, err: error.stack });
    return errorResponse(error);
  });
  app.use(metrics.middleware);
  parts.addRoutes?.(app);
  app.route("/api/v1", createApi(parts));
  addLifecycleRoutes(app, parts.lifecycle);
  app.get("/metrics", (c) => {
    const { text, contentType } = expose(c.req.header("accept"));
    return c.body(text, 200, { "content-type": contentType });
  });
  app.get("/version", (c) => c.json(parts.status.build()));
  addUiRoutes(app, parts.ui, parts.lifecycle.isReady);
  answerUnknownPaths(app);
  if (parts.routePrefix === "") return app;
  // Not strict, so that the prefix with a slash behind it finds the route "/" below the prefix.
  const prefixed = new Hono({ strict: false });
  prefixed.get("/", (c) => c.redirect(`${parts.routePrefix}/`));
  prefixed.get(parts.routePrefix, (c, next) =>
    new URL(c.req.url).pathname === parts.routePrefix
      ? Promise.resolve(c.redirect(`${parts.routePrefix}/`))
      : next(),
  );
  prefixed.route(parts.routePrefix, app);
  answerUnknownPaths(prefixed);
  return prefixed;
}

/** What tells of a server that is not ready. */
const alwaysAnswered = /\/(?:status\/walreplay|notifications(?:\/live)?)$/;

function createApi(parts: WebParts): Hono {
  const api = new Hono();
  const corsOrigin = Regexp.compile(parts.corsOrigin);
  api.use(async (c, next) => {
    await next();
    c.res.headers.append("vary", "Origin");
    const origin = c.req.header("origin");
    if (origin === undefined) return;
    if (corsOrigin.matches(origin)) c.header("access-control-allow-origin", origin);
    c.header("access-control-allow-headers", "Accept, Authorization, Content-Type, Origin");
    c.header("access-control-allow-methods", "GET, POST, OPTIONS");
    c.header("access-control-expose-headers", "Date");
  });
  api.options("*", (c) => c.body(null, 204));
  api.use(async (c, next) => {
    if (parts.lifecycle.isReady() || alwaysAnswered.test(c.req.path)) return next();
    return notReady(c, parts.lifecycle);
  });
  addQueryRoutes(api, parts);
  addExemplarRoutes(api, parts);
  addSearchRoutes(api, parts);
  addActiveQueryRoutes(api, parts);
  addAdminRoutes(api, parts);
  addTargetRoutes(api, parts.scrape, parts.notifier);
  addRuleRoutes(api, parts.rules);
  addStatusRoutes(api, parts.status, parts.registry);
  addNotificationRoutes(api, parts);
  return api;
}
