import type { CounterChild, Registry } from "@narthex/client";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";

/** Notes that a request was answered that began at `startMs` of the monotonic clock. */
export type ObserveRequest = (status: number, startMs: number) => void;

/**
 * Counts and times requests by route, as upstream does: the number of routes is fixed. What matches none counts as the route of the
 * middleware, `/*`. The prefix of all routes is left out.
 */
export class RequestMetrics {
  readonly #requests;
  readonly #seconds;
  /** Looking a child up by its labels costs more than the request's own work. */
  readonly #handlers = new Map<string, ObserveRequest>();

  readonly #routePrefix: string;

  constructor(registry: Registry, routePrefix: string) {
    this.#routePrefix = routePrefix;
    this.#requests = registry.counter({
      name: "prometheus_http_requests_total",
      help: "HTTP requests answered.",
      labelNames: ["handler", "code"],
    });
    this.#seconds = registry.histogram({
      name: "prometheus_http_request_duration_seconds",
      help: "How long HTTP requests took.",
      labelNames: ["handler"],
      buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
    });
  }

  forHandler(handler: string): ObserveRequest {
    const known = this.#handlers.get(handler);
    if (known !== undefined) return known;
    const duration = this.#seconds.labels({ handler });
    const counts = new Map<number, CounterChild>();
    const observe: ObserveRequest = (status, startMs) => {
      let count = counts.get(status);
      if (count === undefined)
        counts.set(status, (count = this.#requests.labels({ handler, code: String(status) })));
      count.inc();
      duration.observe((performance.now() - startMs) / 1000);
    };
    this.#handlers.set(handler, observe);
    return observe;
  }

  readonly middleware: MiddlewareHandler = async (c, next) => {
    const startMs = performance.now();
    await next();
    this.forHandler(routePath(c, -1).slice(this.#routePrefix.length))(c.res.status, startMs);
  };
}
