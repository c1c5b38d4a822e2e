import type { CounterChild, HistogramChild, Registry } from "@narthex/client";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";

/** Handlers are routes, so their number is fixed; anything that matches none counts as this. */
const unknownRoute = "*";

/** Counts and times requests by route, as upstream does. */
export function measureRequests(registry: Registry): MiddlewareHandler {
  const requests = registry.counter({
    name: "prometheus_http_requests_total",
    help: "HTTP requests answered.",
    labelNames: ["handler", "code"],
  });
  const seconds = registry.histogram({
    name: "prometheus_http_request_duration_seconds",
    help: "How long HTTP requests took.",
    labelNames: ["handler"],
    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
  });
  // Looking a child up by its labels costs more than the request's own work; these are found by one string.
  const counts = new Map<string, CounterChild>();
  const durations = new Map<string, HistogramChild>();
  return async (c, next) => {
    const startMs = performance.now();
    await next();
    const handler = routePath(c, -1) || unknownRoute;
    const { status } = c.res;
    const key = `${status}${handler}`;
    let count = counts.get(key);
    if (count === undefined) counts.set(key, (count = requests.labels({ handler, code: String(status) })));
    count.inc();
    let duration = durations.get(handler);
    if (duration === undefined) durations.set(handler, (duration = seconds.labels({ handler })));
    duration.observe((performance.now() - startMs) / 1000);
  };
}
