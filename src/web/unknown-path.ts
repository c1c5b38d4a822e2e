import type { Hono } from "hono";

const methods = ["DELETE", "GET", "OPTIONS", "POST", "PUT"] as const;

/** What no route answers is 405 with the methods that the path has, or 404 when it has none; in Go's words. */
export function answerUnknownPaths(app: Hono): void {
  app.notFound((c) => {
    const allowed = methods.filter((method) => hasRoute(app, method, c.req.path));
    if (allowed.length === 0) return c.text("404 page not found\n", 404);
    const allow = [...new Set([...allowed, "OPTIONS"])].sort().join(", ");
    return c.text("Method Not Allowed\n", 405, { allow });
  });
}

/** Middleware is registered for all methods; only a route names its own. */
function hasRoute(app: Hono, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path);
  return matches.some(
    ([[, route]]) => route.method === method && !(method === "OPTIONS" && route.path.endsWith("*")),
  );
}
