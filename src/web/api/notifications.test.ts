import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { addNotificationRoutes } from "./notifications.ts";

test("what one should know is listed while it holds", async () => {
  let [refusedMs, isReady, isStopping]: [number | undefined, boolean, boolean] = [undefined, true, false];
  const app = new Hono();
  addNotificationRoutes(app, {
    status: { refusedConfigMs: () => refusedMs },
    lifecycle: { isReady: () => isReady, isStopping: () => isStopping },
    nowMs: () => 2000,
  });
  const listed = async (): Promise<unknown> => {
    const response = await app.request("/notifications");
    return ((await response.json()) as { data: unknown }).data;
  };
  assert.deepEqual(await listed(), []);
  refusedMs = 1000;
  const refusal = {
    text: "Configuration reload has failed.",
    date: "1970-01-01T00:00:01.000Z",
    active: true,
  };
  assert.deepEqual(await listed(), [refusal]);
  isReady = false;
  const starting = {
    text: "Narthex is starting and replaying the write-ahead log (WAL).",
    date: "1970-01-01T00:00:02.000Z",
    active: true,
  };
  assert.deepEqual(await listed(), [refusal, starting]);
  isStopping = true;
  refusedMs = undefined;
  assert.match(JSON.stringify(await listed()), /^\[\{"text":"Narthex is shutting down[^{]*$/);
  assert.equal((await app.request("/notifications/live")).status, 204);
});
