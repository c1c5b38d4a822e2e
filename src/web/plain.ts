import type { PlainAnswer, PlainCall, PlainRoute, PlainRoutes } from "../http/index.ts";
import { healthyText, notReadyHeaders, notReadyText, readyText } from "./lifecycle.ts";
import type { Exposition, RequestMetrics } from "./metrics.ts";
import type { WebParts } from "./parts.ts";

/**
 * What every server is asked again and again: whether it is there, and its own metrics. Answered here, a server that nobody looks at needs nothing of what answers
 * pages.
 */
export function createPlainOwnRoutes(
  { lifecycle, routePrefix }: WebParts,
  metrics: RequestMetrics,
  expose: (accept: string | undefined) => Exposition,
): PlainRoutes {
  const route = (path: string, answer: (call: PlainCall) => PlainAnswer): [string, PlainRoute] => {
    const handler = metrics.forHandler(path);
    const answered: PlainRoute = (call) => {
      if (call.request.method !== "GET") return undefined;
      const startMs = performance.now();
      let given: PlainAnswer;
      try {
        given = answer(call);
      } catch {
        // Asked again on the way of all others, which tells of it.
        return undefined;
      }
      handler.answered(given.status, startMs);
      return { ...given, sent: handler.sent };
    };
    return [routePrefix + path, answered];
  };
  return new Map([
    route("/-/healthy", () => textAnswer(200, healthyText)),
    route("/-/ready", () => {
      if (lifecycle.isReady()) return textAnswer(200, readyText);
      return textAnswer(503, notReadyText, notReadyHeaders(lifecycle));
    }),
    route("/metrics", ({ request }) => {
      const { text, contentType } = expose(request.headers.accept);
      return { ...textAnswer(200, text), contentType };
    }),
  ]);
}

function textAnswer(status: number, text: string, headers: Record<string, string> = {}): PlainAnswer {
  const headerLines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    status,
    contentType: "text/plain; charset=UTF-8",
    headerLines: headerLines.join(""),
    body: Buffer.from(text),
  };
}
