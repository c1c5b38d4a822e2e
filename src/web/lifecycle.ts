import type { Context, Hono } from "hono";
import { errorMessage } from "../base/index.ts";
import type { Lifecycle } from "./parts.ts";

/** What `/-/healthy` and `/-/ready` answer. */
export const healthyText = "Prometheus Server is Healthy.\n";
export const readyText = "Prometheus Server is Ready.\n";
export const notReadyText = "Service Unavailable";

/** Says with a 503 whether the server ends. */
export function notReadyHeaders(lifecycle: Lifecycle): Record<string, string> {
  return { "x-prometheus-stopping": String(lifecycle.isStopping()) };
}

/** Upstream's plain 503 while the storage opens or the server ends. */
export function notReady(c: Context, lifecycle: Lifecycle): Response {
  return c.text(notReadyText, 503, notReadyHeaders(lifecycle));
}

/** `/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`. */
export function addLifecycleRoutes(app: Hono, lifecycle: Lifecycle): void {
  app.get("/-/healthy", (c) => c.text(healthyText));
  app.get("/-/ready", (c) => {
    if (lifecycle.isReady()) return c.text(readyText);
    return notReady(c, lifecycle);
  });
  for (const action of ["reload", "quit"] as const) {
    app.get(`/-/${action}`, (c) => c.text("Only POST or PUT requests allowed", 405));
    app.on(["POST", "PUT"], `/-/${action}`, async (c) => {
      if (!lifecycle.enabled) return c.text("Lifecycle API is not enabled.", 403);
      if (action === "quit") {
        lifecycle.quit();
        return c.text("Requesting termination... Goodbye!");
      }
      try {
        await lifecycle.reload();
        return c.body(null, 200);
      } catch (error) {
        return c.text(`failed to reload config: ${errorMessage(error)}\n`, 500);
      }
    });
  }
}
