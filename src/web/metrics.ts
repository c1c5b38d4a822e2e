import { contentTypeOf, type CounterChild, negotiateFormat, type Registry } from "@narthex/client";
import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";

/** Counts the requests of one route. */
export interface HandlerMetrics {
  /** Notes that a request was answered that began at `startMs` of the monotonic clock. */
  readonly answered: (status: number, startMs: number) => void;
  /** Notes how many bytes the answer took, head and body. */
  readonly sent: (bytes: number) => void;
}

/**
 * Counts and times requests by route, as upstream does: the number of routes is fixed. What matches none counts as the route of the
 * middleware, `/*`. The prefix of all routes is left out.
 */
export class RequestMetrics {
  readonly #requests;
  readonly #seconds;
  readonly #bytes;
  /** Looking a child up by its labels costs more than the request's own work. */
  readonly #handlers = new Map<string, HandlerMetrics>();

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
    this.#bytes = registry.histogram({
      name: "prometheus_http_response_size_bytes",
      help: "Bytes sent in HTTP responses, headers included.",
      labelNames: ["handler"],
      buckets: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
    });
  }

  forHandler(handler: string): HandlerMetrics {
    const known = this.#handlers.get(handler);
    if (known !== undefined) return known;
    const duration = this.#seconds.labels({ handler });
    const size = this.#bytes.labels({ handler });
    const counts = new Map<number, CounterChild>();
    const metrics: HandlerMetrics = {
      answered: (status, startMs) => {
        let count = counts.get(status);
        if (count === undefined)
          counts.set(status, (count = this.#requests.labels({ handler, code: String(status) })));
        count.inc();
        duration.observe((performance.now() - startMs) / 1000);
      },
      sent: (bytes) => size.observe(bytes),
    };
    this.#handlers.set(handler, metrics);
    return metrics;
  }

  readonly middleware: MiddlewareHandler = async (c, next) => {
    const startMs = performance.now();
    await next();
    const handler = this.forHandler(routePath(c, -1).slice(this.#routePrefix.length));
    handler.answered(c.res.status, startMs);
    const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
    const { socket } = outgoing ?? {};
    if (!outgoing || !socket) return;
    const sentBefore = socket.bytesWritten;
    outgoing.once("finish", () => handler.sent(socket.bytesWritten - sentBefore));
  };
}

/** The own metrics as text. */
export interface Exposition {
  readonly text: string;
  readonly contentType: string;
}

/** Counts scrapes of these metrics, which it answers in the format that the `Accept` header asks for. */
export function createExposer(registry: Registry): (accept: string | undefined) => Exposition {
  const requests = registry.counter({
    name: "promhttp_metric_handler_requests_total",
    help: "Scrapes of these metrics.",
    labelNames: ["code"],
  });
  const inFlight = registry.gauge({
    name: "promhttp_metric_handler_requests_in_flight",
    help: "Scrapes of these metrics at present.",
  });
  const [succeeded, failed] = ["200", "500"].map((code) => requests.labels({ code }));
  return (accept) => {
    inFlight.inc();
    try {
      const format = negotiateFormat(accept);
      const text = registry.expose(format);
      succeeded!.inc();
      return { text, contentType: contentTypeOf(format) };
    } catch (error) {
      failed!.inc();
      throw error;
    } finally {
      inFlight.dec();
    }
  };
}
