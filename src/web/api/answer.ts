import type { Context } from "hono";

/** Bytes that are ready to be sent: a whole JSON envelope, made where the query ran. */
export function sendFinished(c: Context, body: Uint8Array): Response {
  return c.body(body as Uint8Array<ArrayBuffer>, 200, { "content-type": "application/json" });
}

/** Upstream's envelope around a small answer. */
export function sendData(c: Context, data: unknown, warnings: readonly string[] = []): Response {
  return c.json(warnings.length > 0 ? { status: "success", data, warnings } : { status: "success", data });
}
